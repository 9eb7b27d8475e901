/* SPDX-License-Identifier: MIT */
/*
 * upcall.c - the slow path: rules, learning, and what follows from them for one flow
 *
 * Called by switch.c on the core that received the packet. In Open vSwitch this is
 * ovs-vswitchd at the other end of a netlink socket; here it is a function call, and it is
 * counted all the same. Owns nothing.
 */
#include "upcall.h"

#include "kernel/trace.h"
#include "fdb.h"
#include "net/wire.h"

/*
 * 01:80:c2:00:00:00 to 0f: for the next bridge, never for those behind it [IEEE 802.1Q table 8-1]
 */
static bool is_link_local(uint64_t mac)
{
	return (mac & 0xf0ffffffffff) == 0x000000c28001;
}

/*
 * All ready ports but @port. If none of these is ready, one that is not: its drop reason tells why
 * nothing leaves. An internal port that nobody has raised is as if it were not there.
 */
static uint32_t flood_ports(const struct port *port)
{
	uint32_t others = port->sw->ports & ~BIT(port->id), ready = 0;

	port_for_each(i) {
		if (others & BIT(i) && ports[i]->ready)
			ready |= BIT(i);
		else if (ports[i]->internal)
			others &= ~BIT(i);
	}
	return ready ? ready : others & -others;
}

/* how the question is asked */
struct asked {
	bool learn; /* the sender is behind the port: remember it */
	bool keep;  /* out: the verdict holds for more than this packet */
};

int upcall_peek_fdb(const struct port *port, const struct flow_key *key)
{
	return fdb_peek(port->sw->id, key->vlan_tci & VLAN_VID, mac_load(key->dl_dst),
			mac_load(key->dl_src), port->id);
}

/*
 * learn_and_find() - the sender is behind @port; the port that the target is
 * behind, -1 if nobody knows.
 */
static int learn_and_find(const struct port *port, const struct flow_key *key, struct verdict *v)
{
	unsigned sw = port->sw->id, vid = key->vlan_tci & VLAN_VID;
	struct fdb_entry *e;

	v->src = fdb_learn(sw, vid, mac_load(key->dl_src), port->id);
	e = fdb_find(sw, vid, mac_load(key->dl_dst));
	return e ? (int)atomic_load_explicit(&e->port, memory_order_relaxed) : -1;
}

/* What a learning switch does. */
static uint32_t normal(struct port *port, const struct flow_key *key, struct verdict *v,
		       struct asked *a)
{
	int behind = a->learn ? learn_and_find(port, key, v) : upcall_peek_fdb(port, key);

	if (mac_is_group(mac_load(key->dl_dst)))
		return flood_ports(port);
	if (behind >= 0)
		return BIT(behind);
	a->keep = false; /* else learning the address would have to invalidate the flood */
	return flood_ports(port);
}

struct outputs {
	uint32_t to;   /* ports to send to; the one it came in by is taken out again */
	uint32_t back; /* that one, if a rule asks for it by in_port */
	bool link_local;
};

static struct outputs apply(const struct rule *rule, struct port *port, const struct flow_key *key,
			    struct verdict *v, struct asked *a)
{
	struct outputs o = { 0 };

	for (unsigned i = 0; i < RULE_ACTIONS_MAX && rule->action[i] != RULE_END; i++) {
		switch (rule->action[i]) {
		case RULE_NORMAL:
			if (is_link_local(mac_load(key->dl_dst)))
				o.link_local = true;
			else
				o.to |= normal(port, key, v, a);
			break;
		case RULE_FLOOD:
		case RULE_ALL: o.to |= flood_ports(port); break;
		case RULE_IN_PORT: o.back = BIT(port->id); break;
		default: o.to |= BIT(rule->action[i] - RULE_OUTPUT) & port->sw->ports;
		}
	}
	return o;
}

static enum drop_reason why_nowhere(const struct rule *rule, const struct port *port,
				    const struct outputs *o)
{
	if (rule->action[0] == RULE_END)
		return DROP_RULE;
	if (o->link_local)
		return DROP_RESERVED_MAC;
	if (o->to & BIT(port->id))
		return DROP_SAME_PORT;
	return DROP_NO_OUTPUT;
}

static bool decide(struct port *port, const struct flow_key *key, struct verdict *v, bool learn)
{
	const struct rule *rule = rules_find(&port->sw->rules, key);
	struct asked asked = { .learn = learn, .keep = true };
	struct outputs o;

	*v = (struct verdict){ .out = OUT_DROP };
	if (!rule) {
		v->reason = DROP_NO_RULE;
		return true;
	}
	v->rule = rule_ref(rule);
	o = apply(rule, port, key, v, &asked);
	v->ports = (o.to & ~BIT(port->id)) | o.back;
	if (!v->ports)
		v->reason = why_nowhere(rule, port, &o);
	else if (v->ports & (v->ports - 1))
		v->out = OUT_MANY;
	else
		v->out = __builtin_ctz(v->ports);
	return asked.keep;
}

bool upcall(struct port *port, const struct flow_key *key, struct verdict *v)
{
	trace(TRACE_UPCALL, port->id, key_hash(0, key));
	return decide(port, key, v, true);
}

bool upcall_peek(struct port *port, const struct flow_key *key, struct verdict *v)
{
	return decide(port, key, v, false);
}

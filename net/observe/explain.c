/* SPDX-License-Identifier: MIT */
/*
 * explain.c - `explain`: what each stage would decide about a frame, and why
 *
 * Control context. The frame is a packet of this core's that no other stage ever sees: each stage
 * is asked by the function that decides there, or one beside it that only looks, in the order of
 * receive.c. Nothing is learnt, counted or sent.
 */
#include "explain.h"

#include "kernel/park.h"
#include "drivers/netdev.h"
#include "net/flow.h"
#include "net/parse.h"
#include "net/ovs/rule_str.h"
#include "net/ovs/rules.h"
#include "net/ovs/vswitch.h"
#include "net/ovs/upcall.h"

#include <errno.h>
#include <string.h>

enum { FLOW_STR = 512 };

/* --- a line a stage --- */

/* explain_parse() - returns whether it has a key */
static bool explain_parse(struct shell *sh, const struct port *port, const struct pkt *p,
			  struct flow_key *key)
{
	enum drop_reason why = parse_peek(p, port->id, key);
	char text[FLOW_STR];

	explain_stage(sh, "parse");
	if (why != PARSE_OK) {
		explain_drop(sh, why);
		return false;
	}
	key_str(key, text, sizeof(text));
	shell_printf(sh, "%s\n", text);
	return true;
}

static void explain_flow(struct shell *sh, const struct flow_key *key)
{
	struct flow *f = flow_find(key, key_hash(0, key));

	explain_stage(sh, "flow cache");
	if (f)
		shell_printf(sh, "known, %lu packets so far: the verdict below is remembered\n",
			     (unsigned long)flow_total(f).packets);
	else
		shell_printf(sh, "not known: upcall to the slow path\n");
}

static void explain_rule(struct shell *sh, const struct port *port, const struct flow_key *key)
{
	const struct rule *rule = rules_find(&port->sw->rules, key);
	char text[RULE_STR];

	explain_stage(sh, "rule");
	if (!rule) {
		shell_printf(sh, "none of %u of %s matches\n", port->sw->rules.n, port->sw->name);
		return;
	}
	rule_str(rule, text);
	shell_printf(sh, "%s: %s\n", port->sw->name, text);
}

static void explain_fdb(struct shell *sh, const struct port *port, const struct flow_key *key)
{
	int behind = upcall_peek_fdb(port, key);

	explain_stage(sh, "MAC table");
	if (mac_is_group(mac_load(key->dl_dst)))
		shell_printf(sh, "a group address\n");
	else if (behind >= 0)
		shell_printf(sh, "behind %s\n", ports[behind]->name);
	else
		shell_printf(sh, "not known\n");
}

static void explain_verdict(struct shell *sh, struct port *port, const struct flow_key *key,
			    const struct pkt *p, unsigned cpu)
{
	struct verdict v;
	bool keep = upcall_peek(port, key, &v);

	explain_stage(sh, "verdict");
	if (v.out == OUT_DROP) {
		explain_drop(sh, v.reason);
		return;
	}
	shell_printf(sh, "%s%s\n",
		     v.out == OUT_MANY ? "to several ports, by copies" : "to one port",
		     keep ? "" : "; for this packet alone, as its address is not known yet");
	port_for_each(i)
		if (v.ports & BIT(i))
			explain_out(sh, ports[i], p, MAX(p->frame_len, (uint32_t)ETH_MIN_FRAME),
				    cpu);
}

static void explain_switch(struct shell *sh, struct port *port, const struct pkt *p, unsigned cpu)
{
	struct flow_key key;

	explain_stage(sh, "handler");
	if (!port->up) {
		shell_printf(sh, "drop (port_down): %s is down\n", port->name);
		return;
	}
	if (!port->sw) {
		if (port->rx_extra & PORT_LOCAL)
			shell_printf(sh, "Weir's own protocols\n");
		else
			shell_printf(sh, "drop (no_switch): %s is in none\n", port->name);
		return;
	}
	shell_printf(sh, "switch %s\n", port->sw->name);
	if (!explain_parse(sh, port, p, &key))
		return;
	explain_flow(sh, &key);
	explain_rule(sh, port, &key);
	explain_fdb(sh, port, &key);
	explain_verdict(sh, port, &key, p, cpu);
}

static void explain(struct shell *sh, struct port *port, struct pkt *p)
{
	int cpu = explain_in(sh, port, p);

	if (cpu >= 0)
		explain_switch(sh, port, p, cpu);
}

/* --- the command --- */

static int run_explain(struct shell *sh, int n, const struct word *w)
{
	struct port *match[PORT_MAX];
	static uint8_t frame[EXPLAIN_FRAME_MAX];
	struct pkt *p;
	int len;

	(void)w;
	if (n < 2 || port_words(sh, 1, match) < 1)
		return n < 2 ? shell_expected(sh, 1, "a port") : -EINVAL;
	len = explain_frame(sh, frame);
	if (len < 0)
		return len;
	cores_park();
	p = pkt_alloc();
	if (p) {
		p->data = pkt_buf(p);
		pkt_begin(p, len);
		memcpy(p->data, frame, len);
		explain(sh, match[0], p);
		pkt_free(p);
	}
	cores_resume();
	return p ? 0 : shell_error(sh, 0, -ENOMEM, "no buffer for the frame");
}

static void complete_explain(int n, const struct word *w, void (*add)(void *to, const char *s),
			     void *to)
{
	(void)w;
	if (n == 2)
		add(to, "pcap");
	port_for_each(i)
		if (n == 1)
			add(to, ports[i]->name);
}

SHELL_COMMAND(cmd_explain, .name = "explain", .usage = "PORT HEX... | PORT pcap FILE [N]",
	      .help = "what each stage would decide about a frame that came in by a port, and why",
	      .run = run_explain, .complete = complete_explain);

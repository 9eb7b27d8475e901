/* SPDX-License-Identifier: MIT */
/* rule_str.c - a rule as ovs-ofctl writes it. For ofctl.c, in the control context. Owns nothing. */
#include "rule_str.h"

#include "net/addr.h"
#include "rule_fields.h"
#include "net/text.h"
#include "net/wire.h"

static unsigned prefix_len(const uint8_t *mask, unsigned bytes)
{
	unsigned n = 0;

	for (unsigned i = 0; i < bytes; i++)
		n += __builtin_popcount(mask[i]);
	return n;
}

static void add_address(struct text *t, const struct field *f, const uint8_t *value,
			const uint8_t *mask)
{
	unsigned bytes = f->form == FORM_IP4 ? 4 : 16, len = prefix_len(mask, bytes);
	char buf[IP_STR];

	if (f->form == FORM_IP4)
		ip4_str(load32(value), buf);
	else
		ip6_str(value, buf);
	text_add(t, ",%s=%s", f->name, buf);
	if (len < bytes * 8)
		text_add(t, "/%u", len);
}

/* Is this field matched, and is this the name that the rule's protocol has for it? */
static bool is_shown(const struct field *f, const struct rule_match *m)
{
	static const unsigned bytes[] = {
		[FORM_PORT] = 2, [FORM_VLAN] = 2, [FORM_MAC] = 6, [FORM_U8] = 1,
		[FORM_BE16] = 2, [FORM_IP4] = 4,  [FORM_IP6] = 16
	};
	unsigned type = m->mask.dl_type ? be16(m->value.dl_type) : 0;

	if (f->form == FORM_VLAN)
		return m->mask.flags & KEY_VLAN;
	if (!is_met(m, f->need) ||
	    !prefix_len((const uint8_t *)&m->mask + f->offset, bytes[f->form]))
		return false;
	if (type == ETH_P_ARP && (f->need == NEED_IP4 || f->need == NEED_IP))
		return false;
	return f->need != NEED_PORTS || !is_met(m, NEED_ICMP);
}

/* as ovs-ofctl has it; a rule of another switch may name a port that is no more */
static const char *port_label(unsigned id)
{
	if (!ports[id])
		return "(gone)";
	return ports[id]->internal ? "LOCAL" : ports[id]->name;
}

static void add_field(struct text *t, const struct field *f, const struct rule_match *m)
{
	const uint8_t *value = (const uint8_t *)&m->value + f->offset,
		      *mask = (const uint8_t *)&m->mask + f->offset;
	char mac[MAC_STR];

	switch (f->form) {
	case FORM_PORT: text_add(t, ",in_port=%s", port_label(load16(value))); break;
	case FORM_VLAN:
		if (m->value.flags & KEY_VLAN)
			text_add(t, ",dl_vlan=%u", load16(value));
		else
			text_add(t, ",dl_vlan=0xffff");
		break;
	case FORM_U8: text_add(t, ",%s=%u", f->name, *value); break;
	case FORM_BE16:
		text_add(t,
			 f->offset == offsetof(struct flow_key, dl_type) ? ",%s=0x%04x" : ",%s=%u",
			 f->name, be16(load16(value)));
		break;
	case FORM_MAC:
		mac_str(value, mac);
		text_add(t, ",%s=%s", f->name, mac);
		break;
	case FORM_IP4:
	case FORM_IP6: add_address(t, f, value, mask); break;
	}
}

static const struct shorthand *shorthand_of(const struct rule_match *m)
{
	for (unsigned i = 0; i < SHORTHANDS; i++)
		if (m->mask.dl_type && m->value.dl_type == be16(shorthands[i].type) &&
		    (!shorthands[i].proto ||
		     (m->mask.nw_proto && m->value.nw_proto == shorthands[i].proto)))
			return &shorthands[i];
	return NULL;
}

static void add_match(struct text *t, const struct rule_match *m)
{
	const struct shorthand *s = shorthand_of(m);

	if (s)
		text_add(t, ",%s", s->name);
	for (unsigned i = 0; i < FIELDS; i++) {
		bool said = s &&
			    (fields[i].offset == offsetof(struct flow_key, dl_type) ||
			     (s->proto && fields[i].offset == offsetof(struct flow_key, nw_proto)));

		if (!said && is_shown(&fields[i], m))
			add_field(t, &fields[i], m);
	}
}

static void add_actions(struct text *t, const struct rule *rule)
{
	for (unsigned i = 0; i < RULE_ACTIONS_MAX && rule->action[i] != RULE_END; i++) {
		unsigned a = rule->action[i];

		if (i)
			text_add(t, ",");
		if (a >= RULE_OUTPUT)
			text_add(t, "%s%s", ports[a - RULE_OUTPUT]->internal ? "" : "output:",
				 port_label(a - RULE_OUTPUT));
		for (unsigned k = 0; k < PLAIN_ACTIONS; k++)
			if (plain_actions[k].action == a)
				text_add(t, "%s", plain_actions[k].name);
	}
	if (rule->action[0] == RULE_END)
		text_add(t, "drop");
}

void rule_str(const struct rule *rule, char buf[RULE_STR])
{
	struct text t = { buf, RULE_STR, 0 };

	text_add(&t, "priority=%u", rule->priority);
	add_match(&t, &rule->match);
	text_add(&t, " actions=");
	add_actions(&t, rule);
}

/* SPDX-License-Identifier: MIT */
/*
 * rule_text.c - from text to a rule and back
 *
 * Called by ofctl.c in the control context. The fields are a table: a name, how its value reads, where it stands in
 * the key, and what must be matched too for it to mean anything. Owns nothing.
 */
#include "rule_text.h"

#include "addr.h"
#include "wire.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_MAX = 128 };

/* how a field's value is written */
enum form {
	FORM_PORT, /* port number or name */
	FORM_VLAN, /* VLAN id, or 0xffff for untagged */
	FORM_MAC,
	FORM_U8,
	FORM_BE16,
	FORM_IP4, /* address[/length] */
	FORM_IP6,
};

/* what else the rule must match */
enum need { NEED_NOTHING, NEED_IP4, NEED_ARP, NEED_IP6, NEED_IP, NEED_PORTS, NEED_ICMP };

static const struct field {
	const char *name;
	enum form form;
	unsigned offset; /* in struct flow_key */
	enum need need;
} fields[] = {
#define AT(member) offsetof(struct flow_key, member)
	{ "in_port", FORM_PORT, AT(in_port), NEED_NOTHING },
	{ "dl_vlan", FORM_VLAN, AT(vlan_tci), NEED_NOTHING },
	{ "dl_src", FORM_MAC, AT(dl_src), NEED_NOTHING },
	{ "dl_dst", FORM_MAC, AT(dl_dst), NEED_NOTHING },
	{ "dl_type", FORM_BE16, AT(dl_type), NEED_NOTHING },
	{ "nw_proto", FORM_U8, AT(nw_proto), NEED_IP },
	{ "nw_src", FORM_IP4, AT(ip4.src), NEED_IP4 },
	{ "nw_dst", FORM_IP4, AT(ip4.dst), NEED_IP4 },
	{ "arp_op", FORM_U8, AT(nw_proto), NEED_ARP },
	{ "arp_spa", FORM_IP4, AT(ip4.src), NEED_ARP },
	{ "arp_tpa", FORM_IP4, AT(ip4.dst), NEED_ARP },
	{ "ipv6_src", FORM_IP6, AT(ip6.src), NEED_IP6 },
	{ "ipv6_dst", FORM_IP6, AT(ip6.dst), NEED_IP6 },
	{ "tp_src", FORM_BE16, AT(tp_src), NEED_PORTS },
	{ "tp_dst", FORM_BE16, AT(tp_dst), NEED_PORTS },
	{ "icmp_type", FORM_BE16, AT(tp_src), NEED_ICMP },
	{ "icmp_code", FORM_BE16, AT(tp_dst), NEED_ICMP },
#undef AT
};

static const char *const need_text[] = {
	[NEED_IP4] = "ip or arp beside it",
	[NEED_ARP] = "arp beside it",
	[NEED_IP6] = "ipv6 beside it",
	[NEED_IP] = "ip, ipv6 or arp beside it",
	[NEED_PORTS] = "tcp, udp, tcp6 or udp6 beside it",
	[NEED_ICMP] = "icmp or icmp6 beside it",
};

static const struct shorthand {
	const char *name;
	uint16_t type;
	uint8_t proto; /* 0: any */
} shorthands[] = {
	/* those with a protocol first: rule_str() takes the first that fits */
	{ "tcp", ETH_P_IP, PROTO_TCP },    { "udp", ETH_P_IP, PROTO_UDP },
	{ "icmp", ETH_P_IP, PROTO_ICMP },  { "tcp6", ETH_P_IPV6, PROTO_TCP },
	{ "udp6", ETH_P_IPV6, PROTO_UDP }, { "icmp6", ETH_P_IPV6, PROTO_ICMPV6 },
	{ "arp", ETH_P_ARP, 0 },           { "ip", ETH_P_IP, 0 },
	{ "ipv6", ETH_P_IPV6, 0 },
};

static const struct {
	const char *name;
	enum rule_action action;
} plain_actions[] = {
	{ "NORMAL", RULE_NORMAL },
	{ "FLOOD", RULE_FLOOD },
	{ "ALL", RULE_ALL },
	{ "IN_PORT", RULE_IN_PORT },
};

/* --- reading --- */

/* walks the words of a rule, token by token */
struct reader {
	struct shell *sh;
	const struct vswitch *sw;
	struct rule *rule;
	int i;                 /* word */
	const char *s;         /* in it, what is still to read */
	char token[TOKEN_MAX]; /* "name" or "name=value" */
	char *value;           /* behind the =, or NULL */
	unsigned col;          /* of the token */
	struct {
		const struct field *field;
		unsigned col;
	} seen[16];
	unsigned nseen;
};

static int token_expected(struct reader *r, const char *what)
{
	return shell_expected_at(r->sh, r->col, what, r->token);
}

static int value_expected(struct reader *r, const char *what)
{
	if (!r->value)
		return token_expected(r, what);
	return shell_expected_at(r->sh, r->col + (r->value - r->token), what,
				 *r->value ? r->value : NULL);
}

static bool is_gap(char c)
{
	return c == ',' || c == ' ' || c == '\t';
}

/* The next token; 0 at the end of the line, -EINVAL if it is longer than any can be. */
static int next_token(struct reader *r)
{
	size_t n = 0;

	for (;;) {
		while (r->s && is_gap(*r->s))
			r->s++;
		if (r->s && *r->s)
			break;
		if (++r->i >= r->sh->nwords)
			return 0;
		r->s = r->sh->word[r->i].s;
	}
	r->col = r->sh->word[r->i].col + (r->s - r->sh->word[r->i].s);
	while (r->s[n] && !is_gap(r->s[n]))
		n++;
	if (n >= sizeof(r->token))
		return shell_expected_at(r->sh, r->col, "a field of at most 127 bytes", r->s);
	memcpy(r->token, r->s, n);
	r->token[n] = 0;
	r->s += n;
	r->value = strchr(r->token, '=');
	if (r->value)
		r->value++;
	return 1;
}

static bool number(const char *s, unsigned long max, unsigned long *out)
{
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	*out = strtoul(s, &end, s[0] == '0' && (s[1] | 32) == 'x' ? 16 : 10);
	return !*end && *out <= max;
}

static uint8_t *value_at(struct reader *r, const struct field *f)
{
	return (uint8_t *)&r->rule->match.value + f->offset;
}

static uint8_t *mask_at(struct reader *r, const struct field *f)
{
	return (uint8_t *)&r->rule->match.mask + f->offset;
}

static void set_bytes(struct reader *r, const struct field *f, const void *value, unsigned bytes)
{
	memcpy(value_at(r, f), value, bytes);
	memset(mask_at(r, f), 0xff, bytes);
}

static int read_port_field(struct reader *r, const struct field *f)
{
	struct port *match[PORT_MAX];

	if (!r->value || port_match(r->value, match) != 1)
		return value_expected(r, "a port");
	set_bytes(r, f, &match[0]->id, 2);
	return 0;
}

static int read_vlan_field(struct reader *r, const struct field *f)
{
	struct rule_match *m = &r->rule->match;
	unsigned long v;
	uint16_t vid;

	if (!r->value || !number(r->value, 0xffff, &v) || (v > VLAN_VID && v != 0xffff))
		return value_expected(r, "a VLAN id from 0 to 4095, or 0xffff for no tag");
	m->mask.flags |= KEY_VLAN;
	if (v == 0xffff)
		return 0;
	m->value.flags |= KEY_VLAN;
	vid = v;
	memcpy(value_at(r, f), &vid, sizeof(vid));
	vid = VLAN_VID;
	memcpy(mask_at(r, f), &vid, sizeof(vid));
	return 0;
}

/* An address with /length behind it; @bytes of it are in @addr already. */
static int set_prefix(struct reader *r, const struct field *f, const uint8_t *addr, unsigned bytes,
		      const char *slash)
{
	unsigned long len = bytes * 8;

	if (slash && !number(slash + 1, len, &len))
		return shell_expected_at(r->sh, r->col + (slash + 1 - r->token), "a prefix length",
					 slash[1] ? slash + 1 : NULL);
	for (unsigned i = 0; i < bytes; i++) {
		uint8_t mask = len >= 8 * (i + 1) ? 0xff : len <= 8 * i ? 0 : 0xff << (8 - len % 8);

		mask_at(r, f)[i] = mask;
		value_at(r, f)[i] = addr[i] & mask;
	}
	return 0;
}

static int read_address_field(struct reader *r, const struct field *f)
{
	char *slash = r->value ? strchr(r->value, '/') : NULL;
	uint8_t addr[16];
	bool ok;

	if (slash)
		*slash = 0;
	ok = r->value &&
	     (f->form == FORM_IP4 ? ip4_read(r->value, addr) : ip6_read(r->value, addr));
	if (slash)
		*slash = '/';
	if (!ok)
		return value_expected(r,
				      f->form == FORM_IP4 ? "an IPv4 address" : "an IPv6 address");
	return set_prefix(r, f, addr, f->form == FORM_IP4 ? 4 : 16, slash);
}

static int read_number_field(struct reader *r, const struct field *f)
{
	bool byte = f->form == FORM_U8;
	unsigned long v;
	uint16_t be;

	if (!r->value || !number(r->value, byte ? 0xff : 0xffff, &v))
		return value_expected(r,
				      byte ? "a number from 0 to 255" : "a number from 0 to 65535");
	be = byte ? v : be16(v);
	set_bytes(r, f, &be, byte ? 1 : 2);
	return 0;
}

static int read_field(struct reader *r, const struct field *f)
{
	uint8_t mac[6];

	if (r->nseen == ARRAY_SIZE(r->seen))
		return token_expected(r, "at most 16 fields");
	r->seen[r->nseen].field = f;
	r->seen[r->nseen++].col = r->col;
	switch (f->form) {
	case FORM_PORT: return read_port_field(r, f);
	case FORM_VLAN: return read_vlan_field(r, f);
	case FORM_IP4:
	case FORM_IP6: return read_address_field(r, f);
	case FORM_U8:
	case FORM_BE16: return read_number_field(r, f);
	case FORM_MAC:
		if (!r->value || !mac_read(r->value, mac))
			return value_expected(r, "a MAC address");
		set_bytes(r, f, mac, sizeof(mac));
	}
	return 0;
}

static const struct field *field_by_name(const char *token, size_t n)
{
	for (unsigned i = 0; i < ARRAY_SIZE(fields); i++)
		if (strlen(fields[i].name) == n && !memcmp(fields[i].name, token, n))
			return &fields[i];
	return NULL;
}

static bool read_shorthand(struct reader *r)
{
	struct rule_match *m = &r->rule->match;

	for (unsigned i = 0; i < ARRAY_SIZE(shorthands); i++) {
		if (strcmp(shorthands[i].name, r->token))
			continue;
		m->value.dl_type = be16(shorthands[i].type);
		m->mask.dl_type = 0xffff;
		if (shorthands[i].proto) {
			m->value.nw_proto = shorthands[i].proto;
			m->mask.nw_proto = 0xff;
		}
		return true;
	}
	return false;
}

static int read_match_token(struct reader *r)
{
	size_t n = r->value ? (size_t)(r->value - 1 - r->token) : strlen(r->token);
	const struct field *f = field_by_name(r->token, n);
	unsigned long v;

	if (f)
		return read_field(r, f);
	if (r->value && n == 8 && !memcmp(r->token, "priority", n)) {
		if (!number(r->value, 65535, &v))
			return value_expected(r, "a priority from 0 to 65535");
		r->rule->priority = v;
		return 0;
	}
	if (!r->value && read_shorthand(r))
		return 0;
	return token_expected(r, "a field to match, or actions=");
}

static bool is_met(const struct rule_match *m, enum need need)
{
	unsigned type = m->mask.dl_type ? be16(m->value.dl_type) : 0;
	unsigned proto = m->mask.nw_proto ? m->value.nw_proto : 0;
	bool ip = type == ETH_P_IP, ip6 = type == ETH_P_IPV6, arp = type == ETH_P_ARP;

	switch (need) {
	case NEED_IP4: return ip || arp;
	case NEED_ARP: return arp;
	case NEED_IP6: return ip6;
	case NEED_IP: return ip || ip6 || arp;
	/* as in Open vSwitch, ICMP's type and code may be called ports as well */
	case NEED_PORTS:
		if ((ip || ip6) && (proto == PROTO_TCP || proto == PROTO_UDP))
			return true;
		__attribute__((fallthrough));
	case NEED_ICMP: return (ip && proto == PROTO_ICMP) || (ip6 && proto == PROTO_ICMPV6);
	default: return true;
	}
}

/* Order is free, so what a field needs is looked for at the end. */
static int check_needs(struct reader *r)
{
	for (unsigned i = 0; i < r->nseen; i++) {
		const struct field *f = r->seen[i].field;

		if (!is_met(&r->rule->match, f->need))
			return shell_expected_at(r->sh, r->seen[i].col, need_text[f->need],
						 f->name);
	}
	return 0;
}

static int add_action(struct reader *r, unsigned *n, unsigned action)
{
	if (*n == RULE_ACTIONS_MAX)
		return token_expected(r, "at most 16 actions");
	r->rule->action[(*n)++] = action;
	return 0;
}

static bool same_letters(const char *a, const char *b)
{
	while (*a && (*a | 32) == (*b | 32)) {
		a++;
		b++;
	}
	return !*a && !*b;
}

static int read_output(struct reader *r, const char *name, unsigned *n)
{
	struct port *match[PORT_MAX];

	if (port_match(name, match) != 1 || match[0]->sw != r->sw)
		return shell_expected_at(r->sh, r->col + (name - r->token), "a port of this switch",
					 *name ? name : NULL);
	return add_action(r, n, RULE_OUTPUT + match[0]->id);
}

/* one action, which begins at @s within the token */
static int read_action(struct reader *r, const char *s, unsigned *n, bool *drop)
{
	if (!strncmp(s, "output:", 7))
		return read_output(r, s + 7, n);
	*drop |= same_letters(s, "drop");
	if (same_letters(s, "drop"))
		return 0;
	for (unsigned i = 0; i < ARRAY_SIZE(plain_actions); i++)
		if (same_letters(s, plain_actions[i].name))
			return add_action(r, n, plain_actions[i].action);
	return shell_expected_at(r->sh, r->col + (s - r->token),
				 "output:PORT, drop, normal, flood, all or in_port", *s ? s : NULL);
}

/* The token is actions=FIRST; the rest of the line are actions. */
static int read_actions(struct reader *r)
{
	const char *s = r->value;
	unsigned n = 0;
	bool drop = false;
	int err, more;

	do {
		err = read_action(r, s, &n, &drop);
		if (err)
			return err;
		more = next_token(r);
		s = r->token;
	} while (more > 0);
	if (!more && drop && n)
		return shell_expected_at(r->sh, r->col, "drop alone, or actions without it",
					 r->token);
	return more;
}

int rule_parse(struct shell *sh, int first, const struct vswitch *sw, bool with_actions,
	       struct rule *rule)
{
	struct reader r = { .sh = sh, .sw = sw, .rule = rule, .i = first - 1 };
	int more, err;

	*rule = (struct rule){ .priority = RULE_PRIORITY_DEFAULT };
	while ((more = next_token(&r)) > 0) {
		bool actions = !strncmp(r.token, "actions=", 8);

		if (actions && !with_actions)
			return token_expected(&r, "a field to match");
		err = actions ? read_actions(&r) : read_match_token(&r);
		if (err)
			return err;
		if (actions)
			return check_needs(&r);
	}
	if (more < 0)
		return more;
	if (with_actions)
		return shell_expected(sh, sh->nwords, "actions=");
	return check_needs(&r);
}

/* --- printing --- */

struct text {
	char *buf;
	size_t size, n;
};

static void __attribute__((format(printf, 2, 3))) add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->n, t->size - t->n, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->n = MIN(t->n + n, t->size - 1);
}

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
	add(t, ",%s=%s", f->name, buf);
	if (len < bytes * 8)
		add(t, "/%u", len);
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

static void add_field(struct text *t, const struct field *f, const struct rule_match *m)
{
	const uint8_t *value = (const uint8_t *)&m->value + f->offset,
		      *mask = (const uint8_t *)&m->mask + f->offset;
	char mac[MAC_STR];

	switch (f->form) {
	case FORM_PORT: add(t, ",in_port=%s", ports[load16(value)]->name); break;
	case FORM_VLAN:
		if (m->value.flags & KEY_VLAN)
			add(t, ",dl_vlan=%u", load16(value));
		else
			add(t, ",dl_vlan=0xffff");
		break;
	case FORM_U8: add(t, ",%s=%u", f->name, *value); break;
	case FORM_BE16:
		add(t, f->offset == offsetof(struct flow_key, dl_type) ? ",%s=0x%04x" : ",%s=%u",
		    f->name, be16(load16(value)));
		break;
	case FORM_MAC:
		mac_str(value, mac);
		add(t, ",%s=%s", f->name, mac);
		break;
	case FORM_IP4:
	case FORM_IP6: add_address(t, f, value, mask); break;
	}
}

static const struct shorthand *shorthand_of(const struct rule_match *m)
{
	for (unsigned i = 0; i < ARRAY_SIZE(shorthands); i++)
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
		add(t, ",%s", s->name);
	for (unsigned i = 0; i < ARRAY_SIZE(fields); i++) {
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
			add(t, ",");
		if (a >= RULE_OUTPUT)
			add(t, "output:%s", ports[a - RULE_OUTPUT]->name);
		for (unsigned k = 0; k < ARRAY_SIZE(plain_actions); k++)
			if (plain_actions[k].action == a)
				add(t, "%s", plain_actions[k].name);
	}
	if (rule->action[0] == RULE_END)
		add(t, "drop");
}

void rule_str(const struct rule *rule, char buf[RULE_STR])
{
	struct text t = { buf, RULE_STR, 0 };

	add(&t, "priority=%u", rule->priority);
	add_match(&t, &rule->match);
	add(&t, " actions=");
	add_actions(&t, rule);
}

/* SPDX-License-Identifier: MIT */
/*
 * rule_parse.c - from ovs-ofctl's text to a rule
 *
 * Called by ofctl.c in the control context. Token by token, each with its column, so that what is
 * wrong can be pointed at. Owns nothing.
 */
#include "rule_parse.h"

#include "net/addr.h"
#include "rule_fields.h"
#include "net/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_MAX = 128 };

/* walks the words of a rule, token by token */
struct reader {
	struct shell *sh;
	const struct vswitch *sw;
	struct rule *rule;
	bool with_actions;
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

static bool same_letters(const char *a, const char *b)
{
	while (*a && (*a | 32) == (*b | 32)) {
		a++;
		b++;
	}
	return !*a && !*b;
}

/* one port by name, glob or number; LOCAL, OpenFlow's 65534, is the switch's internal one */
static struct port *port_called(const struct reader *r, const char *name)
{
	struct port *match[PORT_MAX];

	if (!same_letters(name, "local") && strcmp(name, "65534"))
		return port_match(name, match) == 1 ? match[0] : NULL;
	port_for_each(i) {
		if (ports[i]->internal && ports[i]->sw == r->sw)
			return ports[i];
	}
	return NULL;
}

static int read_port_field(struct reader *r, const struct field *f)
{
	struct port *port = r->value ? port_called(r, r->value) : NULL;

	if (!port)
		return value_expected(r, "a port");
	set_bytes(r, f, &port->id, 2);
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
	for (unsigned i = 0; i < FIELDS; i++)
		if (strlen(fields[i].name) == n && !memcmp(fields[i].name, token, n))
			return &fields[i];
	return NULL;
}

static bool read_shorthand(struct reader *r)
{
	struct rule_match *m = &r->rule->match;

	for (unsigned i = 0; i < SHORTHANDS; i++) {
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
	if (r->with_actions && r->value && n == 8 && !memcmp(r->token, "priority", n)) {
		if (!number(r->value, 65535, &v))
			return value_expected(r, "a priority from 0 to 65535");
		r->rule->priority = v;
		return 0;
	}
	if (!r->value && read_shorthand(r))
		return 0;
	return token_expected(r, r->with_actions ? "a field to match, or actions="
						 : "a field to match");
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

static int read_output(struct reader *r, const char *name, unsigned *n)
{
	struct port *port = port_called(r, name);

	if (!port || port->sw != r->sw)
		return shell_expected_at(r->sh, r->col + (name - r->token), "a port of this switch",
					 *name ? name : NULL);
	return add_action(r, n, RULE_OUTPUT + port->id);
}

/* one action, which begins at @s within the token */
static int read_action(struct reader *r, const char *s, unsigned *n, bool *drop)
{
	if (!strncmp(s, "output:", 7))
		return read_output(r, s + 7, n);
	if (same_letters(s, "local"))
		return read_output(r, s, n);
	*drop |= same_letters(s, "drop");
	if (same_letters(s, "drop"))
		return 0;
	for (unsigned i = 0; i < PLAIN_ACTIONS; i++)
		if (same_letters(s, plain_actions[i].name))
			return add_action(r, n, plain_actions[i].action);
	return shell_expected_at(r->sh, r->col + (s - r->token),
				 "output:PORT, drop, normal, flood, all, in_port or local",
				 *s ? s : NULL);
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
	struct reader r = {
		.sh = sh, .sw = sw, .rule = rule, .with_actions = with_actions, .i = first - 1
	};
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

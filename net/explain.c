/* SPDX-License-Identifier: MIT */
/*
 * explain.c - `explain`: what each stage would decide about a frame, and why
 *
 * Control context. The frame is a packet of this core's that no other stage ever sees: each stage is asked by the function
 * that decides there, or one beside it that only looks, in the order of receive.c. Nothing is learnt, counted or sent.
 */
#include "kernel/archive.h"
#include "kernel/park.h"
#include "kernel/shell.h"
#include "kernel/toeplitz.h"
#include "drivers/netdev.h"
#include "fdb.h"
#include "flow.h"
#include "parse.h"
#include "qdisc.h"
#include "rps.h"
#include "rule_str.h"
#include "rules.h"
#include "switch.h"
#include "tc_filter.h"
#include "upcall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_MAX = PKT_BUF_SIZE, FLOW_STR = 512 };

/* --- the frame --- */

static int digit(char c)
{
	const char *hex = "0123456789abcdef", *at = memchr(hex, c | 0x20, 16);

	if (c >= '0' && c <= '9')
		return c - '0';
	return at && c >= 'A' ? (int)(at - hex) : -1;
}

/* hex_words() - bytes of the words from @i on, two digits each, colons between or not. The length, or -EINVAL, said. */
static int hex_words(struct shell *sh, int i, uint8_t *frame)
{
	int n = 0;

	for (; i < sh->nwords; i++)
		for (const char *s = sh->word[i].s; *s; s += s[2] == ':' ? 3 : 2) {
			unsigned col = sh->word[i].col + (s - sh->word[i].s);

			if (digit(s[0]) < 0 || digit(s[1]) < 0)
				return shell_expected_at(sh, col, "two hexadecimal digits a byte",
							 s);
			if (n == FRAME_MAX)
				return shell_expected_at(sh, col, "a frame of at most 2048 bytes",
							 s);
			frame[n++] = digit(s[0]) << 4 | digit(s[1]);
		}
	return n;
}

/* what a capture of libpcap's begins with, and what each packet in it begins with; by the byte order of this machine */
struct pcap_file {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, sigfigs, snaplen, linktype;
};

struct pcap_packet {
	uint32_t seconds, fraction, caplen, len;
};

enum { PCAP_US = 0xa1b2c3d4, PCAP_NS = 0xa1b23c4d, PCAP_ETHERNET = 1 };

/* pcap_frame() - packet number @want, from 1, of a file of the boot archive. Its length, or an error, said. */
static int pcap_frame(struct shell *sh, int i, unsigned long want, uint8_t *frame)
{
	const struct pcap_file *file;
	struct pcap_packet head;
	const void *data;
	size_t len, at = sizeof(*file);
	unsigned long number = 0;

	if (archive_file(sh->word[i].s, &data, &len))
		return shell_error(sh, i, -ENOENT, "%s", archive_reason());
	file = data;
	if (len < at || (file->magic != PCAP_US && file->magic != PCAP_NS) ||
	    file->linktype != PCAP_ETHERNET)
		return shell_error(sh, i, -EINVAL, "%s is no pcap file of Ethernet frames",
				   sh->word[i].s);
	for (;; at += head.caplen) {
		if (at + sizeof(head) > len)
			return shell_error(sh, i, -ENOENT, "%s has no packet %lu", sh->word[i].s,
					   want);
		memcpy(&head, (const uint8_t *)data + at, sizeof(head));
		at += sizeof(head);
		if (head.caplen > len - at || head.caplen > FRAME_MAX)
			return shell_error(sh, i, -EINVAL, "%s is damaged at byte %lu",
					   sh->word[i].s, (unsigned long)at);
		if (++number == want)
			break;
	}
	memcpy(frame, (const uint8_t *)data + at, head.caplen);
	return head.caplen;
}

/* --- a line a stage --- */

static void stage(struct shell *sh, const char *name)
{
	shell_printf(sh, "%-12s ", name);
}

static bool is_ours(const struct netdev *dev, const uint8_t *dst)
{
	return dev->promisc || dst[0] & 1 || !memcmp(dst, dev->mac, ETH_ALEN);
}

/* explain_nic() - would the chip take it, and which queue? Returns the queue, -1 if it would not. */
static int explain_nic(struct shell *sh, struct port *port, const struct pkt *p, bool has_hash,
		       uint32_t hash)
{
	struct netdev *dev = port->priv;
	unsigned q = 0;

	stage(sh, "NIC");
	if (p->frame_len > netdev_frame_max(dev)) {
		shell_printf(sh, "not received: %u bytes are more than MTU %u takes\n",
			     (unsigned)p->frame_len, dev->mtu);
		return -1;
	}
	if (!is_ours(dev, p->data)) {
		shell_printf(sh, "not received: another station's address, and not promiscuous\n");
		return -1;
	}
	if (dev->nqueues > 1 && has_hash) {
		q = dev->rss.table[hash % RSS_TABLE];
		shell_printf(sh, "RSS hash 0x%08x, entry %u of the table: queue %u", (unsigned)hash,
			     (unsigned)(hash % RSS_TABLE), q);
	} else {
		shell_printf(sh, "%s: queue 0",
			     dev->nqueues > 1 ? "no IP, so no hash" : "one queue");
	}
	shell_printf(sh, ", core %u\n", dev->queue[q].cpu);
	return q;
}

static void explain_rps(struct shell *sh, struct port *port, unsigned queue, const struct pkt *p)
{
	uint32_t hash;
	unsigned cpu;

	stage(sh, "RPS");
	if (!(port->rx_extra & PORT_RPS))
		shell_printf(sh, "off: it stays on its core\n");
	else if (rps_peek(port, queue, p, &hash, &cpu))
		shell_printf(sh, "hash 0x%08x: core %u\n", (unsigned)hash, cpu);
	else
		shell_printf(sh, "queue %u is not steered, or the frame has no hash\n", queue);
}

/* explain_filter() - returns whether it goes on */
static bool explain_filter(struct shell *sh, const struct port *port, const struct pkt *p)
{
	stage(sh, "tc ingress");
	if (!(port->rx_extra & PORT_FILTER)) {
		shell_printf(sh, "no filters\n");
		return true;
	}
	for (const struct tc_filter *f = tc_filter_first(port); f; f = f->next) {
		if (!bpf_run(f->prog, p, port->id))
			continue;
		shell_printf(sh, "filter pref %u handle %u wants it: %s\n", f->pref,
			     (unsigned)f->handle,
			     f->action == TC_ACT_SHOT ? "drop (filter)" : "go on");
		return f->action != TC_ACT_SHOT;
	}
	shell_printf(sh, "no filter wants it: go on\n");
	return true;
}

static void explain_drop(struct shell *sh, enum drop_reason why)
{
	shell_printf(sh, "drop (%s): %s\n", drop_text[why].name, drop_text[why].text);
}

/* explain_parse() - returns whether it has a key */
static bool explain_parse(struct shell *sh, const struct port *port, const struct pkt *p,
			  struct flow_key *key)
{
	enum drop_reason why = parse(p, port->id, key);
	char text[FLOW_STR];

	stage(sh, "parse");
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

	stage(sh, "flow cache");
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

	stage(sh, "rule");
	if (!rule) {
		shell_printf(sh, "none of %u of %s matches\n", port->sw->rules.n, port->sw->name);
		return;
	}
	rule_str(rule, text);
	shell_printf(sh, "%s: %s\n", port->sw->name, text);
}

static void explain_fdb(struct shell *sh, const struct port *port, const struct flow_key *key)
{
	uint64_t dst = mac_load(key->dl_dst);
	struct fdb_entry *e;

	stage(sh, "MAC table");
	if (mac_is_group(dst)) {
		shell_printf(sh, "a group address\n");
		return;
	}
	e = fdb_find(port->sw->id, key->vlan_tci & VLAN_VID, dst);
	if (e)
		shell_printf(sh, "behind %s\n", ports[e->port]->name);
	else
		shell_printf(sh, "not known\n");
}

/* explain_out() - one port that it leaves by */
static void explain_out(struct shell *sh, const struct port *out, uint32_t len)
{
	stage(sh, "out");
	shell_printf(sh, "%s: ", out->name);
	if (!out->ready)
		shell_printf(sh, "drop (tx_down): it is %s\n", out->up ? "without a link" : "down");
	else if (len > ETH_HLEN + VLAN_HLEN + (uint32_t)out->mtu)
		shell_printf(sh, "drop (tx_too_long): %u bytes, MTU %u\n", (unsigned)len, out->mtu);
	else if (out->qdisc && out->qdisc->o.kind)
		shell_printf(sh, "by its %s, %u packets wait there\n", out->qdisc->o.kind->name,
			     (unsigned)out->qdisc->packets);
	else
		shell_printf(sh, "to the device\n");
}

static void explain_verdict(struct shell *sh, struct port *port, const struct flow_key *key,
			    uint32_t len)
{
	struct verdict v;
	bool keep = upcall_peek(port, key, &v);

	stage(sh, "verdict");
	if (v.out == OUT_DROP) {
		explain_drop(sh, v.reason);
		return;
	}
	shell_printf(sh, "%s%s\n",
		     v.out == OUT_MANY ? "to several ports, by copies" : "to one port",
		     keep ? "" : "; for this packet alone, as its address is not known yet");
	port_for_each(i)
		if (v.ports & BIT(i))
			explain_out(sh, ports[i], len);
}

static void explain_switch(struct shell *sh, struct port *port, const struct pkt *p)
{
	struct flow_key key;

	stage(sh, "handler");
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
	explain_verdict(sh, port, &key, MAX(p->frame_len, (uint32_t)ETH_MIN_FRAME));
}

static void explain(struct shell *sh, struct port *port, const struct pkt *p)
{
	bool nic = port->ops->rss_key;
	uint32_t hash = 0;
	bool has_hash = rps_hash(port, p, &hash);
	int queue = nic ? explain_nic(sh, port, p, has_hash, hash) : 0;

	if (queue < 0)
		return;
	explain_rps(sh, port, queue, p);
	if (explain_filter(sh, port, p))
		explain_switch(sh, port, p);
}

/* --- the command --- */

static int read_frame(struct shell *sh, uint8_t *frame)
{
	unsigned long number = 1;

	if (!word_is(sh->nwords, sh->word, 2, "pcap"))
		return sh->nwords > 2 ? hex_words(sh, 2, frame)
				      : shell_expected(sh, 2, "a frame as hex, or pcap FILE");
	if (sh->nwords < 4)
		return shell_expected(sh, 3, "a pcap file of the boot archive");
	if (sh->nwords > 5)
		return shell_expected(sh, 5, "the end of the line");
	if (sh->nwords == 5 && shell_uint(sh, 4, 1, UINT32_MAX, &number))
		return -EINVAL;
	return pcap_frame(sh, 3, number, frame);
}

static int run_explain(struct shell *sh, int n, const struct word *w)
{
	struct port *match[PORT_MAX];
	static uint8_t frame[FRAME_MAX];
	struct pkt *p;
	int len;

	(void)w;
	if (n < 2 || port_words(sh, 1, match) < 1)
		return n < 2 ? shell_expected(sh, 1, "a port") : -EINVAL;
	len = read_frame(sh, frame);
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

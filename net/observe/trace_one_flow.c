/* SPDX-License-Identifier: MIT */
/*
 * trace_one_flow.c - key and actions of a frame that was caught
 *
 * Control context, cores parked meanwhile. A copy of the frame is parsed again, by the same
 * function; the verdict is that of its flow, or what the slow path would say.
 */
#include "trace_one_flow.h"

#include "kernel/park.h"
#include "net/flow.h"
#include "net/parse.h"
#include "trace_one.h"
#include "net/ovs/upcall.h"

#include <stdio.h>
#include <string.h>

/* key_of() - NULL, or why it has none. */
static const char *key_of(const struct trace_one *one, struct flow_key *key)
{
	const char *no = "no buffer for a copy to look at";
	enum drop_reason why;
	struct pkt *p;

	cores_park();
	p = pkt_alloc();
	if (p) {
		p->data = pkt_buf(p);
		pkt_begin(p, one->caplen);
		memcpy(p->data, one->frame, one->caplen);
		p->frame_len = one->len;
		p->flags |= one->flags & PKT_VLAN;
		p->vlan_tci = one->vlan_tci;
		why = parse(p, one->port->id, key);
		no = why == PARSE_OK ? NULL : drop_text[why].text;
		pkt_begin(p, one->caplen);
		pkt_free(p);
	}
	cores_resume();
	return no;
}

void trace_one_key(const struct trace_one *one, char *text, size_t size)
{
	struct flow_key key;
	const char *no = key_of(one, &key);

	if (no)
		snprintf(text, size, "none (%s)", no);
	else
		key_str(&key, text, size);
}

static void verdict_text(const struct verdict *v, char *text, size_t size)
{
	size_t n = 0;

	if (v->out == OUT_DROP) {
		snprintf(text, size, "drop (%s): %s", drop_text[v->reason].name,
			 drop_text[v->reason].text);
		return;
	}
	port_for_each(i)
		if (v->ports & BIT(i) && n < size)
			n += snprintf(text + n, size - n, "%soutput to %s", n ? ", " : "",
				      ports[i]->name);
}

void trace_one_actions(const struct trace_one *one, char *text, size_t size)
{
	struct flow_key key;
	struct verdict v;
	struct flow *f;

	snprintf(text, size, "none");
	if (!one->port->sw || key_of(one, &key))
		return;
	f = flow_find(&key, key_hash(0, &key));
	if (f)
		v = f->verdict;
	else
		upcall_peek(one->port, &key, &v);
	verdict_text(&v, text, size);
}

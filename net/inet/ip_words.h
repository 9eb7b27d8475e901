/* SPDX-License-Identifier: MIT */
/*
 * ip_words.h - `ip`, object by object, and what the words of each have in common. Control context.
 */
#pragma once

#include "kernel/shell.h"
#include "inet.h"

/* which family the operator asked for: ip, ip -4, ip -6 */
enum ip_family { IP_BOTH, IP_V4, IP_V6 };

struct ip_options {
	bool stats; /* -s */
	enum ip_family family;
};

/* Each runs the words from @i on, which stand behind the object's name. */
int ip_link(struct shell *sh, int i, const struct ip_options *o);
int ip_addr(struct shell *sh, int i, const struct ip_options *o);
int ip_route(struct shell *sh, int i, const struct ip_options *o);
int ip_maddr(struct shell *sh, int i, const struct ip_options *o);
int ip_neigh(struct shell *sh, int i, const struct ip_options *o);

/*
 * ip_port_head() - the first two lines of a port, as `ip link` and `ip addr` print them; of one
 * family there is but one.
 */
void ip_port_head(struct shell *sh, const struct port *p, bool with_mode, enum ip_family family);

/* ip_shown() - is an address of this family to be shown? */
static inline bool ip_shown(const struct ip_options *o, const struct inet_addr *a)
{
	return o->family == IP_BOTH || inet_is_v4(a) == (o->family == IP_V4);
}

/*
 * Each reads word @i, and says what was expected if it is not that; 0 or -EINVAL.
 * ip_read_prefix(): ADDRESS[/LENGTH], *len of 128 bits; without a length it is one station.
 * "default" with @any_ok. ip_read_dev(): the name of one port. ip_read_its_dev(): dev PORT, the
 * last words of the line. ip_read_devs(): [[dev] PORTS], the last words as well; all ports
 * without them; returns how many.
 */
int ip_read_addr(struct shell *sh, int i, struct inet_addr *a);
int ip_read_prefix(struct shell *sh, int i, const struct ip_options *o, bool any_ok,
		   struct inet_addr *a, unsigned *len);
int ip_read_dev(struct shell *sh, int i, struct port **port);
int ip_read_its_dev(struct shell *sh, int i, struct port **port);
int ip_read_devs(struct shell *sh, int i, struct port *ports[PORT_MAX]);

/* ip_prefix_str() - ADDRESS/LENGTH, or ADDRESS if it is one station and @short. */
enum { PREFIX_STR = IP_STR + 4 };
void ip_prefix_str(const struct inet_addr *a, unsigned len, bool brief, char buf[PREFIX_STR]);

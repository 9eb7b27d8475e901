/* SPDX-License-Identifier: MIT */
/* net.h - the room's entry */
#pragma once

#include <stdbool.h>

/*
 * net_init() - tables, and a port for each NIC, all down. On core 0, once the cores run and
 * the drivers have probed.
 */
void net_init(void);

/*
 * net_config_failed() - @word is part of a config line that failed: a port of that name stays down,
 * and so do all ports of a switch of that name. For config_run().
 */
void net_config_failed(const char *word);

/* net_links_up() - has every port that is up found its link? */
bool net_links_up(void);

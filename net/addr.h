/* SPDX-License-Identifier: MIT */
/* addr.h - addresses as text */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* how long an address is as text, with the NUL */
enum { MAC_STR = 18, IP_STR = 40 };

/* return the length */
int mac_str(const uint8_t mac[6], char buf[MAC_STR]);
int ip4_str(uint32_t be, char buf[IP_STR]);
int ip6_str(const uint8_t ip[16], char buf[IP_STR]);

/* return whether all of @s is such an address, and only then set it; in the order of the wire */
bool mac_read(const char *s, uint8_t mac[6]);
bool ip4_read(const char *s, uint8_t ip[4]);
bool ip6_read(const char *s, uint8_t ip[16]);

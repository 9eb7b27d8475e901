/* SPDX-License-Identifier: MIT */
/* boot.c - the command line, wherever the loader put it. Once, at boot. */
#include "boot.h"

#include "cpu.h"
#include "lib.h"

#define ZERO_PAGE_CMD_LINE_PTR 0x228 /* u32 [Linux boot protocol] */
#define START_INFO_CMDLINE     0x18  /* u64 [Xen PVH, struct hvm_start_info] */

static char cmdline[512];

void boot_init(enum door door, uint64_t information)
{
	const uint8_t *block = virtual(information);
	uint64_t at = door == DOOR_PVH ? *(const uint64_t *)(block + START_INFO_CMDLINE)
				       : *(const uint32_t *)(block + ZERO_PAGE_CMD_LINE_PTR);

	if (at)
		format(cmdline, sizeof(cmdline), "%s", (const char *)virtual(at));
}

/* one setting from @s: its length, quotes counted in */
static size_t setting_len(const char *s)
{
	char quote = 0;
	size_t n = 0;

	for (; s[n] && (quote || s[n] != ' '); n++) {
		if (s[n] == quote)
			quote = 0;
		else if (!quote && (s[n] == '\'' || s[n] == '"'))
			quote = s[n];
	}
	return n;
}

bool cmdline_get(const char *key, char *value, size_t size)
{
	size_t n, len = strlen(key);

	value[0] = 0;
	for (const char *s = cmdline; *s; s += n) {
		n = setting_len(s);
		if (n > len && !strncmp(s, key, len) && s[len] == '=') {
			size_t used = 0;

			for (size_t i = len + 1; i < n && used + 1 < size; i++)
				if (s[i] != '\'' && s[i] != '"')
					value[used++] = s[i];
			value[used] = 0;
			return true;
		}
		if (!n)
			n = 1; /* a blank */
	}
	return false;
}

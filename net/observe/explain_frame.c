/* SPDX-License-Identifier: MIT */
/*
 * explain_frame.c - the frame that `explain` is asked about, as the line gives it: hex, or a packet
 * of a pcap file. Control context.
 */
#include "explain.h"

#include "kernel/archive.h"

#include <errno.h>
#include <string.h>

static int digit(char c)
{
	const char *hex = "0123456789abcdef", *at = memchr(hex, c | 0x20, 16);

	if (c >= '0' && c <= '9')
		return c - '0';
	return at && c >= 'A' ? (int)(at - hex) : -1;
}

/*
 * hex_words() - bytes of the words from @i on, two digits each, colons between or not. The
 * length, or -EINVAL, said.
 */
static int hex_words(struct shell *sh, int i, uint8_t *frame)
{
	int n = 0;

	for (; i < sh->nwords; i++)
		for (const char *s = sh->word[i].s; *s; s += s[2] == ':' ? 3 : 2) {
			unsigned col = sh->word[i].col + (s - sh->word[i].s);

			if (digit(s[0]) < 0 || digit(s[1]) < 0)
				return shell_expected_at(sh, col, "two hexadecimal digits a byte",
							 s);
			if (n == EXPLAIN_FRAME_MAX)
				return shell_expected_at(sh, col, "a frame of at most 2048 bytes",
							 s);
			frame[n++] = digit(s[0]) << 4 | digit(s[1]);
		}
	return n;
}

/*
 * what a capture of libpcap's begins with, and what each packet in it begins with; by the
 * byte order of this machine
 */
struct pcap_file {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, sigfigs, snaplen, linktype;
};

struct pcap_packet {
	uint32_t seconds, fraction, caplen, len;
};

enum { PCAP_US = 0xa1b2c3d4, PCAP_NS = 0xa1b23c4d, PCAP_ETHERNET = 1 };

/*
 * pcap_frame() - packet number @want, from 1, of a file of the boot archive. Its
 * length, or an error, said.
 */
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
		if (head.caplen > len - at || head.caplen > EXPLAIN_FRAME_MAX)
			return shell_error(sh, i, -EINVAL, "%s is damaged at byte %lu",
					   sh->word[i].s, (unsigned long)at);
		if (++number == want)
			break;
	}
	memcpy(frame, (const uint8_t *)data + at, head.caplen);
	return head.caplen;
}

int explain_frame(struct shell *sh, uint8_t *frame)
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

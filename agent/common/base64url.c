// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* No table is indexed by a digit, for it may be of a key: each one is computed. */
#include "base64url.h"

#include <string.h>

/* All bits set if lo <= c <= hi, else none. */
static uint32_t within(uint32_t c, uint32_t lo, uint32_t hi)
{
	return 0u - (((lo - 1 - c) & (c - hi - 1)) >> 31);
}

static char digit(uint32_t v)
{
	uint32_t c = 0;

	c |= within(v, 0, 25) & (v + 'A');
	c |= within(v, 26, 51) & (v - 26 + 'a');
	c |= within(v, 52, 61) & (v - 52 + '0');
	c |= within(v, 62, 62) & '-';
	c |= within(v, 63, 63) & '_';
	return c;
}

/* 0..63, or 64 for a character that is none of the alphabet. */
static uint32_t value(uint8_t c)
{
	uint32_t v = 0, known;

	v |= within(c, 'A', 'Z') & (c - 'A');
	v |= within(c, 'a', 'z') & (c - 'a' + 26u);
	v |= within(c, '0', '9') & (c - '0' + 52u);
	v |= within(c, '-', '-') & 62;
	v |= within(c, '_', '_') & 63;
	known = within(c, 'A', 'Z') | within(c, 'a', 'z') | within(c, '0', '9') |
		within(c, '-', '-') | within(c, '_', '_');
	return (v & known) | (64 & ~known);
}

size_t base64url_encode(const uint8_t *p, size_t len, char *out, size_t room)
{
	size_t want = len / 3 * 4 + (len % 3 ? len % 3 + 1 : 0), n = 0;
	uint32_t bits = 0;
	int have = 0;

	if (room <= want) {
		if (room)
			out[0] = '\0';
		return 0;
	}
	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | p[i];
		for (have += 8; have >= 6; have -= 6)
			out[n++] = digit(bits >> (have - 6) & 63);
	}
	if (have)
		out[n++] = digit(bits << (6 - have) & 63);
	out[n] = '\0';
	return n;
}

int base64url_decode(const char *text, uint8_t *out, size_t room, size_t *len)
{
	size_t chars = strlen(text), want = chars / 4 * 3 + (chars % 4 ? chars % 4 - 1 : 0), n = 0;
	uint32_t bits = 0, wrong = 0;
	int have = 0;

	if (chars % 4 == 1)
		return -EINVAL;
	if (want > room)
		return -ENOSPC;
	for (size_t i = 0; i < chars; i++) {
		uint32_t v = value(text[i]);

		wrong |= v & 64;
		bits = bits << 6 | (v & 63);
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = bits >> have;
		}
	}
	/* bits that belong to no byte must be zero: one text for each value */
	wrong |= bits & ((1u << have) - 1);
	if (wrong) {
		explicit_bzero(out, n);
		return -EINVAL;
	}
	*len = n;
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* base64url without padding (RFC 4648, 5), in constant time for a given length: what it carries may
 * be a key. */
#ifndef CMK_BASE64URL_H
#define CMK_BASE64URL_H

#include "base.h"

/**
 * base64url_encode() - write @len bytes at @p as text.
 * @out: at least 4 * @len / 3 + 2 characters, the NUL included.
 *
 * Return: the text's length, or 0 if @room is too small.
 */
size_t base64url_encode(const uint8_t *p, size_t len, char *out, size_t room);

/**
 * base64url_decode() - read a text of base64url's digits and nothing else.
 * @len: how many bytes were written to @out.
 *
 * Return: 0, -EINVAL for any other text (nothing of it stays in @out), -ENOSPC.
 */
int base64url_decode(const char *text, uint8_t *out, size_t room, size_t *len) _must_check_;

#endif

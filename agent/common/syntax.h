/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* What a text is, for the readers of configuration and command line. Pure. */
#ifndef CMK_SYNTAX_H
#define CMK_SYNTAX_H

#include "base.h"

#define SYNTAX_HOST_MAX 253 /* RFC 1035, 2.3.4, without the last dot */

/* Not empty, and of no other characters than @chars. */
bool syntax_only(const char *s, const char *chars);

/* An absolute path in plain spelling: no empty, "." or ".." component. */
bool syntax_is_path(const char *s);

/* 8-4-4-4-12 hexadecimal digits. */
bool syntax_is_uuid(const char *s);

/* A host name of at least two labels, in lower case. */
bool syntax_is_host(const char *s);

/**
 * syntax_split_http() - is @url "http://HOST" or "http://HOST:PORT" and nothing more?
 * @host: filled, without the brackets of an IPv6 address.
 */
bool syntax_split_http(const char *url, char *host, size_t room);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Clocks and durations. Deadlines are on CLOCK_BOOTTIME in milliseconds; what people read is UTC.
 */
#ifndef CMK_TIMEUTIL_H
#define CMK_TIMEUTIL_H

#include "base.h"

/* Milliseconds since boot, including suspend. */
int64_t boottime_ms(void);

/* Unix time in seconds. */
int64_t realtime_s(void);

/**
 * utc_format() - write Unix time @t as "2026-01-31T12:00:00Z" (20 characters and NUL).
 * @buf: at least 21 bytes. Return: @buf.
 */
char *utc_format(char *buf, size_t len, int64_t t);

/**
 * duration_parse() - read "500ms", "5s", "10min", "1h" or a plain number of seconds, up to seven
 * days.
 *
 * Return: 0 and *@ms >= 0, or -EINVAL, or -ERANGE.
 */
int duration_parse(const char *text, int64_t *ms) _must_check_;

#endif

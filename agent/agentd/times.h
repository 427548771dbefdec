/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The earlier and the later of two times, or the shorter and the longer of two durations. */
#ifndef CMK_TIMES_H
#define CMK_TIMES_H

#include <stdint.h>

static inline int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static inline int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

#endif

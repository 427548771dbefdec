/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* What fuzzers share: libFuzzer's entry, a check that stays in every build, and input as a string.
 */
#ifndef CMK_FUZZ_H
#define CMK_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise that is broken is a finding. */
#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* The input as a string of its own, so that a read beyond its end is seen; to be freed. */
static inline char *fuzz_string(const uint8_t *data, size_t size)
{
	char *s = malloc(size + 1);

	CHECK(s);
	memcpy(s, data, size);
	s[size] = '\0';
	return s;
}

#endif

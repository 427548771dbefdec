/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What the agent's worker makes of an answer, in plain words: the agent's headers and the judge's
 * do not meet.
 */
#ifndef CMK_JUDGE_TOLD_H
#define CMK_JUDGE_TOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct told {
	const char *verdict, *reason; /* the key's attributes considered */
	char detail[512];
	char kty[16], version[33];
	bool enabled;
	int64_t nbf, exp;
	unsigned char n[512], e[8], output[512];
	size_t n_len, e_len, output_len;
};

/** told_begin() - start the worker @kms, which is to trust @ca; false with a message if it cannot
 * be */
bool told_begin(const char *kms, const char *ca);
void told_end(void);
/** told_get() - have the worker GET the key at @url; false if the agent takes the URL for malformed
 */
bool told_get(const char *url, struct told *told);
/** told_unwrap() - have it unwrap @len bytes; @alg as in JWA; false if the agent would not ask for
 * that */
bool told_unwrap(const char *url, const char *alg, const unsigned char *input, size_t len,
		 struct told *told);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* What the KEK must be. Each requirement is a row of one table: passed, warned or failed, with the
 * remedy. Pure. */
#ifndef CMK_KEK_H
#define CMK_KEK_H

#include "proto.h"

enum cmk_check_result {
	CMK_CHECK_PASSED,
	CMK_CHECK_WARNED, /* a recommendation is not met, or cannot be checked */
	CMK_CHECK_FAILED, /* a requirement is not met */
};

struct cmk_check {
	const char *name;
	enum cmk_check_result result;
	char found[128];
	const char *remedy; /* NULL when passed */
};

#define CMK_CHECKS_MAX 16

/**
 * cmk_kek_check() - hold a GET_KEY answer against the requirements.
 * @an: a 200 answer. @host_region, @identity_tenant: may be empty (then: warned, cannot be
 * checked).
 * @now: Unix seconds. @checks: filled. Return: their number.
 */
size_t cmk_kek_check(const struct cmk_kms_answer *an, const char *host_region,
		     const char *identity_tenant, int64_t now,
		     struct cmk_check checks[CMK_CHECKS_MAX]);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The requirements of a KEK: a fit one passes all; each way to be unfit fails or warns in its own
 * line, with a remedy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/kek.h"

#define NOW    1767225600
#define TENANT "a0000000-0000-4000-8000-000000000001"

struct input {
	struct cmk_kms_answer an;
	char region[64], tenant[64];
};

static void make_fit(struct input *in)
{
	memset(in, 0, sizeof(*in));
	in->an.attributes =
		(struct cmk_key_attributes){ .enabled = true, .op_wrap = true, .op_unwrap = true };
	snprintf(in->an.kty, sizeof(in->an.kty), "RSA-HSM");
	in->an.n_len = 512;
	snprintf(in->an.recovery_level, sizeof(in->an.recovery_level), "Recoverable");
	in->an.recoverable_days = 90;
	snprintf(in->an.region, sizeof(in->an.region), "westeurope");
	snprintf(in->an.tenant, sizeof(in->an.tenant), TENANT);
	snprintf(in->region, sizeof(in->region), "WestEurope");
	snprintf(in->tenant, sizeof(in->tenant), TENANT);
}

static size_t run(const struct input *in, struct cmk_check checks[CMK_CHECKS_MAX])
{
	return cmk_kek_check(&in->an, in->region, in->tenant, NOW, checks);
}

static void fit(void **state)
{
	struct cmk_check checks[CMK_CHECKS_MAX];
	struct input in;
	size_t n;

	(void)state;
	make_fit(&in);
	n = run(&in, checks);
	assert_int_equal(n, 12);
	for (size_t i = 0; i < n; i++) {
		if (checks[i].result != CMK_CHECK_PASSED || checks[i].remedy)
			fail_msg("%s: %s", checks[i].name, checks[i].found);
		assert_true(checks[i].found[0] != '\0');
	}
	/* dates that bound a use that is going on, and a date of this very second */
	in.an.attributes.nbf = NOW;
	in.an.attributes.exp = NOW + 1;
	n = run(&in, checks);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(checks[i].result, CMK_CHECK_PASSED);
}

static void type_ec(struct input *in)
{
	snprintf(in->an.kty, sizeof(in->an.kty), "EC");
}

static void size_1024(struct input *in)
{
	in->an.n_len = 128;
}

static void size_0(struct input *in)
{
	in->an.n_len = 0;
}

static void size_2048(struct input *in)
{
	in->an.n_len = 256;
}

static void size_3072(struct input *in)
{
	in->an.n_len = 384;
}

static void disabled(struct input *in)
{
	in->an.attributes.enabled = false;
}

static void not_yet(struct input *in)
{
	in->an.attributes.nbf = NOW + 1;
}

static void expired(struct input *in)
{
	in->an.attributes.exp = NOW;
}

static void no_wrap(struct input *in)
{
	in->an.attributes.op_wrap = false;
}

static void no_unwrap(struct input *in)
{
	in->an.attributes.op_unwrap = false;
}

static void no_soft_delete(struct input *in)
{
	snprintf(in->an.recovery_level, sizeof(in->an.recovery_level), "Purgeable");
}

static void no_level(struct input *in)
{
	in->an.recovery_level[0] = '\0';
}

static void purgeable(struct input *in)
{
	snprintf(in->an.recovery_level, sizeof(in->an.recovery_level),
		 "CustomizedRecoverable+Purgeable");
}

static void seven_days(struct input *in)
{
	in->an.recoverable_days = 7;
}

static void other_tenant(struct input *in)
{
	in->tenant[0] = 'b';
}

static void no_tenant(struct input *in)
{
	in->tenant[0] = '\0';
}

static void other_region(struct input *in)
{
	snprintf(in->region, sizeof(in->region), "northeurope");
}

static void no_region(struct input *in)
{
	in->an.region[0] = '\0';
}

static void unfit(void **state)
{
	static const struct {
		void (*spoil)(struct input *in);
		const char *name;
		enum cmk_check_result result;
	} cases[] = {
		{ type_ec, "key type", CMK_CHECK_FAILED },
		{ size_1024, "key size", CMK_CHECK_FAILED },
		{ size_0, "key size", CMK_CHECK_FAILED },
		{ size_2048, "key size", CMK_CHECK_WARNED },
		{ size_3072, "key size", CMK_CHECK_WARNED },
		{ disabled, "enabled", CMK_CHECK_FAILED },
		{ not_yet, "activation date", CMK_CHECK_FAILED },
		{ expired, "expiration date", CMK_CHECK_FAILED },
		{ no_wrap, "operation wrapKey", CMK_CHECK_FAILED },
		{ no_unwrap, "operation unwrapKey", CMK_CHECK_FAILED },
		{ no_soft_delete, "soft delete", CMK_CHECK_FAILED },
		{ no_level, "soft delete", CMK_CHECK_FAILED },
		{ no_level, "purge protection", CMK_CHECK_FAILED },
		{ purgeable, "purge protection", CMK_CHECK_FAILED },
		{ seven_days, "days to recover", CMK_CHECK_WARNED },
		{ other_tenant, "tenant", CMK_CHECK_FAILED },
		{ no_tenant, "tenant", CMK_CHECK_WARNED },
		{ other_region, "region", CMK_CHECK_FAILED },
		{ no_region, "region", CMK_CHECK_WARNED },
	};
	struct cmk_check checks[CMK_CHECKS_MAX];
	struct input in;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool found = false;
		size_t n;

		make_fit(&in);
		cases[i].spoil(&in);
		n = run(&in, checks);
		for (size_t c = 0; c < n; c++) {
			if (strcmp(checks[c].name, cases[i].name) != 0)
				continue;
			found = true;
			if (checks[c].result != cases[i].result || !checks[c].remedy)
				fail_msg("case %zu, %s: %d, %s", i, checks[c].name,
					 checks[c].result, checks[c].found);
		}
		assert_true(found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fit),
		cmocka_unit_test(unfit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

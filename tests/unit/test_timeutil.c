// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Durations and dates; and how a failure is recorded. */
#include "unit.h"

#include "common/error.h"
#include "common/timeutil.h"

static void durations(void **state)
{
	static const struct {
		const char *text;
		int r;
		int64_t ms;
	} table[] = {
		{ "0", 0, 0 },
		{ "5", 0, 5000 },
		{ "500ms", 0, 500 },
		{ "5s", 0, 5000 },
		{ "10min", 0, 600000 },
		{ "1h", 0, 3600000 },
		{ "168h", 0, 604800000 },
		{ "604800000ms", 0, 604800000 },
		{ "169h", -ERANGE, 0 },
		{ "604801", -ERANGE, 0 },
		{ "99999999999999999999999999", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "s", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 s", -EINVAL, 0 },
		{ "1.5s", -EINVAL, 0 },
		{ "1m", -EINVAL, 0 },
		{ "1d", -EINVAL, 0 },
		{ "1S", -EINVAL, 0 },
		{ "5sx", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		int64_t ms = -7;
		int r = duration_parse(table[i].text, &ms);

		if (r != table[i].r || (r == 0 && ms != table[i].ms))
			fail_msg("\"%s\": %d, %lld ms", table[i].text, r, (long long)ms);
		if (r < 0)
			assert_int_equal(ms, -7);
	}
}

static void dates(void **state)
{
	char buf[21];

	(void)state;
	assert_string_equal(utc_format(buf, sizeof(buf), 0), "1970-01-01T00:00:00Z");
	assert_string_equal(utc_format(buf, sizeof(buf), 1769860800), "2026-01-31T12:00:00Z");
	assert_string_equal(utc_format(buf, sizeof(buf), 253402300799), "9999-12-31T23:59:59Z");
	assert_string_equal(utc_format(buf, sizeof(buf), 253402300800), "-");
	assert_string_equal(utc_format(buf, sizeof(buf), INT64_MAX), "-");
}

static void first_failure_is_the_cause(void **state)
{
	struct cmk_error err = { 0 };

	(void)state;
	assert_int_equal(cmk_error_set(&err, CMK_EXIT_BUSY, -EBUSY, "close it", "%s is open", "a"),
			 -EBUSY);
	assert_int_equal(cmk_error_set(&err, CMK_EXIT_USAGE, -EINVAL, NULL, "second"), -EINVAL);
	assert_int_equal(err.exit, CMK_EXIT_BUSY);
	assert_string_equal(err.text, "a is open");
	assert_string_equal(err.remedy, "close it");
	assert_int_equal(cmk_error_set(NULL, CMK_EXIT_USAGE, -EINVAL, NULL, "nowhere"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(dates),
		cmocka_unit_test(first_failure_is_the_cause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

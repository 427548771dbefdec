// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* When a KEK is probed next, and when its loss counts: interval, confirmation, back-off, jitter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agentd/schedule.h"

#define S 1000

static const struct cmk_schedule_params params = {
	.interval_ms = 60 * S,
	.confirm_after_ms = 5 * S,
	.jitter_percent = 10,
};

/* A probe that began at @at and took 100 ms. */
static bool verdict(struct cmk_schedule *s, enum cmk_verdict v, int64_t at, uint32_t chance)
{
	return cmk_schedule_verdict(s, &params, v, -1, at, at + 100, chance);
}

static void interval_from_begin_to_begin(void **state)
{
	struct cmk_schedule s = { 0 };

	(void)state;
	verdict(&s, CMK_VALID, 1000 * S, 0);
	assert_int_equal(s.next_ms, 1060 * S);
	/* Jitter only makes it sooner: the bound stands. */
	verdict(&s, CMK_VALID, 1000 * S, UINT32_MAX);
	assert_int_equal(s.next_ms, 1054 * S);
	verdict(&s, CMK_MISCONFIGURED, 1000 * S, 0);
	assert_int_equal(s.next_ms, 1060 * S);
}

static void loss_is_confirmed_by_a_second_one(void **state)
{
	static const enum cmk_verdict losses[] = { CMK_REVOKED, CMK_DENIED };

	(void)state;
	for (size_t first = 0; first < ARRAY_SIZE(losses); first++) {
		for (size_t second = 0; second < ARRAY_SIZE(losses); second++) {
			struct cmk_schedule s = { 0 };

			assert_false(verdict(&s, losses[first], 1000 * S, 0));
			assert_int_equal(s.next_ms, 1005 * S + 100);
			assert_true(verdict(&s, losses[second], s.next_ms, 0));
			/* From then on at the ordinary pace: back within one probe. */
			assert_int_equal(s.next_ms, 1065 * S + 100);
			assert_true(verdict(&s, losses[second], s.next_ms, 0));
		}
	}
}

static void probe_asked_for_too_early_confirms_nothing(void **state)
{
	struct cmk_schedule s = { 0 };

	(void)state;
	assert_false(verdict(&s, CMK_REVOKED, 1000 * S, 0));
	assert_false(verdict(&s, CMK_REVOKED, 1001 * S, 0));
	assert_int_equal(s.next_ms, 1005 * S + 100);
	assert_true(verdict(&s, CMK_REVOKED, s.next_ms, 0));
}

static void valid_takes_the_suspicion_back(void **state)
{
	struct cmk_schedule s = { 0 };

	(void)state;
	for (int n = 0; n < 100; n++) {
		assert_false(verdict(&s, CMK_REVOKED, (1000 + 20 * n) * S, 0));
		assert_false(verdict(&s, CMK_VALID, (1010 + 20 * n) * S, 0));
	}
}

static void outage_between_two_losses_does_not(void **state)
{
	struct cmk_schedule s = { 0 };

	(void)state;
	assert_false(verdict(&s, CMK_REVOKED, 1000 * S, 0));
	assert_false(verdict(&s, CMK_UNKNOWN, 1006 * S, 0));
	assert_true(verdict(&s, CMK_REVOKED, 1008 * S, 0));
}

static void outage_backs_off_up_to_the_interval(void **state)
{
	static const int64_t waits[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60 };
	struct cmk_schedule s = { 0 };
	int64_t at = 1000 * S, wait;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		assert_false(verdict(&s, CMK_UNKNOWN, at, 0));
		wait = waits[i] * S + 100 < 60 * S ? waits[i] * S + 100 : 60 * S;
		assert_int_equal(s.next_ms, at + wait);
		at = s.next_ms;
	}
	verdict(&s, CMK_VALID, at, 0);
	verdict(&s, CMK_UNKNOWN, at, 0);
	assert_int_equal(s.next_ms, at + S + 100);
}

static void retry_after_is_heard_but_not_past_the_interval(void **state)
{
	struct cmk_schedule s = { 0 };

	(void)state;
	cmk_schedule_verdict(&s, &params, CMK_UNKNOWN, 20, 1000 * S, 1000 * S + 100, 0);
	assert_int_equal(s.next_ms, 1020 * S + 100);
	cmk_schedule_verdict(&s, &params, CMK_UNKNOWN, 3600, 2000 * S, 2000 * S + 100, 0);
	assert_int_equal(s.next_ms, 2060 * S);
}

static void request_that_hung_is_not_repeated_at_once(void **state)
{
	struct cmk_schedule s = { 0 };

	(void)state;
	cmk_schedule_verdict(&s, &params, CMK_UNKNOWN, -1, 1000 * S, 1090 * S, 0);
	assert_in_range(s.next_ms, 1090 * S + 500, 1091 * S);
	cmk_schedule_verdict(&s, &params, CMK_VALID, -1, 1000 * S, 1090 * S, 0);
	assert_int_equal(s.next_ms, 1090 * S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interval_from_begin_to_begin),
		cmocka_unit_test(loss_is_confirmed_by_a_second_one),
		cmocka_unit_test(probe_asked_for_too_early_confirms_nothing),
		cmocka_unit_test(valid_takes_the_suspicion_back),
		cmocka_unit_test(outage_between_two_losses_does_not),
		cmocka_unit_test(outage_backs_off_up_to_the_interval),
		cmocka_unit_test(retry_after_is_heard_but_not_past_the_interval),
		cmocka_unit_test(request_that_hung_is_not_repeated_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

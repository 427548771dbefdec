// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* When a KEK is probed next: interval, confirmation, back-off and jitter. */
#include "schedule.h"

#include "times.h"

#define BACKOFF_FIRST_MS 1000

/* @ms, shortened by up to @percent. */
static int64_t jitter(int64_t ms, unsigned int percent, uint32_t chance)
{
	return ms - (int64_t)((double)ms * percent / 100.0 * chance / UINT32_MAX);
}

static int64_t backoff(unsigned int failures, int64_t most_ms)
{
	int64_t ms = BACKOFF_FIRST_MS;

	while (--failures && ms < most_ms)
		ms *= 2;
	return sooner(ms, most_ms);
}

static bool lost(struct cmk_schedule *s, const struct cmk_schedule_params *params,
		 int64_t started_ms, int64_t now_ms)
{
	if (s->lost_ms && started_ms >= s->lost_ms + params->confirm_after_ms)
		return true;
	if (!s->lost_ms)
		s->lost_ms = now_ms;
	s->next_ms = s->lost_ms + params->confirm_after_ms;
	return false;
}

bool cmk_schedule_verdict(struct cmk_schedule *s, const struct cmk_schedule_params *params,
			  enum cmk_verdict verdict, int retry_after_s, int64_t started_ms,
			  int64_t now_ms, uint32_t chance)
{
	int64_t wait;

	s->next_ms = later(started_ms + jitter(params->interval_ms, params->jitter_percent, chance),
			   now_ms);
	switch (verdict) {
	case CMK_REVOKED:
	case CMK_DENIED:
		s->failures = 0;
		return lost(s, params, started_ms, now_ms);
	case CMK_UNKNOWN:
		wait = later(backoff(++s->failures, params->interval_ms),
			     (int64_t)retry_after_s * 1000);
		s->next_ms = sooner(s->next_ms, now_ms + jitter(wait, 50, chance));
		/* A request that hung for longer than the interval is not repeated at once. */
		s->next_ms = later(s->next_ms, now_ms + sooner(wait, BACKOFF_FIRST_MS) / 2);
		return false;
	default:
		s->lost_ms = 0;
		s->failures = 0;
		return false;
	}
}

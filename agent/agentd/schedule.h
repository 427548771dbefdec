/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * When a KEK is probed next, and when a loss of access counts as confirmed. Pure: time and chance
 * are arguments.
 */
#ifndef CMK_SCHEDULE_H
#define CMK_SCHEDULE_H

#include "common/verdict.h"

struct cmk_schedule_params {
	int64_t interval_ms;
	int64_t confirm_after_ms;
	unsigned int jitter_percent;
};

struct cmk_schedule {
	int64_t next_ms;       /* boottime of the next probe */
	int64_t lost_ms;       /* when the loss of access was first told; 0: not told */
	unsigned int failures; /* verdicts "unknown" in a row */
};

/**
 * cmk_schedule_verdict() - take a verdict, set the time of the next probe.
 * @started_ms: boottime at which the probe began. @now_ms: boottime now, at its end.
 * @retry_after_s: what the service asked for, or -1.
 * @chance: 0..UINT32_MAX, evenly distributed: the jitter. It only ever makes a wait shorter, so
 *that "within one probe interval" holds.
 *
 * A loss (revoked, denied) is confirmed by a second one that began at least confirm_after later
 *with no valid verdict in between. An outage (unknown) backs off exponentially from one second,
 *never past the probe interval.
 *
 * Return: true if the verdict is a confirmed loss.
 */
bool cmk_schedule_verdict(struct cmk_schedule *s, const struct cmk_schedule_params *params,
			  enum cmk_verdict verdict, int retry_after_s, int64_t started_ms,
			  int64_t now_ms, uint32_t chance);

#endif

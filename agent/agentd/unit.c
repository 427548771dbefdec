// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Stops and starts systemd units, as systemctl does. */
#include <stdio.h>
#include <string.h>

#include "common/timeutil.h"
#include "steps.h"

#define KILL_MS 2000

static int fail(struct cmk_error *err, int r, const char *verb, const char *unit, const char *said)
{
	char remedy[384];

	snprintf(remedy, sizeof(remedy), "see `systemctl status %s`", unit);
	return cmk_error_set(err, CMK_EXIT_DEVICE, r, remedy, "cannot %s %s: %s", verb, unit,
			     r == -ETIMEDOUT ? "not done in time"
			     : said[0]	     ? said
					     : strerror(-r));
}

int unit_stop(const char *unit, int64_t deadline_ms, struct cmk_error *err)
{
	const char *const stop[] = { "systemctl", "stop", "--", unit, NULL };
	const char *const end[] = { "systemctl", "kill", "--signal=SIGKILL", "--", unit, NULL };
	char said[400], ignored[400];
	int r = program_run(stop, deadline_ms, said, sizeof(said));

	if (r == 0)
		return 0;
	if (r != -ETIMEDOUT)
		return fail(err, r, "stop", unit, said);
	/* Its data is safe as after a crash; the disk pulled from under it would be no better. */
	if (program_run(end, boottime_ms() + KILL_MS, ignored, sizeof(ignored)) < 0 ||
	    program_run(stop, boottime_ms() + KILL_MS, ignored, sizeof(ignored)) < 0)
		return fail(err, r, "stop or kill", unit, said);
	return cmk_error_set(err, CMK_EXIT_DEVICE, r, "give it a larger `lock_budget` in cmk.conf",
			     "%s did not stop in time and was killed", unit);
}

int unit_start(const char *unit, int64_t deadline_ms, struct cmk_error *err)
{
	const char *const reset[] = { "systemctl", "reset-failed", "--", unit, NULL };
	const char *const go[] = { "systemctl", "start", "--", unit, NULL };
	char said[400];
	int r;

	/* A unit that failed again and again while its disk was away is not held to its start limit
	 * now. */
	if (program_run(reset, deadline_ms, said, sizeof(said)) == -ETIMEDOUT)
		return fail(err, -ETIMEDOUT, "start", unit, said);
	r = program_run(go, deadline_ms, said, sizeof(said));
	return r < 0 ? fail(err, r, "start", unit, said) : 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The lock job: units down in order, filesystem unmounted, the kernel's revoke, cached plaintext
 * dropped. A step that fails is told at the end and stops none of those that follow: the key goes
 * in any case.
 */
#include <string.h>

#include "agent.h"
#include "steps.h"

/* Shares of the time, in percent, by which a step must be done; the rest is for shutdown and
 * revoke. */
#define UNITS_SHARE   60
#define UNMOUNT_SHARE 85
#define UNIT_LEAST_MS 200

static int stop_units(struct job_channel *ch, const struct cmk_volume_config *c, int64_t until_ms,
		      struct cmk_error *err)
{
	int64_t until;
	int r = 0, one;

	for (size_t i = 0; i < c->n_units; i++) {
		job_tell(ch, STEP_TEXT, "stopping %s", c->units[i]);
		until = boottime_ms() + UNIT_LEAST_MS;
		one = unit_stop(c->units[i], until > until_ms ? until : until_ms, err);
		r = r ? r : one;
	}
	return r;
}

int lock_run(struct job_channel *ch, const void *work, struct cmk_error *err)
{
	const struct lock_work *w = work;
	const struct volume *v = w->v;
	struct cmk_volume_config room;
	const struct cmk_volume_config *c = volume_config(v, &room);
	int64_t begin = boottime_ms(), span = w->until_ms - begin;
	struct cmk_error ignored = { 0 };
	struct mounts m = { .n = 0 };
	int r, unmounted = 0;

	if (!w->release && marker_set(v->agent->cfg, v->dev.name, MARKER_DOWN) < 0)
		job_tell(ch, STEP_TEXT, "cannot note that its services are owed; is /run full?");
	/* When it is to be closed, what counts is who holds the filesystem in the end. */
	r = stop_units(ch, c, begin + span * UNITS_SHARE / 100, w->release ? &ignored : err);
	if (mount_list(&v->dev, &m) < 0 || m.n) {
		job_tell(ch, STEP_TEXT, "unmounting %s", m.n ? m.points[0] : "");
		unmounted = mount_down(&v->dev, begin + span * UNMOUNT_SHARE / 100, !w->release,
				       w->revoke, err);
		r = r ? r : unmounted;
	}
	if (w->release)
		return unmounted;
	if (w->revoke) {
		int revoked = cmk_dm_revoke(v->dev.name, v->policy.lock_reason, err);

		r = r ? r : revoked;
	}
	mount_evict(&v->dev, unmounted < 0);
	return r;
}

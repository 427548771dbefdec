// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The unlock job: what a lost key left behind goes, the DEK is unwrapped and loaded into the
 * mapping, the filesystem is mounted, the units start. Each step may be repeated: what is done
 * already is left alone.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "agent.h"
#include "common/volume.h"
#include "steps.h"

#define STALE_MS      30000
#define UNIT_START_MS 300000

/* A filesystem from before the key was lost is dead, and a mount would bring it back as it is. */
static int clear_stale(struct job_channel *ch, const struct volume *v,
		       const struct cmk_volume_config *c, struct cmk_error *err)
{
	struct cmk_error ignored = { 0 };
	struct mounts m;
	int r = mount_list(&v->dev, &m);

	if (r < 0 || !m.n)
		return r;
	for (size_t i = 0; i < c->n_units; i++) {
		job_tell(ch, STEP_TEXT, "stopping %s", c->units[i]);
		if (unit_stop(c->units[i], boottime_ms() + STALE_MS, &ignored) < 0)
			job_tell(ch, STEP_TEXT, "%s", ignored.text);
	}
	job_tell(ch, STEP_TEXT, "unmounting the dead filesystem at %s", m.points[0]);
	if (mount_down(&v->dev, boottime_ms() + 1000, true, false, &ignored) < 0)
		job_tell(ch, STEP_TEXT, "%s", ignored.text);
	r = mount_list(&v->dev, &m);
	if (r == 0 && m.n)
		return cmk_error_set(err, CMK_EXIT_BUSY, -EBUSY, "unmount it by hand",
				     "%s: a dead filesystem cannot be unmounted from %s",
				     v->dev.name, m.points[0]);
	return r;
}

static int load_key(const struct volume *v, const struct cmk_volume_config *c,
		    struct cmk_error *err)
{
	_cleanup_worker_ struct cmk_worker *worker = NULL;
	struct cmk_judgement j = { 0 };
	int r;

	/* A fork does not inherit locked memory, and the DEK passes through this process. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		return cmk_error_set(err, CMK_EXIT_MEMORY, -errno,
				     "raise LimitMEMLOCK of cmk-agent.service",
				     "%s: cannot lock memory for the key: %m", v->dev.name);
	r = cmk_worker_spawn(v->agent->cfg, &worker, err);
	if (r < 0)
		return r;
	return cmk_volume_activate(v->agent->cfg, worker, v->dev.name, v->dev.lower, c, &j, err);
}

static int start_units(struct job_channel *ch, const struct cmk_volume_config *c, int64_t until_ms,
		       struct cmk_error *err)
{
	int64_t until;
	int r = 0, one;

	for (size_t i = c->n_units; i-- > 0;) {
		job_tell(ch, STEP_TEXT, "starting %s", c->units[i]);
		until = boottime_ms() + UNIT_START_MS;
		one = unit_start(c->units[i], until < until_ms ? until : until_ms, err);
		r = r ? r : one;
	}
	return r;
}

int unlock_run(struct job_channel *ch, const void *work, struct cmk_error *err)
{
	const struct lock_work *w = work;
	const struct volume *v = w->v;
	const struct cmk_config *cfg = v->agent->cfg;
	struct cmk_volume_config room;
	const struct cmk_volume_config *c = volume_config(v, &room);
	int r = 0;

	if (!w->services_only) {
		r = clear_stale(ch, v, c, err);
		if (r == 0)
			r = load_key(v, c, err);
		if (r < 0)
			return r;
		job_tell(ch, STEP_KEY_LOADED, "%s", "");
	}
	if (c->mount[0])
		job_tell(ch, STEP_TEXT, "mounting %s", c->mount);
	r = mount_up(&v->dev, c, w->until_ms, err);
	if (r == 0)
		r = start_units(ch, c, w->until_ms, err);
	if (r == 0)
		marker_clear(cfg, v->dev.name, MARKER_DOWN);
	return r;
}

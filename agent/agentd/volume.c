// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* A watched volume: brings the kernel's words to the policy, carries out what the policy wants. */
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "agent.h"

#define RETRY_MS     5000
#define JOB_SLACK_MS 30000  /* beyond the budget, for what is left to clean up after the revoke */
#define UNLOCK_MS    600000 /* a database may recover for minutes; the key is loaded long before */

struct volume *volume_find(struct agent *a, const char *name)
{
	struct volume *v = a->volumes;

	while (v && (v->gone || strcmp(v->dev.name, name) != 0))
		v = v->next;
	return v;
}

const struct cmk_volume_config *volume_config(const struct volume *v,
					      struct cmk_volume_config *room)
{
	const struct cmk_volume_config *c = cmk_config_volume(v->agent->cfg, v->dev.name);

	if (c)
		return c;
	*room = (struct cmk_volume_config){ .lease_ms = v->agent->cfg->lease_ms };
	snprintf(room->name, sizeof(room->name), "%s", v->dev.name);
	snprintf(room->device, sizeof(room->device), "%s", v->dev.lower);
	return room;
}

void volume_configure(struct volume *v)
{
	const struct cmk_config *cfg = v->agent->cfg;
	struct cmk_volume_config room;
	const struct cmk_volume_config *c = volume_config(v, &room);
	struct cmk_policy_params params = {
		.lease_ms = c->lease_ms,
		.lock_budget_ms =
			cmk_policy_budget(cfg->lock_budget_ms, c->lease_ms, cfg->probe_interval_ms),
		.confirm_ms = cfg->confirm_after_ms,
		.retry_ms = RETRY_MS,
		.retry_max_ms =
			cfg->probe_interval_ms > RETRY_MS ? cfg->probe_interval_ms : RETRY_MS,
		.immediate = c->on_lock == CMK_LOCK_IMMEDIATE,
	};

	if (v->policy.params.lease_ms)
		v->policy.params = params;
	else
		cmk_policy_init(&v->policy, &params, boottime_ms());
}

struct volume *volume_adopt(struct agent *a, const struct cmk_dm_device *dev)
{
	struct volume *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->agent = a;
	v->dev = *dev;
	v->next = a->volumes;
	v->seen = true;
	a->volumes = v;
	volume_configure(v);
	volume_refresh(v);
	return v;
}

static int on_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	volume_event(arg, &(struct cmk_event){ .type = CMK_EVENT_TIMER });
	return 0;
}

/* Return: 0, or -errno of sd-event. */
static int arm(struct volume *v)
{
	uint64_t usec = v->policy.timer_ms < 0 ? 0 : (uint64_t)v->policy.timer_ms * 1000;

	if (v->gone || v->policy.timer_ms == INT64_MAX)
		return v->timer ? sd_event_source_set_enabled(v->timer, SD_EVENT_OFF) : 0;
	if (!v->timer)
		return sd_event_add_time(v->agent->event, &v->timer, CLOCK_BOOTTIME, usec, 1000,
					 on_timer, v);
	sd_event_source_set_time(v->timer, usec);
	return sd_event_source_set_enabled(v->timer, SD_EVENT_ONESHOT);
}

static void job_ended(struct volume *v, const struct job_result *res)
{
	v->job = NULL;
	v->progress[0] = '\0';
	v->job_error = res->err;
}

static void on_locked(void *arg, const struct job_result *res)
{
	struct volume *v = arg;

	job_ended(v, res);
	volume_refresh(v);
	volume_event(v, &(struct cmk_event){
				.type = CMK_EVENT_LOCKED,
				.error = res->err.text[0] ? res->err.text : NULL,
			});
	/* The kernel must agree with what the policy believes now. */
	volume_refresh(v);
}

static void on_unlocked(void *arg, const struct job_result *res)
{
	struct volume *v = arg;

	job_ended(v, res);
	volume_refresh(v);
	volume_event(v, &(struct cmk_event){
				.type = CMK_EVENT_UNLOCKED,
				.ok = res->r == 0,
				.error = res->r < 0 ? res->err.text : NULL,
			});
}

static void on_released(void *arg, const struct job_result *res)
{
	struct volume *v = arg;

	job_ended(v, res);
	v->releasing = false;
	snprintf(v->policy.error, sizeof(v->policy.error), "%s", res->err.text);
	v->forgotten = res->r == 0;
	server_volume_changed(v);
}

static void on_progress(void *arg, unsigned int step, const char *text)
{
	struct volume *v = arg;

	snprintf(v->progress, sizeof(v->progress), "%s", text);
	if (text[0])
		report(LOG_INFO, "%s: %s", v->dev.name, text);
	if (step == STEP_KEY_LOADED)
		volume_refresh(v);
}

static int start_job(struct volume *v, job_fn run, job_done_fn done, const struct lock_work *work,
		     int64_t limit_ms)
{
	struct job_spec spec = {
		.name = v->dev.name,
		.run = run,
		.progress = on_progress,
		.done = done,
		.arg = v,
		.work = work,
		.work_len = sizeof(*work),
		.limit_ms = limit_ms,
		.urgent = run == lock_run,
	};

	job_cancel(v->job);
	v->job = NULL;
	v->releasing = false;
	return job_start(&v->agent->jobs, &spec, &v->job);
}

static void start_lock(struct volume *v)
{
	int64_t now = boottime_ms(), budget = v->policy.params.lock_budget_ms;
	struct lock_work w = { .v = v,
			       .until_ms = now + budget,
			       .revoke = v->policy.state == CMK_VOLUME_LOCKING };
	int r;

	if (w.revoke && v->policy.timer_ms < w.until_ms)
		w.until_ms = v->policy.timer_ms;
	r = start_job(v, lock_run, on_locked, &w, budget + JOB_SLACK_MS);
	if (r < 0) /* no process to be had: the key goes all the same */
		volume_event(
			v, &(struct cmk_event){ .type = CMK_EVENT_LOCKED, .error = strerror(-r) });
}

static void start_unlock(struct volume *v, bool services_only)
{
	struct lock_work w = { .v = v,
			       .until_ms = boottime_ms() + UNLOCK_MS,
			       .services_only = services_only };
	int r = start_job(v, unlock_run, on_unlocked, &w, UNLOCK_MS);

	if (r < 0)
		volume_event(v, &(struct cmk_event){
					.type = CMK_EVENT_UNLOCKED,
					.available = services_only,
					.error = strerror(-r),
				});
}

int volume_release(struct volume *v, struct cmk_error *err)
{
	struct lock_work w = {
		.v = v,
		.release = true,
		.until_ms = boottime_ms() + v->agent->cfg->lock_budget_ms,
	};
	int r;

	if (v->policy.job == CMK_JOB_LOCK)
		return cmk_error_set(err, CMK_EXIT_BUSY, -EBUSY,
				     "try again when it is Inaccessible", "%s: is being locked",
				     v->dev.name);
	r = start_job(v, lock_run, on_released, &w, v->agent->cfg->lock_budget_ms + JOB_SLACK_MS);
	if (r < 0)
		return cmk_error_set(err, CMK_EXIT_MEMORY, r, NULL, "%s: cannot start a job: %s",
				     v->dev.name, strerror(-r));
	v->policy.job = CMK_JOB_NONE;
	v->policy.start_at_ms = INT64_MAX; /* nothing comes up meanwhile */
	v->releasing = true;
	return 0;
}

static void renew(struct volume *v)
{
	struct cmk_error err = { 0 };

	if (cmk_dm_renew(v->dev.name, v->policy.renew_ms, &err) < 0) {
		report_error(&err);
		volume_refresh(v);
	}
}

static void revoke_now(struct volume *v)
{
	struct cmk_error err = { 0 };
	int r = cmk_dm_revoke(v->dev.name, v->policy.lock_reason, &err);

	if (r < 0 && r != -ENODEV && r != -ENXIO)
		report_error(&err);
}

static void probe(struct volume *v)
{
	if (v->group)
		group_probe_now(v->group, false);
	else
		header_read(v);
}

void volume_event(struct volume *v, const struct cmk_event *ev)
{
	unsigned int todo;

	if (v->gone || v->forgotten)
		return;
	todo = cmk_policy_event(&v->policy, ev, boottime_ms());
	if (todo &
	    CMK_DO_LOCK) { /* before the revoke: an unlock job must not load the key after it */
		job_cancel(v->job);
		v->job = NULL;
	}
	if (todo & CMK_DO_RENEW)
		renew(v);
	if (todo & CMK_DO_REVOKE)
		revoke_now(v);
	if (todo & CMK_DO_REPORT)
		report_volume(v);
	if (todo & CMK_DO_LOCK)
		start_lock(v);
	if (todo & (CMK_DO_UNLOCK | CMK_DO_START))
		start_unlock(v, todo & CMK_DO_START);
	if (todo & CMK_DO_PROBE)
		probe(v);
	if (arm(v) < 0)
		report(LOG_CRIT, "%s: out of memory for its timer; the kernel's lease stands",
		       v->dev.name);
	if (todo)
		server_volume_changed(v);
}

void volume_refresh(struct volume *v)
{
	struct cmk_dm_status st;
	struct cmk_error err = { 0 };
	int r;

	if (v->gone)
		return;
	r = cmk_dm_status(v->dev.name, &st, &err);
	if (r == -ENODEV || r == -ENXIO) {
		volume_gone(v);
		return;
	}
	if (r < 0) {
		report_error(&err);
		return;
	}
	v->generation = st.generation;
	volume_event(v, &(struct cmk_event){
				.type = CMK_EVENT_KERNEL,
				.available = st.available,
				.reason = st.reason,
				.lease_left_ms = st.lease_left_ms,
				.sticky = !st.available && marker_test(v->agent->cfg, v->dev.name,
								       MARKER_OPERATOR_LOCK),
			});
	/* Whoever opened it has lifted the lock. */
	if (st.available && !v->policy.operator_locked)
		marker_clear(v->agent->cfg, v->dev.name, MARKER_OPERATOR_LOCK);
}

void volume_gone(struct volume *v)
{
	if (v->gone)
		return;
	v->forgotten = false;
	volume_event(v, &(struct cmk_event){ .type = CMK_EVENT_GONE });
	for (enum marker m = 0; m < MARKERS; m++)
		marker_clear(v->agent->cfg, v->dev.name, m);
	v->gone = true;
	server_volume_changed(v);
	agent_sweep_soon(v->agent);
}

void volume_free(struct volume *v)
{
	job_cancel(v->job);
	job_cancel(v->header);
	group_leave(v);
	sd_event_source_disable_unref(v->timer);
	free(v);
}

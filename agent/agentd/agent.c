// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The agent as a whole: finds volumes, takes a new configuration, sweeps what is gone. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include <systemd/sd-daemon.h>

#include "agent.h"

#define STOP_SLACK_MS 60000
#define SCAN_MS	      30000
#define SCAN_SOON_MS  50

static int on_scan(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	agent_scan(arg, false);
	return 0;
}

static void scan_in(struct agent *a, int64_t ms)
{
	sd_event_source_set_time_relative(a->scan, (uint64_t)ms * 1000);
	sd_event_source_set_enabled(a->scan, SD_EVENT_ONESHOT);
}

void agent_scan_soon(struct agent *a)
{
	scan_in(a, SCAN_SOON_MS);
}

static void found(struct agent *a, const struct cmk_dm_device *dev, bool at_start)
{
	struct volume *v = volume_find(a, dev->name);

	/* The same name, but another mapping: it was removed and made again. */
	if (v && (v->dev.minor != dev->minor || strcmp(v->dev.uuid, dev->uuid) != 0)) {
		volume_gone(v);
		v = NULL;
	}
	if (!v) {
		v = volume_adopt(a, dev);
		if (!v) {
			report(LOG_CRIT, "%s: no memory to watch it; the kernel's lease stands",
			       dev->name);
			return;
		}
		/* The agent before this one took its services down and did not come to bring them
		 * up. */
		if (at_start && marker_test(a->cfg, dev->name, MARKER_DOWN))
			volume_event(v, &(struct cmk_event){ .type = CMK_EVENT_START });
		return;
	}
	v->seen = true;
	if (v->forgotten)
		return;
	volume_refresh(v);
	if (!v->group)
		header_read(v);
}

void agent_scan(struct agent *a, bool at_start)
{
	struct cmk_dm_device *devs = NULL;
	struct cmk_error err = { 0 };
	struct volume *v;
	int n;

	scan_in(a, SCAN_MS);
	n = cmk_dm_list(&devs, &err);
	if (n < 0) {
		report_error(&err);
		return;
	}
	for (v = a->volumes; v; v = v->next)
		v->seen = false;
	for (int i = 0; i < n; i++)
		found(a, &devs[i], at_start);
	free(devs);
	for (v = a->volumes; v; v = v->next) {
		if (!v->seen)
			volume_gone(v);
	}
	agent_sweep_soon(a);
}

static void sweep_volumes(struct agent *a)
{
	struct volume **p = &a->volumes, *v;

	while ((v = *p)) {
		if (!v->gone) {
			p = &v->next;
			continue;
		}
		*p = v->next;
		volume_free(v);
	}
}

static bool is_used(const struct group *g)
{
	const struct volume *v = g->agent->volumes;

	while (v && v->group != g)
		v = v->next;
	return v != NULL;
}

static bool is_locking(const struct agent *a)
{
	const struct volume *v = a->volumes;

	while (v && v->policy.job != CMK_JOB_LOCK)
		v = v->next;
	return v != NULL;
}

static int on_sweep(sd_event_source *s, void *arg)
{
	struct agent *a = arg;
	struct group **p = &a->groups, *g;

	(void)s;
	sweep_volumes(a);
	while ((g = *p)) {
		if (is_used(g)) {
			p = &g->next;
			continue;
		}
		*p = g->next;
		group_free(g);
	}
	report_status(a);
	if (a->stopping && !is_locking(a))
		return sd_event_exit(a->event, 0);
	return 0;
}

void agent_sweep_soon(struct agent *a)
{
	sd_event_source_set_enabled(a->sweep, SD_EVENT_ONESHOT);
}

int agent_init(struct agent *a, struct cmk_error *err)
{
	int r = cmk_config_load(a->config_path, &a->cfg, err);

	if (r < 0)
		return r;
	r = cmk_dm_check_target(err);
	if (r < 0)
		return r;
	a->jobs.event = a->event;
	a->since_s = realtime_s();
	r = sd_event_add_time_relative(a->event, &a->scan, CLOCK_BOOTTIME, 0, 0, on_scan, a);
	if (r >= 0)
		r = sd_event_add_defer(a->event, &a->sweep, on_sweep, a);
	if (r >= 0) /* after all that the events at hand bring about */
		r = sd_event_source_set_priority(a->sweep, SD_EVENT_PRIORITY_IDLE);
	if (r >= 0)
		r = uevent_init(a);
	if (r < 0)
		return cmk_error_set(err, CMK_EXIT_DEVICE, r, NULL,
				     "cannot watch the kernel's events: %s", strerror(-r));
	r = server_init(a, err);
	if (r < 0)
		return r;
	agent_scan(a, true);
	return 0;
}

/* The worker has the [kms] section from its start: has any of it changed? */
static bool kms_differs(const struct cmk_config *a, const struct cmk_config *b)
{
	size_t from = offsetof(struct cmk_config, kms_path),
	       to = offsetof(struct cmk_config, volumes);

	return memcmp((const char *)a + from, (const char *)b + from, to - from) != 0;
}

int agent_reload(struct agent *a, struct cmk_error *err)
{
	struct cmk_config *old = a->cfg, *cfg;
	struct volume *v;
	int r = cmk_config_load(a->config_path, &cfg, err);

	if (r < 0)
		return r;
	if (strcmp(cfg->socket, old->socket) != 0) {
		report(LOG_WARNING, "%s: a new `socket` takes a restart; %s stays", a->config_path,
		       old->socket);
		memcpy(cfg->socket, old->socket, sizeof(cfg->socket));
	}
	a->cfg = cfg;
	if (kms_differs(cfg, old)) {
		kms_end(a, "cmk-kms has an old configuration");
		a->kms.not_before_ms = 0;
	}
	for (v = a->volumes; v; v = v->next) {
		job_cancel(v->header); /* it reads by the old configuration */
		v->header = NULL;
		volume_configure(v);
		header_read(v);
	}
	cmk_config_free(old);
	agent_scan_soon(a);
	return 0;
}

void agent_stop(struct agent *a)
{
	a->stopping = true;
	if (is_locking(a)) {
		report(LOG_INFO, "stopping when the locks under way are done");
		sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" PRId64,
			   (a->cfg->lock_budget_ms + STOP_SLACK_MS) * 1000);
	}
	agent_sweep_soon(a);
}

void agent_free(struct agent *a)
{
	struct volume *v;

	server_free(a);
	for (v = a->volumes; v; v = v->next)
		v->gone = true;
	sweep_volumes(a);
	while (a->groups) {
		struct group *g = a->groups;

		a->groups = g->next;
		group_free(g);
	}
	sd_event_source_disable_unref(a->kms.io);
	cmk_worker_free(a->kms.worker);
	sd_event_source_disable_unref(a->scan);
	sd_event_source_disable_unref(a->sweep);
	sd_event_source_disable_unref(a->uevents);
	cmk_config_free(a->cfg);
}

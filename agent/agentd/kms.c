// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The agent's cmk-kms: started when it is needed, replaced when it dies, hangs or breaks the
 * protocol. */
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "agent.h"

#define BACKOFF_FIRST_MS 500
#define BACKOFF_MOST_MS	 30000

static struct group *find_request(struct agent *a, uint32_t id)
{
	struct group *g = a->groups;

	while (g && g->probe.id != id)
		g = g->next;
	return g;
}

void kms_end(struct agent *a, const char *why)
{
	struct group *g;

	if (!a->kms.worker)
		return;
	report(LOG_WARNING, "%s: replaced", why);
	a->kms.io = sd_event_source_disable_unref(a->kms.io);
	cmk_worker_free(a->kms.worker);
	a->kms.worker = NULL;
	a->kms.backoff_ms = a->kms.backoff_ms ? a->kms.backoff_ms * 2 : BACKOFF_FIRST_MS;
	if (a->kms.backoff_ms > BACKOFF_MOST_MS)
		a->kms.backoff_ms = BACKOFF_MOST_MS;
	a->kms.not_before_ms = boottime_ms() + a->kms.backoff_ms;
	for (g = a->groups; g; g = g->next) {
		if (g->probe.step != PROBE_IDLE) {
			g->probe.id = 0;
			probe_fail(g, CMK_WORKER_FAILED, why);
		}
	}
}

static int on_answer(sd_event_source *s, int fd, uint32_t revents, void *arg)
{
	static struct cmk_kms_answer an;
	struct agent *a = arg;
	struct group *g;
	int r = 0;

	(void)s;
	(void)fd;
	(void)revents;
	while (a->kms.worker) {
		an = (struct cmk_kms_answer){ 0 };
		r = cmk_worker_receive(a->kms.worker, &an);
		if (r <= 0)
			break;
		a->kms.backoff_ms = 0;
		g = find_request(a, an.id);
		if (g)
			probe_answer(g, &an);
		secret_wipe(&an.output);
	}
	if (r < 0)
		kms_end(a, r == -EPIPE ? "cmk-kms ended" : "cmk-kms broke the protocol");
	return 0;
}

static int spawn(struct agent *a, struct cmk_error *err)
{
	int r;

	if (boottime_ms() < a->kms.not_before_ms)
		return cmk_error_set(err, CMK_EXIT_DEVICE, -EBUSY, NULL,
				     "cmk-kms ended and is started again after a pause");
	r = cmk_worker_spawn(a->cfg, &a->kms.worker, err);
	if (r < 0) {
		a->kms.worker = NULL;
		a->kms.not_before_ms = boottime_ms() + BACKOFF_FIRST_MS;
		return r;
	}
	r = sd_event_add_io(a->event, &a->kms.io, cmk_worker_fd(a->kms.worker), EPOLLIN, on_answer,
			    a);
	if (r < 0) {
		cmk_worker_free(a->kms.worker);
		a->kms.worker = NULL;
		return cmk_error_set(err, CMK_EXIT_MEMORY, r, NULL, "cannot watch cmk-kms: %s",
				     strerror(-r));
	}
	return 0;
}

int kms_send(struct agent *a, struct cmk_kms_request *rq, struct cmk_error *err)
{
	int r;

	if (!a->kms.worker) {
		r = spawn(a, err);
		if (r < 0)
			return r == -EAGAIN ? -EIO : r;
	}
	r = cmk_worker_send(a->kms.worker, rq);
	if (r < 0 && r != -EAGAIN)
		cmk_error_set(err, CMK_EXIT_DEVICE, r, NULL, "cmk-kms does not take requests: %s",
			      strerror(-r));
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Volumes that share a KEK and an identity share one schedule of probes and its verdicts. */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "agent.h"

/* A proof of at most this share of the interval ago serves a volume that joins. */
#define RECENT_DIVISOR 2

static int64_t interval(const struct group *g)
{
	int64_t ms = g->agent->cfg->probe_interval_ms;
	const struct volume *v;

	/* A volume with a short lease of its own is not left to starve. */
	for (v = g->agent->volumes; v; v = v->next) {
		if (v->group == g && v->policy.params.lease_ms / 2 < ms)
			ms = v->policy.params.lease_ms / 2;
	}
	return ms;
}

static int on_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	struct group *g = arg;

	(void)s;
	(void)usec;
	if (g->probe.step != PROBE_IDLE)
		probe_go_on(g);
	else
		probe_start(g, g->again_fresh);
	return 0;
}

static void arm(struct group *g, int64_t at_ms)
{
	uint64_t usec = at_ms < 0 ? 0 : (uint64_t)at_ms * 1000;

	if (!g->timer && sd_event_add_time(g->agent->event, &g->timer, CLOCK_BOOTTIME, usec, 10000,
					   on_timer, g) < 0)
		return; /* no memory: the kernel's lease stands */
	sd_event_source_set_time(g->timer, usec);
	sd_event_source_set_enabled(g->timer, SD_EVENT_ONESHOT);
}

void group_wait(struct group *g, int64_t ms)
{
	arm(g, boottime_ms() + ms);
}

static bool same(const struct group *g, const struct cmk_token *t)
{
	char a[512], b[512], ia[512], ib[512];

	return !strcmp(cmk_keyid_format(&g->kek, a, sizeof(a)),
		       cmk_keyid_format(&t->kek, b, sizeof(b))) &&
	       !strcmp(cmk_identity_format(&g->identity, ia, sizeof(ia)),
		       cmk_identity_format(&t->identity, ib, sizeof(ib))) &&
	       g->public.n_len == t->public.n_len &&
	       !memcmp(g->public.n, t->public.n, t->public.n_len) &&
	       g->public.e_len == t->public.e_len &&
	       !memcmp(g->public.e, t->public.e, t->public.e_len);
}

static struct group *find_or_make(struct agent *a, const struct cmk_token *token)
{
	struct group *g;

	for (g = a->groups; g; g = g->next) {
		if (same(g, token))
			return g;
	}
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->agent = a;
	g->kek = token->kek;
	g->identity = token->identity;
	g->public = token->public;
	g->next = a->groups;
	a->groups = g;
	return g;
}

void group_join(struct volume *v, const struct cmk_token *token)
{
	struct group *g = find_or_make(v->agent, token);
	bool recent;

	if (!g)
		return; /* no memory: the header is read again with the next scan */
	if (v->group != g)
		group_leave(v);
	v->group = g;
	recent = g->proved_ms && g->last.verdict == CMK_VALID &&
		 boottime_ms() - g->proved_ms < interval(g) / RECENT_DIVISOR;
	if (recent)
		group_tell(g, v);
	else
		group_probe_now(g, false);
}

void group_leave(struct volume *v)
{
	if (!v->group)
		return;
	v->group = NULL;
	agent_sweep_soon(v->agent);
}

void group_probe_now(struct group *g, bool fresh_token)
{
	g->again_fresh |= fresh_token;
	if (g->probe.step != PROBE_IDLE)
		g->again = true;
	else
		group_wait(g, 0);
}

void group_tell(const struct group *g, struct volume *v)
{
	volume_event(v, &(struct cmk_event){
				.type = CMK_EVENT_PROBE,
				.verdict = g->last.verdict,
				.reason = cmk_reason_name(g->last.reason),
				.detail = g->last.detail,
				.confirmed = g->confirmed,
				.proved_ms = g->proved_ms,
			});
}

void group_verdict(struct group *g, const struct cmk_judgement *j, int64_t proved_ms)
{
	const struct cmk_config *cfg = g->agent->cfg;
	struct cmk_schedule_params params = {
		.interval_ms = interval(g),
		.confirm_after_ms = cfg->confirm_after_ms,
		.jitter_percent = cfg->probe_jitter_percent,
	};
	int64_t started = g->probe.started_ms;
	uint32_t chance = 0;
	struct volume *v;

	probe_end(g);
	if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) < 0)
		chance = 0;
	g->confirmed = cmk_schedule_verdict(&g->schedule, &params, j->verdict, j->retry_after_s,
					    started, boottime_ms(), chance);
	g->last = *j;
	g->last_at_s = realtime_s();
	if (j->verdict == CMK_VALID) {
		g->proof_at_s = g->last_at_s;
		g->proved_ms = proved_ms;
	}
	g->finished++;
	g->agent->probes++;
	arm(g, g->again ? 0 : g->schedule.next_ms);
	g->again = false;
	report_probe(g);
	for (v = g->agent->volumes; v; v = v->next) {
		if (v->group == g && !v->gone) {
			group_tell(g, v);
			server_volume_changed(v);
		}
	}
}

void group_free(struct group *g)
{
	probe_end(g);
	sd_event_source_disable_unref(g->timer);
	free(g);
}

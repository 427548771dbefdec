// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Status as JSON. */
#include <string.h>

#include "status.h"

static void add_text(cJSON *o, const char *name, const char *text)
{
	cJSON_AddStringToObject(o, name, text);
}

/* A point in UTC; null if there is none. */
static void add_utc(cJSON *o, const char *name, int64_t unix_s)
{
	char buf[32];

	if (unix_s)
		cJSON_AddStringToObject(o, name, utc_format(buf, sizeof(buf), unix_s));
	else
		cJSON_AddNullToObject(o, name);
}

/* The same for a point on the boottime clock. */
static void add_boottime(cJSON *o, const char *name, int64_t ms)
{
	int64_t now_ms = boottime_ms();

	add_utc(o, name, realtime_s() + (ms - now_ms) / 1000);
}

cJSON *status_agent(const struct agent *a)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddNumberToObject(o, "pid", getpid());
	add_utc(o, "since", a->since_s);
	if (a->kms.worker)
		cJSON_AddNumberToObject(o, "worker_pid", cmk_worker_pid(a->kms.worker));
	else
		cJSON_AddNullToObject(o, "worker_pid");
	cJSON_AddNumberToObject(o, "probes", (double)a->probes);
	add_text(o, "version", CMK_VERSION);
	return o;
}

const char *status_remedy(const struct volume *v)
{
	if (!strcmp(v->policy.reason, "OK"))
		return v->policy.error[0] ? "see `error`; it is tried again by itself" : "";
	if (!v->group && v->trouble.remedy[0] && !strcmp(v->policy.reason, v->trouble_reason))
		return v->trouble.remedy;
	return reason_remedy(v->policy.reason);
}

static void add_probe(cJSON *o, const struct volume *v)
{
	const struct group *g = v->group;
	char url[512], identity[512];

	if (!g) {
		static const char *const absent[] = {
			"kek",	      "identity",   "verdict",	  "verdict_reason",
			"verdict_at", "last_proof", "next_probe", "request_id",
		};

		for (size_t i = 0; i < ARRAY_SIZE(absent); i++)
			cJSON_AddNullToObject(o, absent[i]);
		return;
	}
	add_text(o, "kek", cmk_keyid_format(&g->kek, url, sizeof(url)));
	add_text(o, "identity", cmk_identity_format(&g->identity, identity, sizeof(identity)));
	if (g->last_at_s) {
		add_text(o, "verdict", cmk_verdict_name(g->last.verdict));
		add_text(o, "verdict_reason", cmk_reason_name(g->last.reason));
	} else {
		cJSON_AddNullToObject(o, "verdict");
		cJSON_AddNullToObject(o, "verdict_reason");
	}
	add_utc(o, "verdict_at", g->last_at_s);
	add_utc(o, "last_proof", g->proof_at_s);
	if (g->schedule.next_ms)
		add_boottime(o, "next_probe", g->schedule.next_ms);
	else
		cJSON_AddNullToObject(o, "next_probe");
	add_text(o, "request_id", g->last.request_id);
}

static void add_kernel(cJSON *o, const struct volume *v)
{
	struct cmk_dm_status st = { .lease_left_ms = -1, .generation = v->generation };
	struct cmk_error err = { 0 };

	if (v->gone || cmk_dm_status(v->dev.name, &st, &err) < 0 || !st.available)
		st.lease_left_ms = -1;
	if (st.lease_left_ms >= 0) {
		cJSON_AddNumberToObject(o, "lease_left_ms", (double)st.lease_left_ms);
		add_boottime(o, "deadline", boottime_ms() + st.lease_left_ms);
	} else {
		cJSON_AddNullToObject(o, "lease_left_ms");
		cJSON_AddNullToObject(o, "deadline");
	}
	cJSON_AddNumberToObject(o, "generation", (double)st.generation);
}

cJSON *status_volume(const struct volume *v)
{
	const struct cmk_policy *p = &v->policy;
	struct cmk_volume_config room;
	const struct cmk_volume_config *c = volume_config(v, &room);
	cJSON *o = cJSON_CreateObject(), *units;

	add_text(o, "volume", v->dev.name);
	add_text(o, "device", v->dev.lower);
	add_text(o, "uuid", v->dev.uuid);
	add_text(o, "state", cmk_state_name(v->forgotten ? CMK_VOLUME_CLOSED : p->state));
	add_text(o, "reason", p->reason);
	add_text(o, "meaning", strcmp(p->reason, "OK") ? reason_text(p->reason) : "");
	add_text(o, "detail", p->detail);
	add_text(o, "remedy", status_remedy(v));
	add_text(o, "error", p->error);
	add_text(o, "job", v->progress);
	cJSON_AddBoolToObject(o, "operator_locked", p->operator_locked);
	add_boottime(o, "since", p->since_ms);
	add_probe(o, v);
	add_kernel(o, v);
	add_text(o, "mount", c->mount);
	units = cJSON_AddArrayToObject(o, "units");
	for (size_t i = 0; i < c->n_units; i++)
		cJSON_AddItemToArray(units, cJSON_CreateString(c->units[i]));
	return o;
}

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The control socket's operations: a table; each begins, and is then asked whether it is done. */
#include "op.h"

#include <stdio.h>
#include <string.h>

#include "status.h"

struct op {
	const char *name;
	bool volume_optional;
	const char *flag; /* a boolean that it takes, or NULL */
	/* Return: 0, or -errno with @err: refused. */
	int (*begin)(struct agent *a, struct volume *v, struct op_wait *w, struct cmk_error *err);
	/* Return: true when it is done; with @err if that is a failure. */
	bool (*done)(struct volume *v, struct op_wait *w, struct cmk_error *err);
};

cJSON *op_refusal(const struct cmk_error *err)
{
	cJSON *o = cJSON_CreateObject();

	cJSON_AddStringToObject(o, "error", err->text);
	cJSON_AddNumberToObject(o, "exit", err->exit);
	cJSON_AddStringToObject(o, "remedy", err->remedy);
	return o;
}

static cJSON *status(const struct agent *a, const struct volume *v)
{
	cJSON *o = cJSON_CreateObject(), *volumes;

	cJSON_AddItemToObject(o, "agent", status_agent(a));
	volumes = cJSON_AddArrayToObject(o, "volumes");
	if (v)
		cJSON_AddItemToArray(volumes, status_volume(v));
	for (const struct volume *each = v ? NULL : a->volumes; each; each = each->next) {
		if (!each->gone)
			cJSON_AddItemToArray(volumes, status_volume(each));
	}
	return o;
}

static bool is_open(const struct volume *v)
{
	return v->policy.state == CMK_VOLUME_AVAILABLE || v->policy.state == CMK_VOLUME_AT_RISK;
}

/* What the last job could not do; @exit is for one that could not even be started, or was ended. */
static void job_failed(const struct volume *v, enum cmk_exit exit, struct cmk_error *err)
{
	const struct cmk_error *why = &v->job_error;
	const char *text = v->policy.error;

	cmk_error_set(err, why->text[0] ? why->exit : exit, -EIO, why->remedy, "%s: %s",
		      v->dev.name, text[0] ? text : "interrupted by another operation");
}

static void verdict_failed(const struct volume *v, struct cmk_error *err)
{
	const struct cmk_judgement *j = &v->group->last;

	cmk_error_set(err, cmk_verdict_exit(j->verdict), -EACCES, cmk_reason_remedy(j->reason),
		      "%s: %s: %s%s%s", v->dev.name, cmk_reason_name(j->reason),
		      cmk_reason_text(j->reason), j->detail[0] ? ": " : "", j->detail);
}

/*
 * Get a verdict that is younger than the request. Return: true when it is there, or when there can
 * be none, with @err.
 */
static bool have_verdict(struct volume *v, struct op_wait *w, bool fresh_token,
			 struct cmk_error *err)
{
	if (v->group && !w->asked) {
		w->asked = true;
		w->probe = v->group->started + 1;
		group_probe_now(v->group, fresh_token);
	}
	if (v->group)
		return v->group->finished >= w->probe;
	if (v->header_reads == w->header_reads || v->header)
		return false;
	*err = v->trouble;
	return true;
}

static int begin_adopt(struct agent *a, struct volume *v, struct op_wait *w, struct cmk_error *err)
{
	(void)a;
	(void)w;
	(void)err;
	if (v->forgotten) {
		v->forgotten = false;
		volume_refresh(v);
	}
	header_read(v);
	return 0;
}

static bool done_adopt(struct volume *v, struct op_wait *w, struct cmk_error *err)
{
	(void)err;
	if (v->header_reads == w->header_reads || v->header)
		return false;
	if (w->flag && !w->asked && is_open(v) && v->policy.job == CMK_JOB_NONE) {
		w->asked = true;
		volume_event(v, &(struct cmk_event){ .type = CMK_EVENT_START });
	}
	return v->policy.job == CMK_JOB_NONE;
}

static int begin_lock(struct agent *a, struct volume *v, struct op_wait *w, struct cmk_error *err)
{
	int r = marker_set(a->cfg, v->dev.name, MARKER_OPERATOR_LOCK);

	if (r < 0)
		return cmk_error_set(err, CMK_EXIT_DEVICE, r, "make room on /run",
				     "%s: cannot note the lock beside the control socket: %s",
				     v->dev.name, strerror(-r));
	volume_event(v,
		     &(struct cmk_event){ .type = CMK_EVENT_OPERATOR_LOCK, .immediate = w->flag });
	return 0;
}

static bool done_lock(struct volume *v, struct op_wait *w, struct cmk_error *err)
{
	(void)w;
	(void)err;
	return v->policy.state == CMK_VOLUME_INACCESSIBLE && v->policy.job == CMK_JOB_NONE;
}

static int begin_unlock(struct agent *a, struct volume *v, struct op_wait *w, struct cmk_error *err)
{
	(void)w;
	(void)err;
	marker_clear(a->cfg, v->dev.name, MARKER_OPERATOR_LOCK);
	if (is_open(v))
		volume_event(v, &(struct cmk_event){ .type = CMK_EVENT_START });
	else
		volume_event(v, &(struct cmk_event){ .type = CMK_EVENT_OPERATOR_UNLOCK });
	if (!v->group)
		header_read(v);
	return 0;
}

static bool done_unlock(struct volume *v, struct op_wait *w, struct cmk_error *err)
{
	const struct cmk_policy *p = &v->policy;

	/* Open is done, also if a mount or a unit failed: that stands in the object's `error`, and
	 * is tried again. */
	if (is_open(v) && p->job == CMK_JOB_NONE)
		return true;
	if (is_open(v) || p->state != CMK_VOLUME_INACCESSIBLE || p->job != CMK_JOB_NONE)
		return false;
	if (!have_verdict(v, w, false, err))
		return false;
	if (!v->group)
		return true;
	if (v->group->last.verdict != CMK_VALID) {
		verdict_failed(v, err);
		return true;
	}
	if (!p->retry_at_ms) /* the unlock is about to begin */
		return false;
	job_failed(v, CMK_EXIT_DEVICE, err);
	return true;
}

static int begin_revalidate(struct agent *a, struct volume *v, struct op_wait *w,
			    struct cmk_error *err)
{
	(void)a;
	(void)w;
	(void)err;
	if (!v->group)
		header_read(v);
	return 0;
}

static bool done_revalidate(struct volume *v, struct op_wait *w, struct cmk_error *err)
{
	return have_verdict(v, w, true, err);
}

static int begin_forget(struct agent *a, struct volume *v, struct op_wait *w, struct cmk_error *err)
{
	(void)a;
	(void)w;
	return v->forgotten || v->releasing ? 0 : volume_release(v, err);
}

static bool done_forget(struct volume *v, struct op_wait *w, struct cmk_error *err)
{
	(void)w;
	if (v->forgotten)
		return true;
	if (v->releasing)
		return false;
	job_failed(v, CMK_EXIT_BUSY, err);
	/* It stays open, so what was stopped for it comes back. */
	volume_event(v, &(struct cmk_event){ .type = CMK_EVENT_START });
	return true;
}

static const struct op ops[] = {
	{ "status", true, NULL, NULL, NULL },
	{ "adopt", false, "start", begin_adopt, done_adopt },
	{ "lock", false, "immediate", begin_lock, done_lock },
	{ "unlock", false, NULL, begin_unlock, done_unlock },
	{ "revalidate", false, NULL, begin_revalidate, done_revalidate },
	{ "forget", false, NULL, begin_forget, done_forget },
};

static const struct op *find_op(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		if (!strcmp(ops[i].name, name))
			return &ops[i];
	}
	return NULL;
}

static int bad_request(struct cmk_error *err, const char *what)
{
	return cmk_error_set(err, CMK_EXIT_USAGE, -EINVAL, "see Documentation/control.md",
			     "bad request: %s", what);
}

/* Nothing that the operation does not know: a misspelt flag must not be taken for its absence. */
static int parse_flag(const cJSON *request, struct op_wait *w, struct cmk_error *err)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, request)
	{
		if (!strcmp(item->string, "op") || !strcmp(item->string, "volume"))
			continue;
		if (!w->op->flag || strcmp(item->string, w->op->flag) != 0 || !cJSON_IsBool(item))
			return bad_request(err, "only `op` and `volume`, the boolean `start` with "
						"adopt, and the boolean "
						"`immediate` with lock are known");
		w->flag = cJSON_IsTrue(item);
	}
	return 0;
}

static int parse(const cJSON *request, struct op_wait *w, struct cmk_error *err)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, "op");
	int r;

	w->op = cJSON_IsString(item) ? find_op(item->valuestring) : NULL;
	if (!w->op)
		return bad_request(
			err, "`op` must be status, adopt, lock, unlock, revalidate or forget");
	r = parse_flag(request, w, err);
	if (r < 0)
		return r;
	item = cJSON_GetObjectItemCaseSensitive(request, "volume");
	if (!item && w->op->volume_optional)
		return 0;
	if (!cJSON_IsString(item) || !item->valuestring[0] ||
	    strlen(item->valuestring) >= sizeof(w->volume))
		return bad_request(err, "`volume` must be the name of a mapping");
	snprintf(w->volume, sizeof(w->volume), "%s", item->valuestring);
	return 0;
}

/* The volume, also if the kernel has it and its event has not come here yet. */
static struct volume *find_volume(struct agent *a, const char *name, struct cmk_error *err)
{
	struct volume *v = volume_find(a, name);
	struct cmk_dm_device dev;
	int r;

	if (v)
		return v;
	r = cmk_dm_info(name, &dev, err);
	if (r < 0)
		return NULL;
	v = volume_adopt(a, &dev);
	if (!v || v->gone)
		cmk_error_set(err, CMK_EXIT_DEVICE, -ENODEV, NULL, "%s: cannot be watched", name);
	return v && !v->gone ? v : NULL;
}

cJSON *op_begin(struct agent *a, const cJSON *request, struct op_wait *w)
{
	struct cmk_error err = { 0 };
	struct volume *v = NULL;

	*w = (struct op_wait){ 0 };
	if (parse(request, w, &err) < 0)
		return op_refusal(&err);
	if (w->volume[0]) {
		v = find_volume(a, w->volume, &err);
		if (!v)
			return op_refusal(&err);
		w->header_reads = v->header_reads;
	}
	if (!w->op->begin)
		return status(a, v);
	if (w->op->begin(a, v, w, &err) < 0)
		return op_refusal(&err);
	return op_check(a, w);
}

cJSON *op_check(struct agent *a, struct op_wait *w)
{
	struct volume *v = volume_find(a, w->volume);
	struct cmk_error err = { 0 };

	if (!v) {
		cmk_error_set(&err, CMK_EXIT_DEVICE, -ENODEV, NULL,
			      "%s: the mapping was removed meanwhile", w->volume);
		return op_refusal(&err);
	}
	if (!w->op->done(v, w, &err))
		return NULL;
	return err.text[0] ? op_refusal(&err) : status_volume(v);
}

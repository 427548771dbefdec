// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Reads the demo's events from JSON lines and puts them in order. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <cjson/cJSON.h>
#include "timeline.h"

static const char *const kind_names[KINDS] = {
	[KIND_STEP] = "step",	[KIND_PROMISE] = "promise", [KIND_KERNEL] = "kernel",
	[KIND_AGENT] = "agent", [KIND_CLIENT] = "client",   [KIND_END] = "end",
};

static char *text_of(const cJSON *json, const char *name)
{
	const char *s = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));

	return strdup(s ? s : "");
}

static int64_t number_of(const cJSON *json, const char *name, int64_t otherwise)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

	return cJSON_IsNumber(item) ? (int64_t)item->valuedouble : otherwise;
}

static int fill(struct event *e, const cJSON *json)
{
	const char *kind = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "kind"));

	e->t_ms = number_of(json, "t", -1);
	for (e->kind = 0; e->kind < KINDS; e->kind++)
		if (kind && !strcmp(kind, kind_names[e->kind]))
			break;
	if (e->kind == KINDS || e->t_ms < 0)
		return -EBADMSG;
	e->text = text_of(json, e->kind == KIND_KERNEL || e->kind == KIND_AGENT ? "state" : "text");
	e->reason = text_of(json, "reason");
	e->expected = text_of(json, "expected");
	e->measured = text_of(json, "measured");
	e->kept = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "kept"));
	e->lease_ms = number_of(json, "lease_ms", -1);
	e->connections = (int)number_of(json, "connections", 0);
	e->commits = number_of(json, "commits", 0);
	return e->text && e->reason && e->expected && e->measured ? 0 : -ENOMEM;
}

static int add(struct events *ev, const char *line)
{
	struct event *more = realloc(ev->at, (ev->n + 1) * sizeof(*more));
	cJSON *json;
	int r;

	if (!more)
		return -ENOMEM;
	ev->at = more;
	json = cJSON_Parse(line);
	memset(&more[ev->n], 0, sizeof(*more));
	more[ev->n].order = ev->n;
	r = json ? fill(&more[ev->n], json) : -EBADMSG;
	cJSON_Delete(json);
	ev->n++;
	return r;
}

static int load_file(struct events *ev, const char *file)
{
	char *line = NULL;
	size_t size = 0, number = 0;
	FILE *f = fopen(file, "r");
	int r = f ? 0 : -errno;

	while (!r && getline(&line, &size, f) > 0) {
		number++;
		r = add(ev, line);
	}
	if (r)
		fprintf(stderr, "demo-report: %s:%zu: %s\n", file, number, strerror(-r));
	free(line);
	if (f)
		fclose(f);
	return r;
}

static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->t_ms != y->t_ms)
		return x->t_ms < y->t_ms ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

int events_load(struct events *ev, char **files, int n)
{
	int r = 0;

	*ev = (struct events){ 0 };
	for (int i = 0; !r && i < n; i++)
		r = load_file(ev, files[i]);
	if (!r && !ev->n) {
		fprintf(stderr, "demo-report: no events\n");
		r = -ENODATA;
	}
	if (r)
		return r;
	qsort(ev->at, ev->n, sizeof(*ev->at), by_time);
	ev->begin_ms = ev->at[0].t_ms;
	ev->end_ms = ev->at[ev->n - 1].t_ms;
	return 0;
}

void events_free(struct events *ev)
{
	for (size_t i = 0; i < ev->n; i++) {
		free(ev->at[i].text);
		free(ev->at[i].reason);
		free(ev->at[i].expected);
		free(ev->at[i].measured);
	}
	free(ev->at);
	*ev = (struct events){ 0 };
}

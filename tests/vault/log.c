// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The log of requests: JSON lines in memory for `vaultctl log`, and in requests.jsonl.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include "vault.h"

#define ENTRIES_MAX 20000 /* the oldest go first */

static struct entry {
	int64_t id;
	enum class class;
	char *host, *line;
} entries[ENTRIES_MAX];
static int64_t last_id;
static FILE *file;

static void add_optional(cJSON *json, const char *name, const char *value)
{
	if (value)
		cJSON_AddStringToObject(json, name, value);
}

static char *line_of(const struct req *req, enum class class)
{
	_cleanup_json_ cJSON *json = cJSON_CreateObject();
	enum fault_kind fault = req->effect.kind;
	bool unanswered = req->dropped || fault == FAULT_HANG || fault == FAULT_RESET;

	cJSON_AddNumberToObject(json, "id", (double)last_id);
	cJSON_AddNumberToObject(json, "time", (double)req->arrived_ms / 1000);
	cJSON_AddStringToObject(json, "host", req->host);
	cJSON_AddStringToObject(json, "method", req->method);
	cJSON_AddStringToObject(json, "path", req->uri);
	cJSON_AddStringToObject(json, "class", route_class_name(class));
	add_optional(json, "key", req->key);
	add_optional(json, "identity", req->who ? req->who->name : NULL);
	add_optional(json, "request", req_header(req, "x-ms-client-request-id"));
	cJSON_AddNumberToObject(json, "status", unanswered ? 0 : req->answer.status);
	add_optional(json, "fault", fault == FAULT_NONE ? NULL : fault_name(fault));
	cJSON_AddNumberToObject(json, "connection", req->client_port);
	return cJSON_PrintUnformatted(json);
}

void log_request(const struct req *req)
{
	struct entry *entry = &entries[++last_id % ENTRIES_MAX];

	free(entry->host);
	free(entry->line);
	entry->id = last_id;
	entry->class = req->route ? req->route->class : CLASS_OTHER;
	entry->host = xstrdup(req->host);
	entry->line = line_of(req, entry->class);
	if (!file) {
		_cleanup_free_ char *path = xasprintf("%s/requests.jsonl", settings.dir);

		file = fopen(path, "ae");
	}
	if (file) {
		fprintf(file, "%s\n", entry->line);
		fflush(file);
	}
}

char *log_text(int64_t since, unsigned int classes, const char *glob, bool count)
{
	int64_t first = last_id > ENTRIES_MAX ? last_id - ENTRIES_MAX + 1 : 1;
	char *text = NULL;
	unsigned int n = 0;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (int64_t id = since >= first ? since + 1 : first; id <= last_id; id++) {
		const struct entry *entry = &entries[id % ENTRIES_MAX];

		if (!entry->line || !(classes & 1u << entry->class) ||
		    (glob && fnmatch(glob, entry->host, 0)))
			continue;
		n++;
		if (!count)
			fprintf(out, "%s\n", entry->line);
	}
	if (count)
		fprintf(out, "%u\n", n);
	fclose(out);
	return text;
}

void log_clear(void)
{
	for (size_t i = 0; i < ENTRIES_MAX; i++) {
		free(entries[i].host);
		free(entries[i].line);
		entries[i].host = entries[i].line = NULL;
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Answering from a recorded session: the next recorded exchange with the request's method and path
 * is played, with the host in its URLs exchanged for the one that was asked.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "vault.h"

#define STATUS_NOT_RECORDED 599

static cJSON *exchanges;
static const cJSON *next; /* the first one not yet played */

bool replay_on(void)
{
	return exchanges != NULL;
}

void replay_end(void)
{
	cJSON_Delete(exchanges);
	exchanges = NULL;
	next = NULL;
}

/*
 * Two published forms: Entries with RequestUri, and networkCallRecords with Url and the answer's
 * body as text.
 */
char *replay_load(const char *path)
{
	_cleanup_free_ char *text = read_file(path);
	_cleanup_json_ cJSON *json = text ? cJSON_Parse(text) : NULL;
	cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "Entries");

	if (!list)
		list = cJSON_GetObjectItemCaseSensitive(json, "networkCallRecords");
	if (!cJSON_IsArray(list) || !list->child)
		return xasprintf("%s is no recorded session: %s", path,
				 text ? "neither Entries nor networkCallRecords in it"
				      : strerror(errno));
	replay_end();
	exchanges = cJSON_Duplicate(list, true);
	next = exchanges->child;
	return NULL;
}

static const char *url_of(const cJSON *exchange)
{
	const char *url = json_string(exchange, "RequestUri");

	return url ? url : json_string(exchange, "Url");
}

static bool same_request(const struct req *req, const cJSON *exchange)
{
	const char *method = json_string(exchange, "RequestMethod"), *url = url_of(exchange);
	size_t len = strlen(req->path), have;

	if (!method)
		method = json_string(exchange, "Method");
	if (!method || !url || strcasecmp(method, req->method) || strncmp(url, "https://", 8))
		return false;
	url += 8;
	url += strcspn(url, "/");
	have = strcspn(url, "?");
	/* A trailing slash makes no difference to the service. */
	while (len > 1 && req->path[len - 1] == '/')
		len--;
	while (have > 1 && url[have - 1] == '/')
		have--;
	return len == have && !strncasecmp(url, req->path, len);
}

/* @text with every "https://HOST/" of the recording's vault replaced by the asked one. */
static char *with_host(const struct req *req, const cJSON *body_json, const char *text)
{
	const cJSON *key = cJSON_GetObjectItemCaseSensitive(body_json, "key");
	const char *kid = json_string(key ? key : body_json, "kid"), *p = text, *found;
	_cleanup_free_ char *old = NULL;
	char *result = NULL;
	size_t size;
	FILE *out;

	if (!kid || strncmp(kid, "https://", 8))
		return xstrdup(text);
	old = xasprintf("%.*s/", (int)(8 + strcspn(kid + 8, "/")), kid);
	out = open_memstream(&result, &size);
	while ((found = strstr(p, old))) {
		fprintf(out, "%.*shttps://%s/", (int)(found - p), p, req->authority);
		p = found + strlen(old);
	}
	fputs(p, out);
	fclose(out);
	return result;
}

static int status_of(const cJSON *exchange)
{
	const cJSON *response = cJSON_GetObjectItemCaseSensitive(exchange, "Response");
	const char *status = json_string(response, "STATUS_CODE");

	return status ? atoi(status) : (int)json_number(exchange, "StatusCode", 200);
}

/* Recordings have one challenge a session, and the first request of a client may be any: it is
 * challenged. */
static bool challenged(struct req *req, const cJSON *exchange)
{
	if (req_header(req, "Authorization") || status_of(exchange) == 401)
		return false;
	errors_answer(req, req->vault->cloud->hsm ? "mhsm-no-token" : "kv-no-token", NULL, NULL);
	return true;
}

static void play(struct req *req, const cJSON *exchange)
{
	const cJSON *response = cJSON_GetObjectItemCaseSensitive(exchange, "Response");
	const cJSON *body = cJSON_GetObjectItemCaseSensitive(exchange, "ResponseBody");
	const char *recorded = json_string(response, "BODY");
	_cleanup_json_ cJSON *parsed =
		recorded ? cJSON_Parse(recorded) : cJSON_Duplicate(body, true);
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *answer = NULL;

	if (!recorded && body && !cJSON_IsNull(body))
		text = cJSON_PrintUnformatted(body);
	answer = with_host(req, parsed, recorded ? recorded : text ? text : "");
	answer_text(req, (unsigned int)status_of(exchange), "application/json; charset=utf-8",
		    answer);
	/* The recorded challenge names a tenant and a host that are not here. */
	if (req->answer.status == 401)
		answer_bearer(req);
}

void replay_run(struct req *req)
{
	const cJSON *exchange = next;

	/* One pass over the recording, beginning behind what was played last. */
	for (int left = cJSON_GetArraySize(exchanges); left; left--) {
		if (!exchange)
			exchange = exchanges->child;
		if (same_request(req, exchange)) {
			if (challenged(req, exchange))
				return;
			next = exchange->next;
			play(req, exchange);
			return;
		}
		exchange = exchange->next;
	}
	answer_text(req, STATUS_NOT_RECORDED, "text/plain", "the recording has no such request\n");
}

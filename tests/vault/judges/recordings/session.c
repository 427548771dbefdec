// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Recorded sessions in their published JSON forms, as a list of exchanges.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include "judge.h"

struct exchange *session_add(struct session *session)
{
	size_t size = (session->n + 1) * sizeof(*session->exchanges);
	struct exchange *exchanges = realloc(session->exchanges, size);

	if (!exchanges)
		abort();
	session->exchanges = exchanges;
	memset(&exchanges[session->n], 0, sizeof(*exchanges));
	exchanges[session->n].authorized = -1;
	return &exchanges[session->n++];
}

void session_end(struct session *session)
{
	for (size_t i = 0; i < session->n; i++) {
		struct exchange *e = &session->exchanges[i];

		free(e->method);
		free(e->url);
		free(e->text);
		cJSON_Delete(e->request);
		cJSON_Delete(e->body);
		cJSON_Delete(e->headers);
	}
	free(session->exchanges);
	memset(session, 0, sizeof(*session));
}

static cJSON *copy(const cJSON *json, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

	return item && !cJSON_IsNull(item) ? cJSON_Duplicate(item, true) : NULL;
}

static struct exchange *add_request(struct session *session, const char *method, const char *url)
{
	struct exchange *e = method && url ? session_add(session) : NULL;

	if (e) {
		e->method = xstrdup(method);
		e->url = xstrdup(url);
	}
	return e;
}

/* The Go SDK's form: RequestUri, RequestBody, StatusCode, ResponseHeaders, ResponseBody. */
static void add_entry(struct session *session, const cJSON *json)
{
	const cJSON *headers = cJSON_GetObjectItemCaseSensitive(json, "RequestHeaders");
	const char *url = json_string(json, "RequestUri"),
		   *method = json_string(json, "RequestMethod");
	struct exchange *e = add_request(session, method, url);

	if (!e)
		return;
	e->request = copy(json, "RequestBody");
	e->request_recorded = true;
	e->authorized = json_string(headers, "Authorization") != NULL;
	e->status = (int)json_number(json, "StatusCode", 0);
	e->headers = copy(json, "ResponseHeaders");
	e->body = copy(json, "ResponseBody");
	if (cJSON_IsString(e->body)) {
		e->text = xstrdup(e->body->valuestring);
		cJSON_Delete(e->body);
		e->body = NULL;
	}
}

static const char *url_of(const cJSON *json)
{
	const char *url = json_string(json, "Url");

	return url ? url : json_string(json, "Uri");
}

/* The C++ and Java SDKs' form: Url or Uri, Response with BODY as text, STATUS_CODE and the headers;
 * no bodies of requests. */
static void add_record(struct session *session, const cJSON *json)
{
	const cJSON *response = cJSON_GetObjectItemCaseSensitive(json, "Response");
	const char *url = url_of(json), *method = json_string(json, "Method");
	const char *status = json_string(response, "STATUS_CODE"),
		   *body = json_string(response, "BODY");
	struct exchange *e = add_request(session, method, url);

	if (!e)
		return;
	e->status = status ? atoi(status) : 0;
	e->headers = cJSON_Duplicate(response, true);
	cJSON_DeleteItemFromObjectCaseSensitive(e->headers, "BODY");
	cJSON_DeleteItemFromObjectCaseSensitive(e->headers, "STATUS_CODE");
	cJSON_DeleteItemFromObjectCaseSensitive(e->headers, "REASON_PHRASE");
	e->body = body ? cJSON_Parse(body) : NULL;
	if (body && !e->body)
		e->text = xstrdup(body);
}

/* Why a session cannot be played although it can be read; NULL if it can. */
static const char *unplayable(struct session *session)
{
	if (!session->n)
		return "no exchange in it that can be read";
	for (size_t i = 0; i < session->n; i++) {
		const struct exchange *e = &session->exchanges[i];
		const cJSON *key = cJSON_GetObjectItemCaseSensitive(e->body, "key");
		const char *kty = json_string(key, "kty");

		if (strstr(e->url, "managedhsm") || strstr(e->url, "fakemhsm"))
			session->hsm = true;
		if (strstr(e->url, "/secrets") || strstr(e->url, "/certificates"))
			return "about secrets or certificates, which the test vault does not have";
		if (strstr(e->url, "/release?"))
			return "about secure key release, which the test vault does not have";
		if (kty && !strncmp(kty, "oct", 3))
			return "about symmetric keys, which the test vault does not have";
	}
	return NULL;
}

const char *session_load(struct session *session, const char *path)
{
	_cleanup_free_ char *text = read_file(path);
	_cleanup_json_ cJSON *json = text ? cJSON_Parse(text) : NULL;
	const cJSON *item;

	memset(session, 0, sizeof(*session));
	if (!text)
		return strerror(errno);
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "Entries"))
		add_entry(session, item);
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "networkCallRecords"))
		add_record(session, item);
	if (!json && !nock_load(session, text))
		return "not in a form that can be read";
	return unplayable(session);
}

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Lists in pages: keys, deleted keys and the versions of a key, with nextLink and $skiptoken as the
 * service has them.
 */
#include <stdio.h>
#include <string.h>
#include "vault.h"

#define PAGE_MAX 25

/* One page in the making: items come in the order of their marker and begin behind the one in the
 * $skiptoken. */
struct page {
	struct req *req;
	cJSON *items; /* marker and item, unordered, all of the list */
};

static void page_add(struct page *page, const char *marker, cJSON *item)
{
	cJSON_AddItemToObject(page->items, marker, item);
}

static char *skiptoken_make(const char *marker)
{
	_cleanup_json_ cJSON *json = cJSON_CreateObject();
	_cleanup_free_ char *text = NULL;

	cJSON_AddStringToObject(json, "NextMarker", marker);
	cJSON_AddNumberToObject(json, "TargetLocation", 0);
	text = cJSON_PrintUnformatted(json);
	return b64url_encode(text, strlen(text));
}

/* The marker to begin at, which the caller frees, "" without a token; NULL if the token is
 * malformed. */
static char *skiptoken_read(const struct req *req)
{
	const char *token = req_query(req, "$skiptoken");
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ cJSON *json = NULL;
	const char *marker;
	size_t len;

	if (!token)
		return xstrdup("");
	text = (char *)b64url_decode(token, &len);
	json = text ? cJSON_Parse(text) : NULL;
	marker = json_string(json, "NextMarker");
	return marker ? xstrdup(marker) : NULL;
}

static char *next_link(const struct req *req, const char *marker)
{
	_cleanup_free_ char *token = skiptoken_make(marker);
	const char *max = req_query(req, "maxresults");
	const char *port = strchr(req->authority, ':');

	/* The service names its port even where it is the usual one. */
	return xasprintf("https://%s%s%s?api-version=%s&$skiptoken=%s%s%s", req->host,
			 port ? port : ":443", req->path, req_query(req, "api-version"), token,
			 max ? "&maxresults=" : "", max ? max : "");
}

static void page_answer(struct page *page)
{
	struct req *req = page->req;
	const char *max = req_query(req, "maxresults");
	int room = max ? atoi(max) : PAGE_MAX;
	_cleanup_free_ char *from = skiptoken_read(req);
	cJSON *json, *value, *item, *next;

	if (!from || room < 1 || room > PAGE_MAX) {
		cJSON_Delete(page->items);
		errors_answer(req, "kv-bad-parameter",
			      from ? "maxresults must be from 1 to 25" : "invalid $skiptoken",
			      NULL);
		return;
	}
	json_sort(page->items, false);
	json = cJSON_CreateObject();
	value = cJSON_AddArrayToObject(json, "value");
	for (item = page->items->child; item && strcmp(item->string, from) < 0;)
		item = item->next;
	for (; item && room; item = next, room--) {
		next = item->next;
		cJSON_AddItemToArray(value, cJSON_DetachItemViaPointer(page->items, item));
	}
	if (item) {
		_cleanup_free_ char *link = next_link(req, item->string);

		cJSON_AddStringToObject(json, "nextLink", link);
	} else {
		cJSON_AddNullToObject(json, "nextLink");
	}
	cJSON_Delete(page->items);
	answer_json(req, 200, json);
}

void lists_versions(struct req *req)
{
	struct page page = { .req = req, .items = cJSON_CreateObject() };
	struct key *key = store_key(req->vault, req->key);

	for (struct version *v = key && key->state == KEY_LIVE ? key->versions : NULL; v;
	     v = v->next)
		page_add(&page, v->id,
			 bundle_item(req->authority, req->vault, key, v, req_api(req), true));
	page_answer(&page);
}

void lists_keys(struct req *req)
{
	struct page page = { .req = req, .items = cJSON_CreateObject() };

	for (struct key *key = req->vault->keys; key; key = key->next)
		if (key->state == KEY_LIVE)
			page_add(&page, key->name,
				 bundle_item(req->authority, req->vault, key, key->versions,
					     req_api(req), false));
	page_answer(&page);
}

void lists_deleted(struct req *req)
{
	struct page page = { .req = req, .items = cJSON_CreateObject() };

	for (struct key *key = req->vault->keys; key; key = key->next) {
		cJSON *item;

		if (key->state != KEY_DELETED)
			continue;
		item = bundle_item(req->authority, req->vault, key, key->versions, req_api(req),
				   false);
		page_add(&page, key->name, bundle_deleted(item, req->authority, key));
	}
	page_answer(&page);
}

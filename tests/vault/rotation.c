// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Rotation: a new version on demand, and the rotation policy, which is kept and told and gives new
 * versions their expiry (nothing rotates by itself here: tests say when).
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "vault.h"

#define DAY_S 86400

void rotation_rotate(struct req *req)
{
	struct key *key;
	struct version *old = keys_wanted(req, &key), *v;

	if (!old)
		return;
	if (!req->made) {
		errors_answer(req, "kv-internal", NULL, NULL);
		return;
	}
	v = store_version_add(key, old->kty, req->made);
	req->made = NULL;
	memcpy(v->crv, old->crv, sizeof(v->crv));
	v->ops = cJSON_Duplicate(old->ops, true);
	v->tags = old->tags ? cJSON_Duplicate(old->tags, true) : NULL;
	rotation_apply(key, v);
	state_changed();
	answer_json(req, 200, bundle_key(req->authority, req->vault, key, v, req_api(req)));
}

/* Seconds of an ISO 8601 duration of years, months and days, which is all that the service takes; 0
 * if it is none. */
static int64_t duration_s(const char *text)
{
	int64_t days = 0;

	if (!text || *text++ != 'P')
		return 0;
	while (*text) {
		int used = 0, n = 0;
		char unit;

		if (sscanf(text, "%d%c%n", &n, &unit, &used) != 2 || !used)
			return 0;
		days += n * (unit == 'Y' ? 365 : unit == 'M' ? 30 : unit == 'D' ? 1 : 0);
		text += used;
	}
	return days * DAY_S;
}

void rotation_apply(const struct key *key, struct version *v)
{
	const cJSON *attr = cJSON_GetObjectItemCaseSensitive(key->policy, "attributes");
	int64_t expires = duration_s(json_string(attr, "expiryTime"));

	if (expires)
		v->exp = v->created + expires;
}

static cJSON *action_make(const char *when, const char *duration, const char *what)
{
	cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(cJSON_AddObjectToObject(json, "trigger"), when, duration);
	cJSON_AddStringToObject(cJSON_AddObjectToObject(json, "action"), "type", what);
	return json;
}

/* @action in the service's order and spelling of types, or NULL if it is malformed. */
static cJSON *action_normal(const cJSON *action)
{
	const char *type = json_string(cJSON_GetObjectItemCaseSensitive(action, "action"), "type");
	const cJSON *trigger = cJSON_GetObjectItemCaseSensitive(action, "trigger");
	const char *after = json_string(trigger, "timeAfterCreate");
	const char *before = json_string(trigger, "timeBeforeExpiry");

	if (!type || (strcasecmp(type, "rotate") && strcasecmp(type, "notify")) ||
	    (!after && !before))
		return NULL;
	return action_make(after ? "timeAfterCreate" : "timeBeforeExpiry", after ? after : before,
			   strcasecmp(type, "rotate") ? "Notify" : "Rotate");
}

static bool has_notify(const cJSON *actions)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, actions)
	{
		const char *type =
			json_string(cJSON_GetObjectItemCaseSensitive(item, "action"), "type");

		if (type && !strcmp(type, "Notify"))
			return true;
	}
	return false;
}

static void answer_policy(struct req *req, const struct key *key)
{
	_cleanup_free_ char *id =
		xasprintf("https://%s/keys/%s/rotationpolicy", req->authority, key->name);
	cJSON *json = cJSON_CreateObject(), *actions;
	const cJSON *item;

	cJSON_AddStringToObject(json, "id", id);
	cJSON_ArrayForEach(item, key->policy)
		cJSON_AddItemToObject(json, item->string, cJSON_Duplicate(item, true));
	if (!key->policy) {
		actions = cJSON_AddArrayToObject(json, "lifetimeActions");
		cJSON_AddItemToArray(actions, action_make("timeBeforeExpiry", "P30D", "Notify"));
		cJSON_AddObjectToObject(json, "attributes");
	}
	answer_json(req, 200, json);
}

void rotation_get(struct req *req)
{
	struct key *key;

	if (keys_wanted(req, &key))
		answer_policy(req, key);
}

void rotation_put(struct req *req)
{
	const cJSON *attr = cJSON_GetObjectItemCaseSensitive(req->json, "attributes");
	const char *expiry = json_string(attr, "expiryTime");
	const cJSON *old_attr, *item;
	cJSON *policy, *actions, *new_attr;
	int64_t now = now_ms() / 1000;
	struct key *key;

	if (!keys_wanted(req, &key))
		return;
	policy = cJSON_CreateObject();
	actions = cJSON_AddArrayToObject(policy, "lifetimeActions");
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(req->json, "lifetimeActions"))
	{
		cJSON *action = action_normal(item);

		if (!action) {
			cJSON_Delete(policy);
			errors_answer(req, "kv-bad-parameter",
				      "lifetimeActions has an invalid value", NULL);
			return;
		}
		cJSON_AddItemToArray(actions, action);
	}
	if (!has_notify(actions))
		cJSON_AddItemToArray(actions, action_make("timeBeforeExpiry", "P30D", "Notify"));
	old_attr = cJSON_GetObjectItemCaseSensitive(key->policy, "attributes");
	new_attr = cJSON_AddObjectToObject(policy, "attributes");
	if (expiry)
		cJSON_AddStringToObject(new_attr, "expiryTime", expiry);
	cJSON_AddNumberToObject(new_attr, "created", (double)json_number(old_attr, "created", now));
	cJSON_AddNumberToObject(new_attr, "updated", (double)now);
	cJSON_Delete(key->policy);
	key->policy = policy;
	state_changed();
	answer_policy(req, key);
}

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Keys as JSON: the bundles and list items that the service answers with, in its order of fields,
 * and the attributes that a request sets.
 */
#include <string.h>
#include "vault.h"

#define API_EXPORTABLE 704 /* 7.4 began to tell "exportable" */
#define API_PLATFORM   705 /* 7.5 began to tell "hsmPlatform" */

char *bundle_kid(const char *authority, const struct key *key, const struct version *v)
{
	if (!v)
		return xasprintf("https://%s/keys/%s", authority, key->name);
	return xasprintf("https://%s/keys/%s/%s", authority, key->name, v->id);
}

static void add_attributes(cJSON *json, const struct vault *vault, const struct version *v, int api)
{
	cJSON *attr = cJSON_AddObjectToObject(json, "attributes");

	cJSON_AddBoolToObject(attr, "enabled", v->enabled);
	if (v->nbf)
		cJSON_AddNumberToObject(attr, "nbf", (double)v->nbf);
	if (v->exp)
		cJSON_AddNumberToObject(attr, "exp", (double)v->exp);
	cJSON_AddNumberToObject(attr, "created", (double)v->created);
	cJSON_AddNumberToObject(attr, "updated", (double)v->updated);
	cJSON_AddStringToObject(attr, "recoveryLevel", store_recovery_level(vault));
	if (vault->soft_delete)
		cJSON_AddNumberToObject(attr, "recoverableDays", vault->retention_days);
	if (api >= API_EXPORTABLE || vault->cloud->hsm)
		cJSON_AddFalseToObject(attr, "exportable");
	if (api >= API_PLATFORM && !vault->cloud->hsm)
		cJSON_AddStringToObject(attr, "hsmPlatform", strstr(v->kty, "-HSM") ? "2" : "0");
}

static void add_tags(cJSON *json, const struct version *v)
{
	if (v->tags)
		cJSON_AddItemToObject(json, "tags", cJSON_Duplicate(v->tags, true));
}

cJSON *bundle_key(const char *authority, const struct vault *vault, const struct key *key,
		  const struct version *v, int api)
{
	_cleanup_free_ char *kid = bundle_kid(authority, key, v);
	cJSON *json = cJSON_CreateObject();
	cJSON *jwk = cJSON_AddObjectToObject(json, "key");

	cJSON_AddStringToObject(jwk, "kid", kid);
	cJSON_AddStringToObject(jwk, "kty", v->kty);
	cJSON_AddItemToObject(jwk, "key_ops", cJSON_Duplicate(v->ops, true));
	crypto_public(v->pkey, v->crv, jwk);
	add_attributes(json, vault, v, api);
	add_tags(json, v);
	return json;
}

cJSON *bundle_item(const char *authority, const struct vault *vault, const struct key *key,
		   const struct version *v, int api, bool versioned)
{
	_cleanup_free_ char *kid = bundle_kid(authority, key, versioned ? v : NULL);
	cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "kid", kid);
	add_attributes(json, vault, v, api);
	add_tags(json, v);
	return json;
}

cJSON *bundle_deleted(cJSON *json, const char *authority, const struct key *key)
{
	_cleanup_free_ char *id = xasprintf("https://%s/deletedkeys/%s", authority, key->name);
	cJSON *whole = cJSON_CreateObject(), *item;

	cJSON_AddStringToObject(whole, "recoveryId", id);
	cJSON_AddNumberToObject(whole, "deletedDate", (double)key->deleted_at);
	cJSON_AddNumberToObject(whole, "scheduledPurgeDate", (double)key->purge_at);
	while ((item = cJSON_DetachItemFromArray(json, 0)))
		cJSON_AddItemToObject(whole, item->string, item);
	cJSON_Delete(json);
	return whole;
}

cJSON *bundle_default_ops(const char *kty, bool hsm)
{
	static const char *const vault_rsa[] = { "encrypt", "decrypt", "sign",
						 "verify",  "wrapKey", "unwrapKey" };
	static const char *const hsm_rsa[] = { "wrapKey",   "decrypt", "encrypt",
					       "unwrapKey", "sign",    "verify" };
	static const char *const ec[] = { "sign", "verify" };

	if (!strncmp(kty, "EC", 2))
		return cJSON_CreateStringArray(ec, ARRAY_SIZE(ec));
	return cJSON_CreateStringArray(hsm ? hsm_rsa : vault_rsa, ARRAY_SIZE(hsm_rsa));
}

void bundle_apply(struct version *v, const cJSON *body)
{
	const cJSON *attr = cJSON_GetObjectItemCaseSensitive(body, "attributes");
	const cJSON *enabled = cJSON_GetObjectItemCaseSensitive(attr, "enabled");
	const cJSON *ops = cJSON_GetObjectItemCaseSensitive(body, "key_ops");
	const cJSON *tags = cJSON_GetObjectItemCaseSensitive(body, "tags");

	if (cJSON_IsBool(enabled))
		v->enabled = cJSON_IsTrue(enabled);
	v->nbf = json_number(attr, "nbf", v->nbf);
	v->exp = json_number(attr, "exp", v->exp);
	if (cJSON_GetArraySize(ops) > 0) {
		cJSON_Delete(v->ops);
		v->ops = cJSON_Duplicate(ops, true);
	}
	if (cJSON_IsObject(tags)) {
		cJSON_Delete(v->tags);
		v->tags = cJSON_GetArraySize(tags) ? cJSON_Duplicate(tags, true) : NULL;
	}
	state_changed();
}

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The test vault's memory across restarts: vaults, keys, identities and the secret of its tokens in
 * state.json. One key in this form is also what a backup holds.
 */
#include <stdio.h>
#include <string.h>
#include "vault.h"

static bool changed;

void state_changed(void)
{
	changed = true;
}

static cJSON *version_save(const struct version *v)
{
	_cleanup_free_ char *pem = crypto_to_pem(v->pkey);
	cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "id", v->id);
	cJSON_AddStringToObject(json, "kty", v->kty);
	cJSON_AddStringToObject(json, "crv", v->crv);
	cJSON_AddStringToObject(json, "pem", pem);
	cJSON_AddItemToObject(json, "ops", cJSON_Duplicate(v->ops, true));
	if (v->tags)
		cJSON_AddItemToObject(json, "tags", cJSON_Duplicate(v->tags, true));
	cJSON_AddBoolToObject(json, "enabled", v->enabled);
	cJSON_AddNumberToObject(json, "nbf", (double)v->nbf);
	cJSON_AddNumberToObject(json, "exp", (double)v->exp);
	cJSON_AddNumberToObject(json, "created", (double)v->created);
	cJSON_AddNumberToObject(json, "updated", (double)v->updated);
	return json;
}

cJSON *state_key_save(const struct key *key)
{
	cJSON *json = cJSON_CreateObject();
	cJSON *versions;

	cJSON_AddStringToObject(json, "name", key->name);
	cJSON_AddNumberToObject(json, "state", key->state);
	cJSON_AddNumberToObject(json, "deleted_at", (double)key->deleted_at);
	cJSON_AddNumberToObject(json, "purge_at", (double)key->purge_at);
	if (key->policy)
		cJSON_AddItemToObject(json, "policy", cJSON_Duplicate(key->policy, true));
	versions = cJSON_AddArrayToObject(json, "versions");
	for (const struct version *v = key->versions; v; v = v->next)
		cJSON_InsertItemInArray(versions, 0, version_save(v));
	return json;
}

static bool version_load(struct key *key, const cJSON *json)
{
	const char *id = json_string(json, "id"), *kty = json_string(json, "kty"),
		   *crv = json_string(json, "crv");
	const char *pem = json_string(json, "pem");
	struct evp_pkey_st *pkey = pem ? crypto_from_pem(pem) : NULL;
	struct version *v;

	if (!id || !kty || !crv || !pkey) {
		crypto_free(pkey);
		return false;
	}
	v = store_version_add(key, kty, pkey);
	snprintf(v->id, sizeof(v->id), "%s", id);
	snprintf(v->crv, sizeof(v->crv), "%s", crv);
	v->ops = cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(json, "ops"), true);
	v->tags = cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(json, "tags"), true);
	v->enabled = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "enabled"));
	v->nbf = json_number(json, "nbf", 0);
	v->exp = json_number(json, "exp", 0);
	v->created = json_number(json, "created", v->created);
	v->updated = json_number(json, "updated", v->updated);
	return true;
}

struct key *state_key_load(struct vault *vault, const cJSON *json)
{
	const char *name = json_string(json, "name");
	const cJSON *item;
	struct key *key;

	if (!name)
		return NULL;
	key = store_key_add(vault, name);
	key->state = (enum key_state)json_number(json, "state", KEY_LIVE);
	key->deleted_at = json_number(json, "deleted_at", 0);
	key->purge_at = json_number(json, "purge_at", 0);
	key->policy = cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(json, "policy"), true);
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "versions"))
	{
		if (!version_load(key, item)) {
			store_key_remove(vault, key);
			return NULL;
		}
	}
	if (!key->versions) {
		store_key_remove(vault, key);
		return NULL;
	}
	return key;
}

static cJSON *vault_save(const struct vault *vault)
{
	cJSON *json = cJSON_CreateObject();
	cJSON *keys;

	cJSON_AddStringToObject(json, "host", vault->host);
	cJSON_AddStringToObject(json, "tenant", vault->tenant);
	cJSON_AddStringToObject(json, "region", vault->region);
	cJSON_AddNumberToObject(json, "retention_days", vault->retention_days);
	cJSON_AddNumberToObject(json, "settle_ms", vault->settle_ms);
	cJSON_AddBoolToObject(json, "purge_protection", vault->purge_protection);
	cJSON_AddBoolToObject(json, "soft_delete", vault->soft_delete);
	cJSON_AddBoolToObject(json, "firewall", vault->firewall);
	cJSON_AddBoolToObject(json, "public_off", vault->public_off);
	cJSON_AddItemToObject(json, "no_role", cJSON_Duplicate(vault->no_role, true));
	cJSON_AddItemToObject(json, "no_policy", cJSON_Duplicate(vault->no_policy, true));
	keys = cJSON_AddArrayToObject(json, "keys");
	for (const struct key *key = vault->keys; key; key = key->next)
		cJSON_InsertItemInArray(keys, 0, state_key_save(key));
	return json;
}

static bool load_bool(const cJSON *json, const char *name)
{
	return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, name));
}

static void load_names(cJSON **to, const cJSON *json, const char *name)
{
	const cJSON *names = cJSON_GetObjectItemCaseSensitive(json, name);

	if (cJSON_IsArray(names)) {
		cJSON_Delete(*to);
		*to = cJSON_Duplicate(names, true);
	}
}

static void vault_load(const cJSON *json)
{
	const char *host = json_string(json, "host");
	struct vault *vault = host ? store_vault(host) : NULL;
	const cJSON *key;

	if (!vault)
		return;
	put_string(&vault->tenant, json_string(json, "tenant"));
	put_string(&vault->region, json_string(json, "region"));
	vault->retention_days = (int)json_number(json, "retention_days", vault->retention_days);
	vault->settle_ms = (int)json_number(json, "settle_ms", vault->settle_ms);
	vault->purge_protection = load_bool(json, "purge_protection");
	vault->soft_delete = load_bool(json, "soft_delete");
	vault->firewall = load_bool(json, "firewall");
	vault->public_off = load_bool(json, "public_off");
	load_names(&vault->no_role, json, "no_role");
	load_names(&vault->no_policy, json, "no_policy");
	cJSON_ArrayForEach(key, cJSON_GetObjectItemCaseSensitive(json, "keys"))
		state_key_load(vault, key);
}

void state_save(void)
{
	_cleanup_free_ char *path = xasprintf("%s/state.json", settings.dir);
	_cleanup_json_ cJSON *json = cJSON_CreateObject();
	_cleanup_free_ char *text = NULL;
	cJSON *list;
	int r;

	cJSON_AddStringToObject(json, "region", settings.host_region);
	cJSON_AddNumberToObject(json, "token_lifetime", settings.token_lifetime_s);
	cJSON_AddItemToObject(json, "tokens", token_save());
	cJSON_AddItemToObject(json, "identities", identity_save());
	list = cJSON_AddArrayToObject(json, "vaults");
	for (const struct vault *vault = store_vaults(); vault; vault = vault->next)
		cJSON_InsertItemInArray(list, 0, vault_save(vault));
	text = cJSON_Print(json);
	r = write_file(path, text, 0600);
	if (r)
		fprintf(stderr, "cmk-testvault: cannot write %s: %s\n", path, strerror(-r));
	changed = false;
}

void state_save_if_changed(void)
{
	if (changed)
		state_save();
}

void state_load(void)
{
	_cleanup_free_ char *path = xasprintf("%s/state.json", settings.dir);
	_cleanup_free_ char *text = read_file(path);
	_cleanup_json_ cJSON *json = text ? cJSON_Parse(text) : NULL;
	const cJSON *item;

	if (text && !json)
		fprintf(stderr, "cmk-testvault: %s is damaged, beginning anew\n", path);
	if (json_string(json, "region"))
		put_string(&settings.host_region, json_string(json, "region"));
	settings.token_lifetime_s =
		(int)json_number(json, "token_lifetime", settings.token_lifetime_s);
	token_load(cJSON_GetObjectItemCaseSensitive(json, "tokens"));
	identity_load(cJSON_GetObjectItemCaseSensitive(json, "identities"));
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(json, "vaults")) vault_load(item);
}

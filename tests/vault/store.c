// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The store: vaults, their keys and the keys' versions in memory, and how deletions and recoveries
 * settle with time.
 */
#include <string.h>
#include "vault.h"

#define DAY_S 86400

static struct vault *vaults;

struct vault *store_vaults(void)
{
	return vaults;
}

struct vault *store_vault(const char *host)
{
	const struct cloud *cloud = cloud_of_host(host);
	struct vault *vault;

	for (vault = vaults; vault; vault = vault->next)
		if (!strcmp(vault->host, host))
			return vault;
	if (!cloud)
		return NULL;
	vault = xcalloc(1, sizeof(*vault));
	vault->host = xstrdup(host);
	vault->cloud = cloud;
	vault->tenant = xstrdup(TENANT_DEFAULT);
	vault->region = xstrdup(REGION_DEFAULT);
	vault->retention_days = 90;
	vault->soft_delete = true;
	vault->purge_protection = true;
	/* Managed HSM's deletions are there at once in every recording, Key Vault's after some
	 * seconds. */
	vault->settle_ms = cloud->hsm ? 0 : 1000;
	vault->no_role = cJSON_CreateArray();
	vault->no_policy = cJSON_CreateArray();
	vault->next = vaults;
	vaults = vault;
	return vault;
}

struct key *store_key(struct vault *vault, const char *name)
{
	/* Names are compared without regard to case and kept as they were first written. */
	for (struct key *key = vault->keys; key; key = key->next)
		if (!strcasecmp(key->name, name))
			return key;
	return NULL;
}

struct key *store_key_add(struct vault *vault, const char *name)
{
	struct key *key = xcalloc(1, sizeof(*key));

	key->name = xstrdup(name);
	key->next = vault->keys;
	vault->keys = key;
	return key;
}

static void version_free(struct version *v)
{
	crypto_free(v->pkey);
	cJSON_Delete(v->ops);
	cJSON_Delete(v->tags);
	free(v->last_unwrap);
	free(v);
}

void store_key_remove(struct vault *vault, struct key *key)
{
	struct key **at = &vault->keys;

	while (*at != key)
		at = &(*at)->next;
	*at = key->next;
	while (key->versions) {
		struct version *v = key->versions;

		key->versions = v->next;
		version_free(v);
	}
	cJSON_Delete(key->policy);
	free(key->name);
	free(key);
}

void store_settle(struct vault *vault)
{
	int64_t now = now_ms();
	struct key *next;

	for (struct key *key = vault->keys; key; key = next) {
		next = key->next;
		if (key->state == KEY_DELETING && now >= key->settles_ms)
			key->state = KEY_DELETED;
		else if (key->state == KEY_RECOVERING && now >= key->settles_ms)
			key->state = KEY_LIVE;
		if (key->state == KEY_DELETED &&
		    (!vault->soft_delete || now / 1000 >= key->purge_at))
			store_key_remove(vault, key);
	}
}

struct version *store_version(const struct key *key, const char *id)
{
	struct version *v = key->versions;

	if (id && *id)
		while (v && strcmp(v->id, id))
			v = v->next;
	return v;
}

struct version *store_version_add(struct key *key, const char *kty, struct evp_pkey_st *pkey)
{
	struct version *v = xcalloc(1, sizeof(*v));

	random_hex(v->id, 32);
	strncpy(v->kty, kty, sizeof(v->kty) - 1);
	v->pkey = pkey;
	v->enabled = true;
	v->created = v->updated = now_ms() / 1000;
	v->next = key->versions;
	key->versions = v;
	return v;
}

void store_delete(struct vault *vault, struct key *key, bool at_once)
{
	int64_t now = now_ms();

	key->state = KEY_DELETING;
	key->settles_ms = at_once ? now : now + vault->settle_ms;
	key->deleted_at = now / 1000;
	key->purge_at = key->deleted_at + (int64_t)vault->retention_days * DAY_S;
	state_changed();
}

void store_recover(struct vault *vault, struct key *key, bool at_once)
{
	key->state = KEY_RECOVERING;
	key->settles_ms = at_once ? now_ms() : now_ms() + vault->settle_ms;
	state_changed();
}

const char *store_recovery_level(const struct vault *vault)
{
	if (!vault->soft_delete)
		return "Purgeable";
	if (vault->retention_days < 90)
		return vault->purge_protection ? "CustomizedRecoverable"
					       : "CustomizedRecoverable+Purgeable";
	return vault->purge_protection ? "Recoverable" : "Recoverable+Purgeable";
}

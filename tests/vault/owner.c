// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The verbs of the control port that do what the owner of the keys does in the portal: to keys,
 * roles, networks, vaults and identities.
 */
#include <stdio.h>
#include <string.h>
#include "vault.h"

#define HOUR_S 3600

/* What a word that names a key means: a name, HOST/NAME, or a URL with or without a version. */
struct target {
	struct vault *vault;
	struct key *key;
	char *name, *version;
};

static void target_end(struct target *t)
{
	free(t->name);
	free(t->version);
}

static char *no_vault(bool *ok, const char *host)
{
	return control_no(ok, "\"%s\" is no host name of a vault, as in " VAULT_DEFAULT, host);
}

/* Resolve @word; a refusal, or NULL. The key may be missing if @must_exist is not set. */
static char *target_find(struct target *t, const char *word, bool must_exist, bool *ok)
{
	_cleanup_free_ char *copy = xstrdup(word);
	char *host = xstrdup(VAULT_DEFAULT), *p = copy, *slash;
	char *refusal = NULL;

	memset(t, 0, sizeof(*t));
	if (!strncmp(p, "https://", 8))
		p += 8;
	slash = strchr(p, '/');
	if (slash) {
		*slash = '\0';
		p[strcspn(p, ":")] = '\0';
		put_string(&host, p);
		p = slash + 1;
		if (!strncmp(p, "keys/", 5))
			p += 5;
	}
	slash = strchr(p, '/');
	if (slash) {
		*slash = '\0';
		t->version = xstrdup(slash + 1);
	}
	t->name = xstrdup(p);
	t->vault = store_vault(host);
	if (!t->vault) {
		refusal = no_vault(ok, host);
	} else {
		store_settle(t->vault);
		t->key = store_key(t->vault, t->name);
		if (must_exist && !t->key)
			refusal = control_no(ok, "vault %s has no key \"%s\"", host, t->name);
		else if (must_exist && t->version && !store_version(t->key, t->version))
			refusal =
				control_no(ok, "key %s has no version \"%s\"", t->name, t->version);
	}
	free(host);
	return refusal;
}

static char *kid_line(const struct target *t, const struct version *v)
{
	_cleanup_free_ char *authority =
		server_port() == 443 ? xstrdup(t->vault->host)
				     : xasprintf("%s:%d", t->vault->host, server_port());
	_cleanup_free_ char *kid = bundle_kid(authority, t->key, v);

	return xasprintf("%s\n", kid);
}

static int64_t time_of(const char *text)
{
	int64_t value = atoll(text);

	return *text == '+' || *text == '-' ? now_ms() / 1000 + value : value;
}

static cJSON *ops_of(const char *list)
{
	_cleanup_free_ char *copy = xstrdup(list);
	cJSON *ops = cJSON_CreateArray();
	char *save = NULL;

	for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save))
		cJSON_AddItemToArray(ops, cJSON_CreateString(word));
	return ops;
}

static char *new_version(struct target *t, struct evp_pkey_st *pkey, const char *kty)
{
	struct version *v;

	if (!t->key)
		t->key = store_key_add(t->vault, t->name);
	v = store_version_add(t->key, kty, pkey);
	v->ops = t->key->versions->next ? cJSON_Duplicate(v->next->ops, true)
					: bundle_default_ops(kty, t->vault->cloud->hsm);
	rotation_apply(t->key, v);
	state_changed();
	return kid_line(t, v);
}

char *owner_create_key(int argc, char **argv, bool *ok)
{
	const char *size = control_option(&argc, argv, "size"),
		   *ops = control_option(&argc, argv, "ops");
	const char *exp = control_option(&argc, argv, "exp"),
		   *nbf = control_option(&argc, argv, "nbf");
	bool hsm = control_flag(&argc, argv, "hsm"),
	     disabled = control_flag(&argc, argv, "disabled");
	int bits = size ? atoi(size) : 2048;
	struct evp_pkey_st *pkey;
	struct target t;
	char *text;

	if (argc != 1 || (bits != 2048 && bits != 3072 && bits != 4096))
		return control_no(ok, "create-key wants one key, and --size 2048, 3072 or 4096");
	pkey = crypto_make("RSA", "", bits);
	pthread_mutex_lock(&vault_lock);
	text = target_find(&t, argv[0], false, ok);
	if (!text && t.key && t.key->state != KEY_LIVE)
		text = control_no(ok, "key %s is deleted; recover or purge it first", t.name);
	if (text) {
		crypto_free(pkey);
	} else {
		text = new_version(&t, pkey, hsm || t.vault->cloud->hsm ? "RSA-HSM" : "RSA");
		t.key->versions->enabled = !disabled;
		t.key->versions->exp = exp ? time_of(exp) : t.key->versions->exp;
		t.key->versions->nbf = nbf ? time_of(nbf) : 0;
		if (ops) {
			cJSON_Delete(t.key->versions->ops);
			t.key->versions->ops = ops_of(ops);
		}
	}
	pthread_mutex_unlock(&vault_lock);
	target_end(&t);
	return text;
}

char *owner_rotate(int argc, char **argv, bool *ok)
{
	struct evp_pkey_st *pkey = NULL;
	struct target t;
	char *text;

	if (argc != 1)
		return control_no(ok, "rotate wants one key");
	pthread_mutex_lock(&vault_lock);
	text = target_find(&t, argv[0], true, ok);
	if (!text && t.key->state != KEY_LIVE)
		text = control_no(ok, "key %s is deleted", t.name);
	if (!text && !strncmp(t.key->versions->kty, "RSA", 3))
		pkey = crypto_make("RSA", "", crypto_bits(t.key->versions->pkey));
	if (!text)
		text = pkey ? new_version(&t, pkey, t.key->versions->kty)
			    : control_no(ok, "only RSA keys rotate here");
	pthread_mutex_unlock(&vault_lock);
	target_end(&t);
	return text;
}

/* Do @change with @value to the version that the word names, or to all versions. */
static char *each_version(int argc, char **argv, bool *ok,
			  void (*change)(struct version *v, const char *value), const char *value)
{
	struct target t;
	char *refusal;

	if (argc != 1)
		return control_no(ok, "the verb wants one key");
	refusal = target_find(&t, argv[0], true, ok);
	for (struct version *v = refusal ? NULL : t.key->versions; v; v = v->next) {
		if (t.version && strcmp(t.version, v->id))
			continue;
		change(v, value);
		v->updated = now_ms() / 1000;
		state_changed();
	}
	target_end(&t);
	return refusal ? refusal : xstrdup("");
}

static void set_enabled(struct version *v, const char *value)
{
	v->enabled = value != NULL;
}

static void set_expired(struct version *v, const char *value)
{
	(void)value;
	v->exp = now_ms() / 1000 - 1;
	/* Key Vault takes no expiry before the activation. */
	if (v->nbf >= v->exp)
		v->nbf = v->exp - HOUR_S;
}

static void set_not_yet_valid(struct version *v, const char *value)
{
	(void)value;
	v->nbf = now_ms() / 1000 + HOUR_S;
	if (v->exp && v->exp <= v->nbf)
		v->exp = v->nbf + HOUR_S;
}

static void set_no_dates(struct version *v, const char *value)
{
	(void)value;
	v->nbf = v->exp = 0;
}

static void set_ops(struct version *v, const char *value)
{
	cJSON_Delete(v->ops);
	v->ops = value ? ops_of(value) : bundle_default_ops(v->kty, false);
}

char *owner_enable(int argc, char **argv, bool *ok)
{
	return each_version(argc, argv, ok, set_enabled, "");
}

char *owner_disable(int argc, char **argv, bool *ok)
{
	return each_version(argc, argv, ok, set_enabled, NULL);
}

char *owner_expire(int argc, char **argv, bool *ok)
{
	return each_version(argc, argv, ok, set_expired, NULL);
}

char *owner_not_yet_valid(int argc, char **argv, bool *ok)
{
	return each_version(argc, argv, ok, set_not_yet_valid, NULL);
}

char *owner_no_dates(int argc, char **argv, bool *ok)
{
	return each_version(argc, argv, ok, set_no_dates, NULL);
}

char *owner_key_ops(int argc, char **argv, bool *ok)
{
	return each_version(argc ? 1 : 0, argv, ok, set_ops, argc > 1 ? argv[1] : NULL);
}

/* The verbs that move a key between its states, one of which @from must be. */
static char *move(int argc, char **argv, bool *ok, enum key_state from, const char *otherwise,
		  void (*to)(struct vault *vault, struct key *key, bool at_once))
{
	bool at_once = control_flag(&argc, argv, "now");
	struct target t;
	char *refusal;

	if (argc != 1)
		return control_no(ok, "the verb wants one key");
	refusal = target_find(&t, argv[0], true, ok);
	if (!refusal && t.key->state == from)
		to(t.vault, t.key, at_once);
	else if (!refusal)
		refusal = control_no(ok, "key %s %s", t.name, otherwise);
	target_end(&t);
	return refusal ? refusal : xstrdup("");
}

static void purge(struct vault *vault, struct key *key, bool at_once)
{
	(void)at_once;
	store_key_remove(vault, key);
	state_changed();
}

char *owner_delete(int argc, char **argv, bool *ok)
{
	return move(argc, argv, ok, KEY_LIVE, "is deleted already, or being recovered",
		    store_delete);
}

char *owner_recover(int argc, char **argv, bool *ok)
{
	return move(argc, argv, ok, KEY_DELETED, "is not deleted, or not yet", store_recover);
}

char *owner_purge(int argc, char **argv, bool *ok)
{
	return move(argc, argv, ok, KEY_DELETED, "is not deleted, or not yet", purge);
}

char *owner_show(int argc, char **argv, bool *ok)
{
	_cleanup_json_ cJSON *json = NULL;
	struct target t;
	char *text;
	cJSON *v;

	if (argc != 1)
		return control_no(ok, "show wants one key");
	text = target_find(&t, argv[0], true, ok);
	if (!text) {
		json = state_key_save(t.key);
		cJSON_ArrayForEach(v, cJSON_GetObjectItemCaseSensitive(json, "versions"))
			cJSON_DeleteItemFromObject(v, "pem");
		text = cJSON_Print(json);
	}
	target_end(&t);
	return text;
}

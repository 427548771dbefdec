// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * From host, method and path to the one handler: the table of all that the test vault answers.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "vault.h"

#define V SURFACE_VAULT

/* VERSION also stands for an empty segment, as in keys/name//unwrapkey: some clients write that for
 * "current". */
static const struct route routes[] = {
	{ V, "GET", "healthstatus", CLASS_HEALTH, keys_health, NULL, NULL },
	{ V, "GET", "keys", CLASS_LIST, lists_keys, "list", "keys/read" },
	{ V, "POST", "keys/restore", CLASS_RESTORE, backup_restore, "restore",
	  "keys/restore/action" },
	{ V, "GET", "keys/KEY", CLASS_GET, keys_get, "get", "keys/read" },
	{ V, "PUT", "keys/KEY", CLASS_IMPORT, keys_import, "import", "keys/import/action" },
	{ V, "PATCH", "keys/KEY", CLASS_UPDATE, keys_update, "update", "keys/update/action" },
	{ V, "DELETE", "keys/KEY", CLASS_DELETE, keys_delete, "delete", "keys/delete" },
	{ V, "POST", "keys/KEY/create", CLASS_CREATE, keys_create, "create", "keys/create/action" },
	{ V, "POST", "keys/KEY/rotate", CLASS_ROTATE, rotation_rotate, "rotate",
	  "keys/rotate/action" },
	{ V, "POST", "keys/KEY/backup", CLASS_BACKUP, backup_make, "backup", "keys/backup/action" },
	{ V, "GET", "keys/KEY/versions", CLASS_VERSIONS, lists_versions, "list", "keys/read" },
	{ V, "GET", "keys/KEY/rotationpolicy", CLASS_POLICY, rotation_get, "getrotationpolicy",
	  "keyrotationpolicies/read" },
	{ V, "PUT", "keys/KEY/rotationpolicy", CLASS_POLICY, rotation_put, "setrotationpolicy",
	  "keyrotationpolicies/write" },
	{ V, "GET", "keys/KEY/VERSION", CLASS_GET, keys_get, "get", "keys/read" },
	{ V, "PATCH", "keys/KEY/VERSION", CLASS_UPDATE, keys_update, "update",
	  "keys/update/action" },
	{ V, "POST", "keys/KEY/wrapkey", CLASS_WRAP, ops_wrap, "wrapKey", "keys/wrap/action" },
	{ V, "POST", "keys/KEY/unwrapkey", CLASS_UNWRAP, ops_unwrap, "unwrapKey",
	  "keys/unwrap/action" },
	{ V, "POST", "keys/KEY/encrypt", CLASS_WRAP, ops_encrypt, "encrypt",
	  "keys/encrypt/action" },
	{ V, "POST", "keys/KEY/decrypt", CLASS_UNWRAP, ops_decrypt, "decrypt",
	  "keys/decrypt/action" },
	{ V, "POST", "keys/KEY/VERSION/wrapkey", CLASS_WRAP, ops_wrap, "wrapKey",
	  "keys/wrap/action" },
	{ V, "POST", "keys/KEY/VERSION/unwrapkey", CLASS_UNWRAP, ops_unwrap, "unwrapKey",
	  "keys/unwrap/action" },
	{ V, "POST", "keys/KEY/VERSION/encrypt", CLASS_WRAP, ops_encrypt, "encrypt",
	  "keys/encrypt/action" },
	{ V, "POST", "keys/KEY/VERSION/decrypt", CLASS_UNWRAP, ops_decrypt, "decrypt",
	  "keys/decrypt/action" },
	{ V, "GET", "deletedkeys", CLASS_LIST, lists_deleted, "list", "keys/read" },
	{ V, "GET", "deletedkeys/KEY", CLASS_DELETED, deleted_get, "get", "keys/read" },
	{ V, "DELETE", "deletedkeys/KEY", CLASS_PURGE, deleted_purge, "purge",
	  "keys/purge/action" },
	{ V, "POST", "deletedkeys/KEY/recover", CLASS_RECOVER, deleted_recover, "recover",
	  "keys/recover/action" },
	{ SURFACE_LOGIN, "GET", "common/discovery/instance", CLASS_DISCOVERY, entra_instance, NULL,
	  NULL },
	{ SURFACE_LOGIN, "GET", "TENANT/v2.0/.well-known/openid-configuration", CLASS_DISCOVERY,
	  entra_openid, NULL, NULL },
	{ SURFACE_LOGIN, "GET", "TENANT/discovery/v2.0/keys", CLASS_DISCOVERY, entra_keys, NULL,
	  NULL },
	{ SURFACE_LOGIN, "POST", "TENANT/oauth2/v2.0/token", CLASS_TOKEN, entra_token, NULL, NULL },
	{ SURFACE_IMDS, "GET", "metadata/identity/oauth2/token", CLASS_IMDS_TOKEN, imds_token, NULL,
	  NULL },
	{ SURFACE_IMDS, "GET", "metadata/instance/compute/location", CLASS_IMDS_INSTANCE,
	  imds_location, NULL, NULL },
	{ SURFACE_IMDS, "GET", "metadata/instance", CLASS_IMDS_INSTANCE, imds_instance, NULL,
	  NULL },
	{ SURFACE_ARC, "GET", "metadata/identity/oauth2/token", CLASS_IMDS_TOKEN, arc_token, NULL,
	  NULL },
	{ SURFACE_CONTROL, "POST", "", CLASS_OTHER, control_run, NULL, NULL },
};

static const char *const class_names[CLASS_COUNT] = {
	[CLASS_GET] = "get",
	[CLASS_CREATE] = "create",
	[CLASS_IMPORT] = "import",
	[CLASS_UPDATE] = "update",
	[CLASS_DELETE] = "delete",
	[CLASS_WRAP] = "wrap",
	[CLASS_UNWRAP] = "unwrap",
	[CLASS_LIST] = "list",
	[CLASS_VERSIONS] = "versions",
	[CLASS_ROTATE] = "rotate",
	[CLASS_POLICY] = "policy",
	[CLASS_BACKUP] = "backup",
	[CLASS_RESTORE] = "restore",
	[CLASS_DELETED] = "deleted",
	[CLASS_RECOVER] = "recover",
	[CLASS_PURGE] = "purge",
	[CLASS_HEALTH] = "health",
	[CLASS_TOKEN] = "token",
	[CLASS_DISCOVERY] = "discovery",
	[CLASS_IMDS_TOKEN] = "imds-token",
	[CLASS_IMDS_INSTANCE] = "imds-instance",
	[CLASS_OTHER] = "other",
};

static const struct {
	const char *name;
	unsigned int mask;
} groups[] = {
	{ "keys", CLASSES_KEYS },
	{ "login", CLASSES_LOGIN },
	{ "imds", CLASSES_IMDS },
	{ "all", CLASSES_ALL },
};

const char *route_class_name(enum class class)
{
	return class_names[class];
}

static unsigned int class_mask(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (!strcmp(groups[i].name, name))
			return groups[i].mask;
	for (size_t i = 0; i < CLASS_COUNT; i++)
		if (!strcmp(class_names[i], name))
			return 1u << i;
	return 0;
}

unsigned int route_classes(const char *list)
{
	_cleanup_free_ char *copy = xstrdup(list);
	unsigned int mask = 0;
	char *save = NULL;

	for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		unsigned int m = class_mask(word);

		if (!m)
			return 0;
		mask |= m;
	}
	return mask;
}

/* Take the next segment off *@path into @out; false at the end. */
static bool segment(const char **path, char *out, size_t size)
{
	size_t len;

	if (!**path)
		return false;
	len = strcspn(*path, "/");
	snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), *path);
	*path += len + ((*path)[len] == '/');
	return true;
}

static bool matches(struct req *req, const struct route *route)
{
	const char *path = req->path + (*req->path == '/'), *pattern = route->pattern;
	char have[256], want[64];

	put_string(&req->key, NULL);
	put_string(&req->version, NULL);
	put_string(&req->tenant, NULL);
	while (segment(&pattern, want, sizeof(want))) {
		if (!segment(&path, have, sizeof(have)))
			return false;
		if (!strcmp(want, "KEY"))
			put_string(&req->key, have);
		else if (!strcmp(want, "VERSION"))
			put_string(&req->version, have);
		else if (!strcmp(want, "TENANT"))
			put_string(&req->tenant, have);
		else if (strcasecmp(want, have))
			return false;
	}
	return !*path && (!req->key || *req->key);
}

static bool valid_name(const char *name)
{
	return strlen(name) <= 127 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") ==
		       strlen(name);
}

static bool valid_request(struct req *req)
{
	/* clang-format off */
	static const char *const versions[] = {
		"7.0", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "2025-07-01", "2016-10-01", "7.3-preview",
		"7.4-preview.1", "7.5-preview.1", "7.6-preview.1", "7.6-preview.2",
	};
	/* clang-format on */
	const char *api = req_query(req, "api-version");

	if (req->key && !valid_name(req->key)) {
		errors_answer(req, req->vault->cloud->hsm ? "mhsm-bad-name" : "kv-bad-name",
			      req->key, NULL);
		return false;
	}
	for (size_t i = 0; api && i < ARRAY_SIZE(versions); i++)
		if (!strcmp(versions[i], api))
			return true;
	errors_answer(req, "kv-bad-api-version", api ? api : "", NULL);
	return false;
}

bool route_find(struct req *req)
{
	bool path_known = false;

	if (req->surface == SURFACE_VAULT && cloud_is_login(req->host))
		req->surface = SURFACE_LOGIN;
	else if (req->surface == SURFACE_VAULT)
		req->vault = store_vault(req->host);
	if (req->surface == SURFACE_VAULT && !req->vault) {
		answer_text(req, 421, "text/plain",
			    "no vault and no login service has this host name\n");
		return false;
	}
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		if (routes[i].surface != req->surface || !matches(req, &routes[i]))
			continue;
		path_known = true;
		if (strcmp(routes[i].method, req->method))
			continue;
		req->route = &routes[i];
		return true;
	}
	answer_text(req, path_known ? 405 : 404, "text/plain",
		    path_known ? "method not allowed\n" : "not found\n");
	return false;
}

void route_run(struct req *req)
{
	if (req->vault)
		store_settle(req->vault);
	if (req->route->permission && (!auth_check(req) || !valid_request(req)))
		return;
	req->route->run(req);
}

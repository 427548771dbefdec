// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The identities that may hold a role: two kinds of managed identity and a service principal, with
 * fixed ids so that configurations can name them.
 */
#include <string.h>
#include "vault.h"

#define RESOURCE_ID(name)                                                                          \
	"/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/test/providers/"       \
	"Microsoft.ManagedIdentity/userAssignedIdentities/" name

static struct identity identities[] = {
	{ .name = "system",
	  .managed = true,
	  .client_id = "c0000000-0000-4000-8000-000000000001",
	  .object_id = "b0000000-0000-4000-8000-000000000001" },
	{ .name = "user",
	  .managed = true,
	  .resource_id = RESOURCE_ID("user"),
	  .client_id = "c0000000-0000-4000-8000-000000000002",
	  .object_id = "b0000000-0000-4000-8000-000000000002" },
	{ .name = "geo",
	  .managed = true,
	  .resource_id = RESOURCE_ID("geo"),
	  .client_id = "c0000000-0000-4000-8000-000000000003",
	  .object_id = "b0000000-0000-4000-8000-000000000003" },
	{ .name = "app",
	  .secret = "test-secret",
	  .client_id = "c0000000-0000-4000-8000-000000000004",
	  .object_id = "b0000000-0000-4000-8000-000000000004" },
};

struct identity *identity_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(identities); i++)
		if (!strcmp(identities[i].name, name))
			return &identities[i];
	return NULL;
}

static bool is(const char *have, const char *wanted)
{
	return have && wanted && !strcasecmp(have, wanted);
}

struct identity *identity_find(const char *client_id, const char *object_id,
			       const char *resource_id)
{
	for (size_t i = 0; i < ARRAY_SIZE(identities); i++) {
		struct identity *who = &identities[i];

		if (is(who->client_id, client_id) || is(who->object_id, object_id) ||
		    is(who->resource_id, resource_id))
			return who;
	}
	return NULL;
}

cJSON *identity_save(void)
{
	cJSON *json = cJSON_CreateObject();

	for (size_t i = 0; i < ARRAY_SIZE(identities); i++) {
		cJSON *item = cJSON_AddObjectToObject(json, identities[i].name);

		cJSON_AddBoolToObject(item, "deleted", identities[i].deleted);
		cJSON_AddBoolToObject(item, "disabled", identities[i].disabled);
		if (identities[i].certificate)
			cJSON_AddStringToObject(item, "certificate", identities[i].certificate);
	}
	return json;
}

void identity_load(const cJSON *json)
{
	for (size_t i = 0; i < ARRAY_SIZE(identities); i++) {
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, identities[i].name);

		identities[i].deleted =
			cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "deleted"));
		identities[i].disabled =
			cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(item, "disabled"));
		put_string(&identities[i].certificate, json_string(item, "certificate"));
	}
}

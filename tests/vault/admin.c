// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The verbs of the control port that set up vaults, their roles and network rules, tenants and
 * identities.
 */
#include <errno.h>
#include <string.h>
#include "vault.h"

#define TENANT_OTHER "a0000000-0000-4000-8000-000000000002"

static char *no_vault(bool *ok, const char *host)
{
	return control_no(ok, "\"%s\" is no host name of a vault, as in " VAULT_DEFAULT, host);
}

static char *describe(const struct vault *vault)
{
	_cleanup_json_ cJSON *json = cJSON_CreateObject();
	_cleanup_free_ char *text = NULL;

	cJSON_AddStringToObject(json, "host", vault->host);
	cJSON_AddStringToObject(json, "region", vault->region);
	cJSON_AddStringToObject(json, "tenant", vault->tenant);
	cJSON_AddNumberToObject(json, "retention", vault->retention_days);
	cJSON_AddBoolToObject(json, "purge-protection", vault->purge_protection);
	cJSON_AddBoolToObject(json, "soft-delete", vault->soft_delete);
	cJSON_AddNumberToObject(json, "settle", vault->settle_ms);
	cJSON_AddBoolToObject(json, "firewall", vault->firewall);
	cJSON_AddBoolToObject(json, "public-access", !vault->public_off);
	text = cJSON_PrintUnformatted(json);
	return xasprintf("%s\n", text);
}

/* Take --@name on|off over into @to; false if it says something else. */
static bool take_switch(int *argc, char **argv, const char *name, bool *to)
{
	const char *text = control_option(argc, argv, name);

	if (!text)
		return true;
	*to = !strcmp(text, "on");
	return *to || !strcmp(text, "off");
}

/* Take --@name N over into @to; false if it says something else. */
static bool take_number(int *argc, char **argv, const char *name, int *to)
{
	const char *text = control_option(argc, argv, name);
	char *end;
	long value;

	if (!text)
		return true;
	value = strtol(text, &end, 10);
	*to = (int)value;
	return *text && !*end && value >= 0 && value <= 1000000;
}

char *admin_vault(int argc, char **argv, bool *ok)
{
	struct vault *vault = argc ? store_vault(argv[0]) : NULL;
	const char *region, *tenant;

	if (!vault)
		return no_vault(ok, argc ? argv[0] : "");
	region = control_option(&argc, argv, "region");
	tenant = control_option(&argc, argv, "tenant");
	if (region)
		put_string(&vault->region, region);
	if (tenant)
		put_string(&vault->tenant, tenant);
	state_changed();
	if (!take_number(&argc, argv, "retention", &vault->retention_days) ||
	    !take_number(&argc, argv, "settle", &vault->settle_ms))
		return control_no(ok, "--retention wants days and --settle milliseconds");
	if (!take_switch(&argc, argv, "purge-protection", &vault->purge_protection) ||
	    !take_switch(&argc, argv, "soft-delete", &vault->soft_delete))
		return control_no(ok, "--purge-protection and --soft-delete want on or off");
	if (argc != 1)
		return control_no(ok, "vault: one word too many: \"%s\"", argv[1]);
	return describe(vault);
}

char *admin_tenant(int argc, char **argv, bool *ok)
{
	const char *host = VAULT_DEFAULT, *tenant = TENANT_OTHER;
	struct vault *vault;

	/* A host name has a dot, a tenant has none. */
	for (int i = 0; i < argc; i++) {
		if (strchr(argv[i], '.'))
			host = argv[i];
		else if (!strcmp(argv[i], "back"))
			tenant = TENANT_DEFAULT;
		else
			tenant = argv[i];
	}
	vault = store_vault(host);
	if (!vault)
		return no_vault(ok, host);
	put_string(&vault->tenant, tenant);
	state_changed();
	return xstrdup("");
}

char *admin_identity(int argc, char **argv, bool *ok)
{
	struct identity *who = argc >= 2 ? identity_by_name(argv[1]) : NULL;

	if (argc >= 2 && !who)
		return control_no(ok, "there is no identity \"%s\"", argv[1]);
	if (argc == 2 && !strcmp(argv[0], "delete")) {
		who->deleted = true;
	} else if (argc == 2 && !strcmp(argv[0], "disable")) {
		who->disabled = true;
	} else if (argc == 2 && !strcmp(argv[0], "restore")) {
		who->deleted = who->disabled = false;
	} else if (argc == 3 && !strcmp(argv[0], "certificate")) {
		char *pem = read_file(argv[2]);

		if (!pem)
			return control_no(ok, "cannot read %s: %s", argv[2], strerror(errno));
		free(who->certificate);
		who->certificate = pem;
	} else {
		return control_no(
			ok,
			"identity wants delete, disable or restore NAME, or certificate NAME FILE");
	}
	state_changed();
	return xstrdup("");
}

static struct vault *vault_of(int argc, char **argv, int at, bool *ok, char **refusal)
{
	const char *host = argc > at ? argv[at] : VAULT_DEFAULT;
	struct vault *vault = store_vault(host);

	*refusal = vault ? NULL : no_vault(ok, host);
	return vault;
}

static void names_change(cJSON *names, const char *name, bool add)
{
	for (int i = cJSON_GetArraySize(names) - 1; i >= 0; i--) {
		const char *have = cJSON_GetStringValue(cJSON_GetArrayItem(names, i));

		/* To restore everybody's role is to restore each one's. */
		if (!strcmp(have, name) || (!add && !strcmp(name, "*")))
			cJSON_DeleteItemFromArray(names, i);
	}
	if (add)
		cJSON_AddItemToArray(names, cJSON_CreateString(name));
	state_changed();
}

/* `VERB A|B [HOST]`: whether A was said; a refusal, or NULL. */
static char *choice(int argc, char **argv, bool *ok, const char *a, const char *b, bool *is_a)
{
	if (argc < 1 || argc > 2 || (strcmp(argv[0], a) && strcmp(argv[0], b)))
		return control_no(ok,
				  "the verb wants %s or %s, and a vault's host name if it is "
				  "not " VAULT_DEFAULT,
				  a, b);
	*is_a = !strcmp(argv[0], a);
	return NULL;
}

static char *permission(int argc, char **argv, bool *ok, bool role)
{
	const char *who = control_option(&argc, argv, "identity");
	bool remove = false;
	char *refusal = choice(argc, argv, ok, "remove", "restore", &remove);
	struct vault *vault;

	if (refusal)
		return refusal;
	if (who && !identity_by_name(who))
		return control_no(ok, "there is no identity \"%s\"", who);
	vault = vault_of(argc, argv, 1, ok, &refusal);
	if (refusal)
		return refusal;
	names_change(role ? vault->no_role : vault->no_policy, who ? who : "*", remove);
	return xstrdup("");
}

char *admin_role(int argc, char **argv, bool *ok)
{
	return permission(argc, argv, ok, true);
}

char *admin_policy(int argc, char **argv, bool *ok)
{
	return permission(argc, argv, ok, false);
}

char *admin_firewall(int argc, char **argv, bool *ok)
{
	bool on = false;
	char *refusal = choice(argc, argv, ok, "on", "off", &on);
	struct vault *vault = refusal ? NULL : vault_of(argc, argv, 1, ok, &refusal);

	if (refusal)
		return refusal;
	vault->firewall = on;
	state_changed();
	return xstrdup("");
}

char *admin_public_access(int argc, char **argv, bool *ok)
{
	bool on = false;
	char *refusal = choice(argc, argv, ok, "on", "off", &on);
	struct vault *vault = refusal ? NULL : vault_of(argc, argv, 1, ok, &refusal);

	if (refusal)
		return refusal;
	vault->public_off = !on;
	state_changed();
	return xstrdup("");
}

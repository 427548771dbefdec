// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Challenges as the services send them, and as someone would who wants a token that is not his. */
#include "unit.h"

#include "kms/challenge.h"

#define TENANT "72f988bf-86f1-41af-91ab-2d7cd011db47"

static void reads(void **state)
{
	static const struct {
		const char *value, *login, *tenant, *resource, *claims;
	} table[] = {
		{ "Bearer authorization=\"https://login.windows.net/" TENANT
		  "\", resource=\"https://vault.azure.net\"",
		  "login.windows.net", TENANT, "https://vault.azure.net", "" },
		/* no space, other order, other case, a slash at the end */
		{ "bearer RESOURCE=\"https://managedhsm.azure.net/\",authorization=\"https://"
		  "login.microsoftonline.com/" TENANT "\"",
		  "login.microsoftonline.com", TENANT, "https://managedhsm.azure.net", "" },
		/* scope wins, wherever it stands */
		{ "Bearer scope=\"https://vault.azure.cn/.default\", "
		  "resource=\"https://evil.example\", "
		  "authorization=\"https://login.chinacloudapi.cn/" TENANT "\"",
		  "login.chinacloudapi.cn", TENANT, "https://vault.azure.cn", "" },
		{ "Bearer resource=\"https://evil.example\", "
		  "scope=\"https://vault.azure.cn/.default\", "
		  "authorization=\"https://login.chinacloudapi.cn/" TENANT "\"",
		  "login.chinacloudapi.cn", TENANT, "https://vault.azure.cn", "" },
		{ "Bearer authorization=\"https://login.microsoftonline.com/common\", "
		  "resource=\"https://vault.azure.net\"",
		  "login.microsoftonline.com", "", "https://vault.azure.net", "" },
		/* another scheme before and behind */
		{ "Basic realm=\"x\", Bearer authorization=\"https://l.example/" TENANT
		  "\", resource=\"https://vault.azure.net\", PoP authorization=\"https://"
		  "evil.example/x\", resource=\"https://evil.example\"",
		  "l.example", TENANT, "https://vault.azure.net", "" },
		/* a claims challenge */
		{ "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/"
		  "oauth2/authorize\", error=\"insufficient_claims\", claims=\"eyJhIjoxfQ==\"",
		  "login.microsoftonline.com", "", "", "eyJhIjoxfQ==" },
		/* claims without the error that makes them count */
		{ "Bearer authorization=\"https://l.example/" TENANT
		  "\", resource=\"https://vault.azure.net\", claims=\"eyJhIjoxfQ==\"",
		  "l.example", TENANT, "https://vault.azure.net", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct challenge c;

		if (challenge_parse(table[i].value, &c) < 0)
			fail_msg("refused: %s", table[i].value);
		assert_string_equal(c.login, table[i].login);
		assert_string_equal(c.tenant, table[i].tenant);
		assert_string_equal(c.resource, table[i].resource);
		assert_string_equal(c.claims, table[i].claims);
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *value;
		int r;
	} table[] = {
		{ "", -ENOENT },
		{ "Basic realm=\"x\"", -ENOENT },
		{ "PoP authorization=\"https://l.example/x\", resource=\"https://vault.azure.net\"",
		  -ENOENT },
		{ "Bearer", -EINVAL },
		{ "Bearer resource=\"https://vault.azure.net\"", -EINVAL },
		{ "Bearer authorization=\"https://l.example/x\"", -EINVAL },
		{ "Bearer authorization=\"http://l.example/x\", "
		  "resource=\"https://vault.azure.net\"",
		  -EINVAL },
		{ "Bearer authorization=\"https://l.example/x\", "
		  "resource=\"http://vault.azure.net\"",
		  -EINVAL },
		{ "Bearer authorization=\"https://l.example/x\", "
		  "resource=\"https://vault.azure.net/path\"",
		  -EINVAL },
		{ "Bearer authorization=\"https://l.example/x\", "
		  "resource=\"https://a@vault.azure.net\"",
		  -EINVAL },
		{ "Bearer authorization=\"https://l.example:1/x\", "
		  "resource=\"https://vault.azure.net\"",
		  -EINVAL },
		{ "Bearer authorization=\"https:///x\", resource=\"https://vault.azure.net\"",
		  -EINVAL },
		{ "Bearer authorization=\"https://l.example/x, resource=", -EINVAL },
		{ "Bearer authorization=\"https://l.example/x\", "
		  "resource=\"https://vault.azure.net\\",
		  -EINVAL },
		{ "Bearer =\"x\"", -ENOENT },
		{ "Bearer , =\"x\"", -EINVAL },
		{ "Bearer authorization=\"\x01\"", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct challenge c;
		int r = challenge_parse(table[i].value, &c);

		if (r != table[i].r)
			fail_msg("%d: %s", r, table[i].value);
	}
}

/* A token leaves for a host under its resource only. */
static void fits(void **state)
{
	static const struct {
		const char *resource, *host;
		bool fits;
	} table[] = {
		{ "https://vault.azure.net", "contoso.vault.azure.net", true },
		{ "https://VAULT.azure.net", "contoso.vault.azure.net", true },
		{ "https://vault.azure.net", "vault.azure.net", false },
		{ "https://vault.azure.net", "evilvault.azure.net", false },
		{ "https://vault.azure.net", ".vault.azure.net", false },
		{ "https://vault.azure.net", "contoso.managedhsm.azure.net", false },
		{ "https://graph.microsoft.com", "contoso.vault.azure.net", false },
		{ "https://contoso.vault.azure.net", "contoso.vault.azure.net", false },
		{ "https://net", "contoso.vault.azure.net", true },
		{ "", "contoso.vault.azure.net", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct challenge c = { 0 };

		snprintf(c.resource, sizeof(c.resource), "%s", table[i].resource);
		assert_int_equal(challenge_fits(&c, table[i].host), table[i].fits);
	}
}

static void too_long(void **state)
{
	static char value[8192];
	struct challenge c;
	size_t n;

	(void)state;
	n = snprintf(value, sizeof(value),
		     "Bearer authorization=\"https://l.example/x\", resource=\"https://");
	memset(value + n, 'a', 300);
	memcpy(value + n + 300, "\"", 2);
	assert_int_equal(challenge_parse(value, &c), -EINVAL);
	n = snprintf(value, sizeof(value), "Bearer claims=\"");
	memset(value + n, 'a', 4000);
	memcpy(value + n + 4000, "\"", 2);
	assert_int_equal(challenge_parse(value, &c), -EINVAL);
}

static void realms(void **state)
{
	char path[64];

	(void)state;
	assert_int_equal(
		challenge_realm("Basic realm=/var/opt/azcmagent/tokens/x.key", path, sizeof(path)),
		0);
	assert_string_equal(path, "/var/opt/azcmagent/tokens/x.key");
	assert_int_equal(challenge_realm("Basic realm=\"/a b\"", path, sizeof(path)), 0);
	assert_string_equal(path, "/a b");
	assert_int_equal(challenge_realm("Basic", path, sizeof(path)), -EINVAL);
	assert_int_equal(challenge_realm("Bearer realm=/x", path, sizeof(path)), -ENOENT);
	assert_int_equal(challenge_realm("Basic realm=/var/opt/azcmagent/tokens/x.key", path, 8),
			 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),    cmocka_unit_test(refuses), cmocka_unit_test(fits),
		cmocka_unit_test(too_long), cmocka_unit_test(realms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

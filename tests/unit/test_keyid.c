// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Key URLs: what is one, in canonical form; and all that is none, with the part that is wrong. */
#include "unit.h"

#include "common/keyid.h"

#define V "0123456789abcdef0123456789abcdef"

static const struct cmk_suffix custom = { ".vault.example", CMK_STORE_MHSM };

static void accepts(void **state)
{
	static const struct {
		const char *url, *canonical; /* NULL: the same */
		enum cmk_store store;
	} table[] = {
		{ "https://contoso.vault.azure.net/keys/kek", NULL, CMK_STORE_VAULT },
		{ "https://contoso.vault.azure.net/keys/kek/" V, NULL, CMK_STORE_VAULT },
		{ "https://contoso.vault.azure.net:443/keys/kek",
		  "https://contoso.vault.azure.net/keys/kek", CMK_STORE_VAULT },
		{ "https://contoso.vault.azure.net:8443/keys/kek", NULL, CMK_STORE_VAULT },
		{ "https://CONTOSO.Vault.Azure.NET/keys/KEK/0123456789ABCDEF0123456789ABCDEF",
		  "https://contoso.vault.azure.net/keys/KEK/" V, CMK_STORE_VAULT },
		{ "https://a-1.vault.azure.cn/keys/a-b-9", NULL, CMK_STORE_VAULT },
		{ "https://a.vault.usgovcloudapi.net/keys/a", NULL, CMK_STORE_VAULT },
		{ "https://hsm.managedhsm.azure.net/keys/a", NULL, CMK_STORE_MHSM },
		{ "https://hsm.managedhsm.azure.cn/keys/a", NULL, CMK_STORE_MHSM },
		{ "https://hsm.managedhsm.usgovcloudapi.net/keys/a/" V, NULL, CMK_STORE_MHSM },
		{ "https://x.vault.example/keys/a", NULL, CMK_STORE_MHSM },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct cmk_error err = { 0 };
		struct cmk_keyid id;
		char url[512];

		if (cmk_keyid_parse(table[i].url, &custom, &id, &err) < 0)
			fail_msg("%s: %s", table[i].url, err.text);
		assert_int_equal(id.store, table[i].store);
		assert_string_equal(cmk_keyid_format(&id, url, sizeof(url)),
				    table[i].canonical ? table[i].canonical : table[i].url);
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *url, *part; /* that the message names */
	} table[] = {
		{ "", "https://" },
		{ "http://contoso.vault.azure.net/keys/kek", "https://" },
		{ "HTTPS://contoso.vault.azure.net/keys/kek", "https://" },
		{ " https://contoso.vault.azure.net/keys/kek", "https://" },
		{ "https://vault.azure.net/keys/kek", "host" },
		{ "https://.vault.azure.net/keys/kek", "host" },
		{ "https://a.b.vault.azure.net/keys/kek", "host" },
		{ "https://-a.vault.azure.net/keys/kek", "host" },
		{ "https://a_b.vault.azure.net/keys/kek", "host" },
		{ "https://a.vault.azure.net.evil.example/keys/kek", "host" },
		{ "https://evil.example/keys/kek", "host" },
		{ "https://evilvault.azure.net/keys/kek", "host" },
		{ "https://user@a.vault.azure.net/keys/kek", "host" },
		{ "https://a.vault.azure.net@evil.example/keys/kek", "/keys/" },
		{ "https://a.vault.azure.net./keys/kek", "host" },
		{ "https://[::1]/keys/kek", "host" },
		{ "https://a.vault.azure.net:/keys/kek", "port" },
		{ "https://a.vault.azure.net:0/keys/kek", "port" },
		{ "https://a.vault.azure.net:65536/keys/kek", "port" },
		{ "https://a.vault.azure.net:443x/keys/kek", "port" },
		{ "https://a.vault.azure.net:+443/keys/kek", "port" },
		{ "https://a.vault.azure.net", "/keys/" },
		{ "https://a.vault.azure.net/", "/keys/" },
		{ "https://a.vault.azure.net/secrets/kek", "/keys/" },
		{ "https://a.vault.azure.net//keys/kek", "/keys/" },
		{ "https://a.vault.azure.net?/keys/kek", "/keys/" },
		{ "https://a.vault.azure.net/keys/", "name" },
		{ "https://a.vault.azure.net/keys/k_k", "name" },
		{ "https://a.vault.azure.net/keys/kek?x=1", "name" },
		{ "https://a.vault.azure.net/keys/kek#x", "name" },
		{ "https://a.vault.azure.net/keys/..%2f", "name" },
		{ "https://a.vault.azure.net/keys/kek/", "version" },
		{ "https://a.vault.azure.net/keys/kek/" V "0", "version" },
		{ "https://a.vault.azure.net/keys/kek/" V "/", "version" },
		{ "https://a.vault.azure.net/keys/kek/0123456789abcdef0123456789abcdeg",
		  "version" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct cmk_error err = { 0 };
		struct cmk_keyid id = { .name = "untouched" };

		if (cmk_keyid_parse(table[i].url, NULL, &id, &err) != -EINVAL)
			fail_msg("accepted: %s", table[i].url);
		assert_int_equal(err.exit, CMK_EXIT_USAGE);
		if (!strstr(err.text, table[i].part))
			fail_msg("%s: %s does not name %s", table[i].url, err.text, table[i].part);
		assert_true(err.remedy[0]);
		assert_string_equal(id.name, "untouched");
	}
}

static void long_ones(void **state)
{
	char url[2000], name[200];
	struct cmk_keyid id;

	(void)state;
	memset(name, 'a', sizeof(name));
	snprintf(url, sizeof(url), "https://a.vault.azure.net/keys/%.127s", name);
	assert_int_equal(cmk_keyid_parse(url, NULL, &id, NULL), 0);
	snprintf(url, sizeof(url), "https://a.vault.azure.net/keys/%.128s", name);
	assert_int_equal(cmk_keyid_parse(url, NULL, &id, NULL), -EINVAL);
	snprintf(url, sizeof(url), "https://%.63s.vault.azure.net/keys/a", name);
	assert_int_equal(cmk_keyid_parse(url, NULL, &id, NULL), 0);
	snprintf(url, sizeof(url), "https://%.64s.vault.azure.net/keys/a", name);
	assert_int_equal(cmk_keyid_parse(url, NULL, &id, NULL), -EINVAL);
}

static void custom_suffix_is_needed(void **state)
{
	struct cmk_keyid id;

	(void)state;
	assert_int_equal(cmk_keyid_parse("https://x.vault.example/keys/a", NULL, &id, NULL),
			 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts),
		cmocka_unit_test(refuses),
		cmocka_unit_test(long_ones),
		cmocka_unit_test(custom_suffix_is_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

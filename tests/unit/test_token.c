// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The token "cmk": there and back, the MAC over each field, and a header that an attacker wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <cjson/cJSON.h>

#include "common/token.h"

#define VERSION "0123456789abcdef0123456789abcdef"
#define UUID	"11111111-2222-4333-8444-555555555555"

static void make_token(struct cmk_token *t)
{
	struct cmk_error err = { 0 };

	memset(t, 0, sizeof(*t));
	t->slot = -1;
	t->mode = CMK_MODE_CUSTOMER;
	t->role = CMK_ROLE_PRIMARY;
	assert_int_equal(cmk_keyid_parse("https://contoso.vault.azure.net/keys/kek/" VERSION, NULL,
					 &t->kek, &err),
			 0);
	t->follow_latest = true;
	memset(t->public.n, 0xc3, 256);
	t->public.n_len = 256;
	memcpy(t->public.e, "\x01\x00\x01", 3);
	t->public.e_len = 3;
	assert_int_equal(cmk_identity_parse("managed", &t->identity, &err), 0);
	t->alg = CMK_ALG_RSA_OAEP_256;
	memset(t->wrapped, 0x5a, 256);
	t->wrapped_len = 256;
	t->created = 1767225600;
	memset(t->mac, 0x11, sizeof(t->mac));
}

static void there_and_back(void **state)
{
	struct cmk_error err = { 0 };
	struct cmk_token a, b;
	char *json, *again;

	(void)state;
	make_token(&a);
	assert_int_equal(cmk_token_format(&a, &json), 0);
	if (cmk_token_parse(json, NULL, &b, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(b.slot, -1);
	assert_int_equal(b.mode, a.mode);
	assert_int_equal(b.role, a.role);
	assert_true(b.follow_latest);
	assert_string_equal(b.kek.host, "contoso.vault.azure.net");
	assert_string_equal(b.kek.version, VERSION);
	assert_memory_equal(b.public.n, a.public.n, 256);
	assert_int_equal(b.public.e_len, 3);
	assert_memory_equal(b.wrapped, a.wrapped, 256);
	assert_int_equal(b.created, a.created);
	assert_memory_equal(b.mac, a.mac, sizeof(a.mac));
	assert_int_equal(cmk_token_format(&b, &again), 0);
	assert_string_equal(json, again);
	free(json);
	free(again);
}

/* @path: "field" or "object.field"; @value: JSON, or NULL to leave the field out. */
static char *edit(const char *json, const char *path, const char *value)
{
	cJSON *root = cJSON_Parse(json), *obj = root;
	const char *dot = strchr(path, '.');
	char name[32], *text;

	assert_non_null(root);
	if (dot) {
		snprintf(name, sizeof(name), "%.*s", (int)(dot - path), path);
		obj = cJSON_GetObjectItemCaseSensitive(root, name);
		path = dot + 1;
	}
	cJSON_DeleteItemFromObjectCaseSensitive(obj, path);
	if (value) {
		cJSON *v = cJSON_Parse(value);

		assert_non_null(v);
		cJSON_AddItemToObject(obj, path, v);
	}
	text = cJSON_PrintUnformatted(root);
	cJSON_Delete(root);
	return text;
}

static const char *const fields[] = {
	"type",	     "keyslots", "version",	      "mode",	 "role",     "kek",
	"kek.store", "kek.id",	 "kek.follow_latest", "public",	 "public.n", "public.e",
	"identity",  "alg",	 "wrapped",	      "created", "mac",
};

static void expect_refused(const char *json, const char *word)
{
	struct cmk_error err = { 0 };
	struct cmk_token t;

	if (cmk_token_parse(json, NULL, &t, &err) != -EINVAL)
		fail_msg("accepted: %s", json);
	if (strncmp(err.text, "token: ", 7) != 0 ||
	    (!strstr(err.text, word) && !strstr(err.remedy, word)))
		fail_msg("`%s` is not in: %s\n%s", word, err.text, json);
	assert_int_equal(err.exit, CMK_EXIT_HEADER);
}

static void missing_and_wrong_type(void **state)
{
	static const char *const bad[] = { NULL,	"null", "17.5",	 "\"\"",       "[1]",
					   "{\"x\":1}", "-1",	"1e300", "\"\\u0001\"" };
	struct cmk_token t;
	char *json;

	(void)state;
	make_token(&t);
	assert_int_equal(cmk_token_format(&t, &json), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		for (size_t b = 0; b < ARRAY_SIZE(bad); b++) {
			char *text = edit(json, fields[i], bad[b]);

			/* an object's own error may name the field in it */
			expect_refused(text,
				       strchr(fields[i], '.') ? strchr(fields[i], '.') + 1 : "");
			free(text);
		}
	}
	free(json);
}

static void wrong_values(void **state)
{
	static const struct {
		const char *field, *value, *word;
	} wrong[] = {
		{ "type", "\"luks2-keyring\"", "`type`" },
		{ "keyslots", "[\"0\"]", "`keyslots`" },
		{ "version", "2", "newer" },
		{ "mode", "\"Customer-Managed\"", "`mode`" },
		{ "role", "\"secondary\"", "`role`" },
		{ "kek.store", "\"managed-hsm\"", "`kek.store`" },
		{ "kek.id", "\"https://contoso.vault.azure.net/keys/kek\"", "one version" },
		{ "kek.id", "\"http://contoso.vault.azure.net/keys/kek/" VERSION "\"", "`kek.id`" },
		{ "kek.id", "\"https://evil.example/keys/kek/" VERSION "\"", "`kek.id`" },
		{ "kek.follow_latest", "1", "`kek.follow_latest`" },
		{ "public.n", "\"AQAB\"", "`public.n`" },
		{ "public.e", "\"AAEAAQ\"", "`public.e`" },
		{ "public.e", "\"AQAC\"", "`public.e`" },
		{ "public.e", "\"AQABAQABAQABAQAB\"", "`public.e`" },
		{ "identity", "\"root\"", "`identity`" },
		{ "alg", "\"RSA1_5\"", "`alg`" },
		{ "wrapped", "\"AQAB\"", "`wrapped`" },
		{ "wrapped", "\"WlpaWg==\"", "`wrapped`" },
		{ "created", "\"2026-01-01T00:00:00Z\"", "`created`" },
		{ "created", "90071992547409930", "`created`" },
		{ "mac", "\"AQAB\"", "`mac`" },
		{ "note", "\"hello\"", "unknown field `note`" },
		{ "kek.note", "\"hello\"", "unknown field `kek.note`" },
	};
	struct cmk_token t;
	char *json;

	(void)state;
	make_token(&t);
	assert_int_equal(cmk_token_format(&t, &json), 0);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		char *text = edit(json, wrong[i].field, wrong[i].value);

		expect_refused(text, wrong[i].word);
		free(text);
	}
	free(json);
}

static void not_json(void **state)
{
	char *json, *text;
	struct cmk_token t;

	(void)state;
	make_token(&t);
	assert_int_equal(cmk_token_format(&t, &json), 0);
	expect_refused("", "not a JSON object");
	expect_refused("[]", "not a JSON object");
	expect_refused("{", "not a JSON object");
	assert_true(asprintf(&text, "%s x", json) > 0);
	expect_refused(text, "not a JSON object");
	free(text);
	assert_true(asprintf(&text, "{\"version\":1,%s", json + 1) > 0);
	expect_refused(text, "`version` is there twice");
	free(text);
	assert_true(asprintf(&text, "%s%9000s", json, "") > 0);
	expect_refused(text, "at most 8192");
	free(text);
	free(json);
}

struct change {
	const char *what;
	size_t offset;
};

/* One bit of any field but slot and mac, or of the UUID or the DEK, gives another MAC. */
static void mac_covers_all(void **state)
{
	static const struct change changes[] = {
		{ "mode", offsetof(struct cmk_token, mode) },
		{ "role", offsetof(struct cmk_token, role) },
		{ "store", offsetof(struct cmk_token, kek.store) },
		{ "host", offsetof(struct cmk_token, kek.host) },
		{ "name", offsetof(struct cmk_token, kek.name) },
		{ "version", offsetof(struct cmk_token, kek.version) },
		{ "follow", offsetof(struct cmk_token, follow_latest) },
		{ "n", offsetof(struct cmk_token, public.n) + 255 },
		{ "e", offsetof(struct cmk_token, public.e) + 2 },
		{ "wrapped", offsetof(struct cmk_token, wrapped) + 255 },
		{ "created", offsetof(struct cmk_token, created) },
	};
	_cleanup_secret_ struct secret dek = SECRET_INIT, other = SECRET_INIT;
	uint8_t mac[CMK_SHA256_BYTES], again[CMK_SHA256_BYTES];
	struct cmk_error err = { 0 };
	struct cmk_token t;

	(void)state;
	assert_int_equal(crypto_random_secret(&dek, CMK_DEK_BYTES), 0);
	assert_int_equal(crypto_random_secret(&other, CMK_DEK_BYTES), 0);
	make_token(&t);
	assert_int_equal(cmk_token_mac(&t, UUID, &dek, mac), 0);
	t.slot = 3;
	memset(t.mac, 0x22, sizeof(t.mac));
	assert_int_equal(cmk_token_mac(&t, UUID, &dek, again), 0);
	assert_memory_equal(mac, again, sizeof(mac));
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		uint8_t *byte = (uint8_t *)&t + changes[i].offset;

		*byte ^= 1;
		assert_int_equal(cmk_token_mac(&t, UUID, &dek, again), 0);
		*byte ^= 1;
		if (memcmp(mac, again, sizeof(mac)) == 0)
			fail_msg("the MAC does not cover %s", changes[i].what);
	}
	assert_int_equal(cmk_token_mac(&t, "21111111-2222-4333-8444-555555555555", &dek, again), 0);
	assert_memory_not_equal(mac, again, sizeof(mac));
	assert_int_equal(cmk_token_mac(&t, UUID, &other, again), 0);
	assert_memory_not_equal(mac, again, sizeof(mac));
	t.alg = CMK_ALG_RSA_OAEP;
	assert_int_equal(cmk_token_mac(&t, UUID, &dek, again), 0);
	assert_memory_not_equal(mac, again, sizeof(mac));
	t.alg = CMK_ALG_RSA_OAEP_256;
	assert_int_equal(cmk_identity_parse("arc", &t.identity, &err), 0);
	assert_int_equal(cmk_token_mac(&t, UUID, &dek, again), 0);
	assert_memory_not_equal(mac, again, sizeof(mac));
}

/* The format of the MAC's input is for ever: a header written today must be accepted by each later
 * release. */
static void mac_golden(void **state)
{
	static const char expected[] = "gVXmwKDodlzDmcMbzh334hU79gxqJbz2wRTOPs9E_1I";
	_cleanup_secret_ struct secret dek = SECRET_INIT;
	uint8_t mac[CMK_SHA256_BYTES], bytes[CMK_DEK_BYTES];
	struct cmk_token t;
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = i;
	assert_int_equal(secret_from(&dek, bytes, sizeof(bytes)), 0);
	make_token(&t);
	assert_int_equal(cmk_token_mac(&t, UUID, &dek, mac), 0);
	base64url_encode(mac, sizeof(mac), text, sizeof(text));
	assert_string_equal(text, expected);
}

static int init(void **state)
{
	(void)state;
	return secret_process_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back), cmocka_unit_test(missing_and_wrong_type),
		cmocka_unit_test(wrong_values),	  cmocka_unit_test(not_json),
		cmocka_unit_test(mac_covers_all), cmocka_unit_test(mac_golden),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}

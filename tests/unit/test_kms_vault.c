// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The vault's requests and answers: what is sent, what is believed, and each way in which an answer
 * is not. */
#include "unit.h"

#include "common/base64url.h"
#include "kms/imds.h"
#include "kms/vault.h"

#define V	"0123456789abcdef0123456789abcdef"
#define W	"11111111111111111111111111111111"
#define KID(v)	"https://contoso.vault.azure.net/keys/kek/" v
#define N_CHARS 342 /* of 256 bytes */

static char n[N_CHARS + 1];

static int setup(void **state)
{
	uint8_t modulus[256];

	(void)state;
	memset(modulus, 0xc3, sizeof(modulus));
	assert_int_equal(base64url_encode(modulus, sizeof(modulus), n, sizeof(n)), N_CHARS);
	return 0;
}

static struct cmk_kms_request request(enum cmk_op op, const char *version)
{
	struct cmk_kms_request rq = {
		.op = op,
		.key = { .store = CMK_STORE_VAULT,
			 .host = "contoso.vault.azure.net",
			 .port = 443,
			 .name = "kek" },
		.alg = CMK_ALG_RSA_OAEP_256,
	};

	snprintf(rq.key.version, sizeof(rq.key.version), "%s", version);
	return rq;
}

static void urls(void **state)
{
	struct cmk_kms_request rq = request(CMK_OP_GET_KEY, "");
	char url[VAULT_URL_MAX];

	(void)state;
	assert_string_equal(vault_url(&rq, "7.4", url, sizeof(url)),
			    "https://contoso.vault.azure.net/keys/kek?api-version=7.4");
	rq = request(CMK_OP_UNWRAP, V);
	rq.key.port = 8443;
	assert_string_equal(vault_url(&rq, "2025-07-01", url, sizeof(url)),
			    "https://contoso.vault.azure.net:8443/keys/kek/" V
			    "/unwrapkey?api-version=2025-07-01");
}

static void bodies(void **state)
{
	struct cmk_kms_request rq = request(CMK_OP_UNWRAP, V);
	char body[VAULT_BODY_MAX], want[VAULT_BODY_MAX];

	(void)state;
	rq.input_len = 256;
	memset(rq.input, 0xc3, 256);
	snprintf(want, sizeof(want), "{\"alg\":\"RSA-OAEP-256\",\"value\":\"%s\"}", n);
	assert_int_equal(vault_body(&rq, body, sizeof(body)), strlen(want));
	assert_string_equal(body, want);
	rq.alg = CMK_ALG_RSA_OAEP;
	rq.input_len = 512;
	assert_true(vault_body(&rq, body, sizeof(body)) < sizeof(body));
	assert_non_null(strstr(body, "\"RSA-OAEP\""));
}

/* An answer to a GET, with %s for the modulus. */
#define KEY(kid, rest, attributes)                                                                 \
	"{\"key\":{\"kid\":\"" kid "\",\"kty\":\"RSA\"" rest "},\"attributes\":{" attributes "}}"
#define OPS ",\"key_ops\":[\"wrapKey\",\"unwrapKey\"]"
#define RSA ",\"n\":\"%s\",\"e\":\"AQAB\""
#define ATTRS                                                                                      \
	"\"enabled\":true,\"created\":1,\"updated\":2,\"recoveryLevel\":\"Recoverable\","          \
	"\"recoverableDays\":90"

static int read_key(const char *format, const char *version, struct cmk_kms_answer *an)
{
	struct cmk_kms_request rq = request(CMK_OP_GET_KEY, version);
	char body[4096];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(body, sizeof(body), format, n);
#pragma GCC diagnostic pop
	memset(an, 0, sizeof(*an));
	return vault_read_key(&rq, NULL, body, strlen(body), an);
}

static void key_read(void **state)
{
	struct cmk_kms_answer an;

	(void)state;
	assert_int_equal(
		read_key(KEY(KID(V), OPS RSA, ATTRS ",\"nbf\":5,\"exp\":4102444800"), "", &an), 0);
	assert_string_equal(an.key.version, V);
	assert_string_equal(an.kty, "RSA");
	assert_int_equal(an.n_len, 256);
	assert_int_equal(an.n[255], 0xc3);
	assert_int_equal(an.e_len, 3);
	assert_true(an.attributes.enabled && an.attributes.op_wrap && an.attributes.op_unwrap);
	assert_int_equal(an.attributes.nbf, 5);
	assert_int_equal(an.attributes.exp, 4102444800);
	assert_string_equal(an.recovery_level, "Recoverable");
	assert_int_equal(an.recoverable_days, 90);
	/* disabled, and few operations */
	assert_int_equal(
		read_key(KEY(KID(V), ",\"key_ops\":[\"encrypt\"]" RSA, "\"enabled\":false"), V,
			 &an),
		0);
	assert_false(an.attributes.enabled || an.attributes.op_wrap || an.attributes.op_unwrap);
	/* no key_ops: all */
	assert_int_equal(read_key(KEY(KID(V), RSA, ATTRS), "", &an), 0);
	assert_true(an.attributes.op_unwrap);
	/* another case of the name is the same key */
	assert_int_equal(
		read_key(KEY("https://contoso.vault.azure.net/keys/KEK/" V, OPS RSA, ATTRS), "",
			 &an),
		0);
	/* a key of another type is a true answer */
	assert_int_equal(read_key("{\"key\":{\"kid\":\"" KID(V) "\",\"kty\":\"EC\"" OPS
								"},\"attributes\":{" ATTRS "}}",
				  "", &an),
			 0);
	assert_string_equal(an.kty, "EC");
	assert_int_equal(an.n_len, 0);
}

static void key_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"{}",
		"[]",
		"OK",
		KEY(KID(V), OPS RSA, ATTRS) " x",
		KEY("", OPS RSA, ATTRS),
		KEY("https://contoso.vault.azure.net/keys/kek", OPS RSA, ATTRS),
		KEY("https://other.vault.azure.net/keys/kek/" V, OPS RSA, ATTRS),
		KEY("https://contoso.vault.azure.net/keys/other/" V, OPS RSA, ATTRS),
		KEY(KID(W), OPS RSA, ATTRS),
		KEY("http://contoso.vault.azure.net/keys/kek/" V, OPS RSA, ATTRS),
		KEY(KID(V), OPS ",\"n\":\"AQAB\",\"e\":\"AQAB\"", ATTRS),
		KEY(KID(V), OPS ",\"n\":\"%sAAAA\",\"e\":\"AQAB\"", ATTRS),
		KEY(KID(V), OPS ",\"n\":\"%s\",\"e\":\"\"", ATTRS),
		KEY(KID(V), OPS ",\"n\":\"%s\",\"e\":\"AAAA\"", ATTRS),
		KEY(KID(V), OPS ",\"n\":\"%s\",\"e\":\"Ag\"", ATTRS),
		KEY(KID(V), OPS ",\"n\":\"%s\"", ATTRS),
		KEY(KID(V), OPS ",\"e\":\"AQAB\"", ATTRS),
		KEY(KID(V), OPS ",\"n\":7,\"e\":\"AQAB\"", ATTRS),
		KEY(KID(V), OPS ",\"n\":\"!\",\"e\":\"AQAB\"", ATTRS),
		KEY(KID(V), ",\"key_ops\":\"unwrapKey\"" RSA, ATTRS),
		KEY(KID(V), ",\"key_ops\":[1]" RSA, ATTRS),
		KEY(KID(V), OPS RSA, ""),
		KEY(KID(V), OPS RSA, "\"enabled\":\"true\""),
		KEY(KID(V), OPS RSA, "\"enabled\":1"),
		KEY(KID(V), OPS RSA, ATTRS ",\"exp\":-1"),
		KEY(KID(V), OPS RSA, ATTRS ",\"exp\":1.5"),
		KEY(KID(V), OPS RSA, ATTRS ",\"exp\":1e300"),
		KEY(KID(V), OPS RSA, ATTRS ",\"nbf\":\"soon\""),
		KEY(KID(V), OPS RSA, ATTRS ",\"nbf\":true"),
		"{\"key\":{\"kid\":\"" KID(V) "\"" OPS RSA "},\"attributes\":{" ATTRS "}}",
		"{\"key\":{\"kid\":\"" KID(V) "\",\"kty\":\"RSA-HSM-and-much-more\"" OPS RSA
					      "},\"attributes\":{" ATTRS "}}",
		"{\"key\":{\"kid\":7,\"kty\":\"RSA\"" OPS RSA "},\"attributes\":{" ATTRS "}}",
		"{\"key\":null,\"attributes\":{" ATTRS "}}",
	};
	struct cmk_kms_answer an;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (read_key(bad[i], V, &an) != -EBADMSG)
			fail_msg("accepted: %s", bad[i]);
		assert_true(an.evidence.message[0]);
		assert_int_equal(an.n_len, 0);
		assert_int_equal(an.e_len, 0);
	}
}

static int read_unwrap(const char *body, struct cmk_kms_answer *an)
{
	struct cmk_kms_request rq = request(CMK_OP_UNWRAP, V);

	memset(an, 0, sizeof(*an));
	return vault_read_unwrap(&rq, NULL, body, strlen(body), an);
}

static void unwrap_read(void **state)
{
	struct cmk_kms_answer an;

	(void)state;
	assert_int_equal(read_unwrap("{\"kid\":\"" KID(V) "\",\"value\":\"Zm9vYmFy\"}", &an), 0);
	assert_int_equal(an.output.len, 6);
	assert_memory_equal(an.output.bytes, "foobar", 6);
	secret_wipe(&an.output);
	assert_int_equal(
		read_unwrap("{\"alg\":\"RSA-OAEP-256\",\"kid\":\"" KID(V) "\",\"value\":\"Zm8\"}",
			    &an),
		0);
	assert_int_equal(an.output.len, 2);
	secret_wipe(&an.output);
}

static void unwrap_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"{}",
		"Zm9v",
		"{\"kid\":\"" KID(V) "\"}",
		"{\"value\":\"Zm9vYmFy\"}",
		"{\"kid\":\"" KID(V) "\",\"value\":\"\"}",
		"{\"kid\":\"" KID(V) "\",\"value\":\"Zg==\"}",
		"{\"kid\":\"" KID(V) "\",\"value\":\"Zm9v+mFy\"}",
		"{\"kid\":\"" KID(V) "\",\"value\":\"Zm9vY\"}",
		"{\"kid\":\"" KID(V) "\",\"value\":7}",
		"{\"kid\":\"" KID(W) "\",\"value\":\"Zm9vYmFy\"}",
		"{\"kid\":\"https://evil.vault.azure.net/keys/kek/" V "\",\"value\":\"Zm9vYmFy\"}",
		"{\"alg\":\"RSA1_5\",\"kid\":\"" KID(V) "\",\"value\":\"Zm9vYmFy\"}",
		"{\"alg\":\"RSA-OAEP\",\"kid\":\"" KID(V) "\",\"value\":\"Zm9vYmFy\"}",
	};
	char body[2048];
	struct cmk_kms_answer an;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (read_unwrap(bad[i], &an) != -EBADMSG)
			fail_msg("accepted: %s", bad[i]);
		assert_null(an.output.bytes);
	}
	/* longer than any RSA key unwraps */
	snprintf(body, sizeof(body), "{\"kid\":\"" KID(V) "\",\"value\":\"%0700d\"}", 0);
	assert_int_equal(read_unwrap(body, &an), -EBADMSG);
}

static void imds_urls(void **state)
{
	struct cmk_kms_config c = { .imds = "http://169.254.169.254" };
	struct cmk_identity id = { .kind = CMK_IDENTITY_MANAGED };
	struct token_wish wish = { .identity = &id, .resource = "https://vault.azure.net" };
	char url[512];

	(void)state;
#define BASE                                                                                       \
	"http://169.254.169.254/metadata/identity/oauth2/"                                         \
	"token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.azure.net"
	assert_int_equal(imds_token_url(&c, &wish, url, sizeof(url)), 0);
	assert_string_equal(url, BASE);
	id.selector = CMK_SELECT_RESOURCE_ID;
	snprintf(id.id, sizeof(id.id), "/subscriptions/a b");
	assert_int_equal(imds_token_url(&c, &wish, url, sizeof(url)), 0);
	assert_string_equal(url, BASE "&msi_res_id=%2Fsubscriptions%2Fa%20b");
	wish.claims = "{\"a\":1}";
	assert_int_equal(imds_token_url(&c, &wish, url, sizeof(url)), 0);
	assert_string_equal(url,
			    BASE "&msi_res_id=%2Fsubscriptions%2Fa%20b&claims=%7B%22a%22%3A1%7D");
	for (size_t room = strlen("http://169.254.169.254") + 1; room <= strlen(url); room++)
		assert_int_equal(imds_token_url(&c, &wish, url, room), -EINVAL);
}

static void regions(void **state)
{
	char region[16];

	(void)state;
	assert_int_equal(imds_read_region("westeurope", 10, region, sizeof(region)), 0);
	assert_string_equal(region, "westeurope");
	assert_int_equal(imds_read_region("", 0, region, sizeof(region)), -EBADMSG);
	assert_int_equal(imds_read_region("<html>", 6, region, sizeof(region)), -EBADMSG);
	assert_int_equal(imds_read_region("aaaaaaaaaaaaaaaaaaaa", 20, region, sizeof(region)),
			 -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls),	       cmocka_unit_test(bodies),
		cmocka_unit_test(key_read),    cmocka_unit_test(key_refused),
		cmocka_unit_test(unwrap_read), cmocka_unit_test(unwrap_refused),
		cmocka_unit_test(imds_urls),   cmocka_unit_test(regions),
	};

	if (secret_process_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, setup, NULL);
}

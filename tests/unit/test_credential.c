// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Credentials: read from where systemd lays them, made into an assertion, and sent to nobody but
 * Entra. */
#include "unit.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include "common/base64url.h"
#include "common/credential.h"
#include "kms/arc.h"
#include "kms/crypto_jwt.h"
#include "kms/entra.h"

static char dir[] = "/tmp/cmk-test-XXXXXX";

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	return setenv("CREDENTIALS_DIRECTORY", dir, 1);
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static void write_file(const char *name, const char *text, size_t len)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static int load(enum cmk_identity_kind kind, const char *name, struct secret *s)
{
	struct cmk_identity id = { .kind = kind };

	snprintf(id.credential, sizeof(id.credential), "%s", name);
	return credential_load(&id, s);
}

static void loaded(void **state)
{
	static char large[CMK_SECRET_MAX_BYTES + 1];
	struct secret s = SECRET_INIT;
	char path[128];

	(void)state;
	write_file("secret", "s3cret\n", 7);
	assert_int_equal(load(CMK_IDENTITY_PRINCIPAL, "secret", &s), 0);
	assert_int_equal(s.len, 6);
	assert_memory_equal(s.bytes, "s3cret", 6);
	secret_wipe(&s);
	snprintf(path, sizeof(path), "%s/secret", dir);
	setenv("AZURE_FEDERATED_TOKEN_FILE", path, 1);
	assert_int_equal(load(CMK_IDENTITY_WORKLOAD, "", &s), 0);
	assert_int_equal(s.len, 6);
	secret_wipe(&s);
	/* those that need none */
	assert_int_equal(load(CMK_IDENTITY_MANAGED, "secret", &s), 0);
	assert_int_equal(load(CMK_IDENTITY_ARC, "secret", &s), 0);
	assert_null(s.bytes);

	assert_int_equal(load(CMK_IDENTITY_PRINCIPAL, "missing", &s), -ENOENT);
	write_file("empty", "", 0);
	assert_int_equal(load(CMK_IDENTITY_PRINCIPAL, "empty", &s), -EINVAL);
	write_file("newlines", "\n\n", 2);
	assert_int_equal(load(CMK_IDENTITY_PRINCIPAL, "newlines", &s), -EINVAL);
	write_file("large", large, sizeof(large));
	assert_int_equal(load(CMK_IDENTITY_PRINCIPAL, "large", &s), -EINVAL);
	snprintf(path, sizeof(path), "%s/directory", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(load(CMK_IDENTITY_PRINCIPAL, "directory", &s), -EINVAL);
	snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(load(CMK_IDENTITY_PRINCIPAL, "fifo", &s), -EINVAL);
	assert_null(s.bytes);
}

/* A self-signed certificate and its key, as PEM, in that order or the other. */
static void make_pem(struct secret *pem, bool key_first, bool other_key, EVP_PKEY **out)
{
	EVP_PKEY *key = EVP_RSA_gen(2048), *shown = other_key ? EVP_RSA_gen(2048) : key;
	BIO *bio = BIO_new(BIO_s_mem());
	X509 *cert = X509_new();
	char *text;
	long len;

	assert_non_null(key);
	X509_set_pubkey(cert, key);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	if (!key_first)
		assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
	assert_int_equal(PEM_write_bio_PrivateKey(bio, shown, NULL, NULL, 0, NULL, NULL), 1);
	if (key_first)
		assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
	len = BIO_get_mem_data(bio, &text);
	assert_int_equal(secret_from(pem, text, len), 0);
	if (other_key)
		EVP_PKEY_free(shown);
	X509_free(cert);
	BIO_free(bio);
	*out = key;
}

static bool verify(EVP_PKEY *key, const char *jwt)
{
	const char *dot = strrchr(jwt, '.');
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t signature[512];
	size_t len;
	bool good;

	assert_int_equal(base64url_decode(dot + 1, signature, sizeof(signature), &len), 0);
	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	good = EVP_DigestVerify(ctx, signature, len, (const unsigned char *)jwt, dot - jwt) == 1;
	EVP_MD_CTX_free(ctx);
	return good;
}

static void assertion(void **state)
{
	(void)state;
	for (int key_first = 0; key_first < 2; key_first++) {
		_cleanup_secret_ struct secret pem = SECRET_INIT;
		char *jwt = NULL, *payload, text[1024] = "";
		EVP_PKEY *key;
		size_t len;

		make_pem(&pem, key_first, false, &key);
		assert_int_equal(
			crypto_jwt_make(&pem, "the-client", "https://login/token", 1000, &jwt), 0);
		assert_true(verify(key, jwt));
		EVP_PKEY_free(key);
		payload = strchr(jwt, '.') + 1;
		*strchr(payload, '.') = '\0';
		assert_int_equal(base64url_decode(payload, (uint8_t *)text, sizeof(text) - 1, &len),
				 0);
		assert_non_null(strstr(text, "\"aud\":\"https://login/token\""));
		assert_non_null(strstr(text, "\"iss\":\"the-client\",\"sub\":\"the-client\""));
		assert_non_null(strstr(text, "\"nbf\":1000,\"exp\":1600"));
		payload[-1] = '\0';
		memset(text, 0, sizeof(text));
		assert_int_equal(base64url_decode(jwt, (uint8_t *)text, sizeof(text) - 1, &len), 0);
		assert_non_null(strstr(text, "\"alg\":\"RS256\""));
		assert_non_null(strstr(text, "\"x5t\":\""));
		wiping_free(jwt);
	}
}

static void no_assertion(void **state)
{
	static const char *const bad[] = {
		"x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
	};
	_cleanup_secret_ struct secret pem = SECRET_INIT;
	char *jwt = NULL;
	EVP_PKEY *key;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_secret_ struct secret s = SECRET_INIT;

		assert_int_equal(secret_from(&s, bad[i], strlen(bad[i])), 0);
		assert_int_equal(crypto_jwt_make(&s, "c", "u", 1, &jwt), -EINVAL);
	}
	make_pem(&pem, false, true, &key); /* a key of another certificate */
	assert_int_equal(crypto_jwt_make(&pem, "c", "u", 1, &jwt), -EINVAL);
	EVP_PKEY_free(key);
	assert_null(jwt);
}

static int first(enum cmk_identity_kind kind, const char *login, const char *credential,
		 struct token_source *s, struct http_request *rq)
{
	struct cmk_identity id = {
		.kind = kind, .id = "the-client", .tenant = "the-tenant", .credential = "name"
	};
	_cleanup_secret_ struct secret secret = SECRET_INIT;
	struct token_wish wish = {
		.identity = &id,
		.resource = "https://vault.azure.net",
		.login = login,
		.credential = &secret,
	};

	if (credential)
		assert_int_equal(secret_from(&secret, credential, strlen(credential)), 0);
	memset(s, 0, sizeof(*s));
	memset(rq, 0, sizeof(*rq));
	return entra_first(s, NULL, &wish, rq);
}

static void form(void **state)
{
	struct token_source s;
	struct http_request rq;

	(void)state;
	assert_int_equal(first(CMK_IDENTITY_PRINCIPAL, "login.windows.net", "a&b=c d", &s, &rq), 0);
	assert_string_equal(rq.url,
			    "https://login.microsoftonline.com/the-tenant/oauth2/v2.0/token");
	assert_true(rq.post && !rq.metadata);
	assert_string_equal(
		rq.body, "grant_type=client_credentials&client_id=the-client&scope=https%3A%2F%2F"
			 "vault.azure.net%2F.default&client_secret=a%26b%3Dc%20d");
	token_source_end(&s);
	assert_int_equal(first(CMK_IDENTITY_WORKLOAD, "login.microsoftonline.us", "a.b.c", &s, &rq),
			 0);
	assert_non_null(strstr(rq.url, "https://login.microsoftonline.us/"));
	assert_non_null(strstr(rq.body, "&client_assertion=a.b.c"));
	token_source_end(&s);
	/* without a credential, and with one that somebody else asks for */
	assert_int_equal(first(CMK_IDENTITY_PRINCIPAL, "login.windows.net", NULL, &s, &rq),
			 -EINVAL);
	assert_non_null(s.why);
	assert_int_equal(first(CMK_IDENTITY_PRINCIPAL, "login.evil.example", "secret", &s, &rq),
			 -EINVAL);
	assert_non_null(s.why);
	assert_null(rq.body);
}

static void authorities(void **state)
{
	(void)state;
	assert_string_equal(entra_authority("login.chinacloudapi.cn"), "login.chinacloudapi.cn");
	assert_null(entra_authority("login.microsoftonline.com.evil.example"));
	assert_null(entra_authority(""));
}

static void arc_paths(void **state)
{
	(void)state;
	assert_true(arc_is_key_path("/var/opt/azcmagent/tokens/x.key"));
	assert_false(arc_is_key_path("/var/opt/azcmagent/tokens/x.pem"));
	assert_false(arc_is_key_path("/var/opt/azcmagent/tokens/.key"));
	assert_false(arc_is_key_path("/var/opt/azcmagent/tokens/../../../../etc/x.key"));
	assert_false(arc_is_key_path("/var/opt/azcmagent/tokens/a/x.key"));
	assert_false(arc_is_key_path("/etc/shadow"));
	assert_false(arc_is_key_path(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loaded),	cmocka_unit_test(assertion),
		cmocka_unit_test(no_assertion), cmocka_unit_test(form),
		cmocka_unit_test(authorities),	cmocka_unit_test(arc_paths),
	};

	if (secret_process_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The keys of the test vault: making, importing, showing and using RSA keys (and EC keys, to be
 * looked at only).
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <string.h>
#include "vault.h"

static const struct {
	const char *jwa;
	const char *openssl;
} curves[] = {
	{ "P-256", "prime256v1" },
	{ "P-256K", "secp256k1" },
	{ "P-384", "secp384r1" },
	{ "P-521", "secp521r1" },
};

static const struct {
	const char *name;
	int padding;
	const char *digest;
} algs[] = {
	{ "RSA-OAEP-256", RSA_PKCS1_OAEP_PADDING, "SHA256" },
	{ "RSA-OAEP", RSA_PKCS1_OAEP_PADDING, "SHA1" },
	{ "RSA1_5", RSA_PKCS1_PADDING, NULL },
};

EVP_PKEY *crypto_make(const char *kty, const char *crv, int bits)
{
	if (!strncmp(kty, "RSA", 3))
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
		if (!strcmp(curves[i].jwa, crv))
			return EVP_PKEY_Q_keygen(NULL, NULL, "EC", curves[i].openssl);
	return NULL;
}

int crypto_bits(EVP_PKEY *pkey)
{
	return EVP_PKEY_get_bits(pkey);
}

static void add_number(cJSON *jwk, const char *name, EVP_PKEY *pkey, const char *param, int len)
{
	BIGNUM *bn = NULL;
	unsigned char buf[1024];
	_cleanup_free_ char *text = NULL;

	if (!EVP_PKEY_get_bn_param(pkey, param, &bn))
		return;
	if (len <= 0)
		len = BN_num_bytes(bn);
	if (len <= (int)sizeof(buf) && BN_bn2binpad(bn, buf, len) == len) {
		text = b64url_encode(buf, (size_t)len);
		cJSON_AddStringToObject(jwk, name, text);
	}
	BN_free(bn);
}

void crypto_public(EVP_PKEY *pkey, const char *crv, cJSON *jwk)
{
	int len = (EVP_PKEY_get_bits(pkey) + 7) / 8;

	if (EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA) {
		add_number(jwk, "n", pkey, OSSL_PKEY_PARAM_RSA_N, 0);
		add_number(jwk, "e", pkey, OSSL_PKEY_PARAM_RSA_E, 0);
		return;
	}
	cJSON_AddStringToObject(jwk, "crv", crv);
	add_number(jwk, "x", pkey, OSSL_PKEY_PARAM_EC_PUB_X, len);
	add_number(jwk, "y", pkey, OSSL_PKEY_PARAM_EC_PUB_Y, len);
}

EVP_PKEY *crypto_import(const cJSON *jwk)
{
	static const struct {
		const char *jwk, *param;
	} parts[] = {
		{ "n", OSSL_PKEY_PARAM_RSA_N },		 { "e", OSSL_PKEY_PARAM_RSA_E },
		{ "d", OSSL_PKEY_PARAM_RSA_D },		 { "p", OSSL_PKEY_PARAM_RSA_FACTOR1 },
		{ "q", OSSL_PKEY_PARAM_RSA_FACTOR2 },	 { "dp", OSSL_PKEY_PARAM_RSA_EXPONENT1 },
		{ "dq", OSSL_PKEY_PARAM_RSA_EXPONENT2 }, { "qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1 },
	};
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *bn[ARRAY_SIZE(parts)] = { NULL };
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;
	bool good = true;

	for (size_t i = 0; i < ARRAY_SIZE(parts) && good; i++) {
		const char *text = json_string(jwk, parts[i].jwk);
		unsigned char *bytes;
		size_t len;

		bytes = text ? b64url_decode(text, &len) : NULL;
		bn[i] = bytes ? BN_bin2bn(bytes, (int)len, NULL) : NULL;
		good = bn[i] && OSSL_PARAM_BLD_push_BN(build, parts[i].param, bn[i]);
		free(bytes);
	}
	if (good)
		params = OSSL_PARAM_BLD_to_param(build);
	if (!params || EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) <= 0)
		pkey = NULL;
	OSSL_PARAM_free(params);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		BN_clear_free(bn[i]);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_BLD_free(build);
	return pkey;
}

bool crypto_alg_known(const char *alg)
{
	for (size_t i = 0; i < ARRAY_SIZE(algs); i++)
		if (!strcmp(algs[i].name, alg))
			return true;
	return false;
}

static bool set_alg(EVP_PKEY_CTX *ctx, const char *alg)
{
	for (size_t i = 0; i < ARRAY_SIZE(algs); i++) {
		if (strcmp(algs[i].name, alg))
			continue;
		if (EVP_PKEY_CTX_set_rsa_padding(ctx, algs[i].padding) <= 0)
			return false;
		return !algs[i].digest ||
		       (EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, algs[i].digest, NULL) > 0 &&
			EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, algs[i].digest, NULL) > 0);
	}
	return false;
}

typedef int init_fn(EVP_PKEY_CTX *ctx);
typedef int run_fn(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *out_len, const unsigned char *in,
		   size_t in_len);

static char *transform(EVP_PKEY *pkey, const char *alg, const char *value, init_fn *init,
		       run_fn *run)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	unsigned char out[1024];
	size_t in_len, out_len = sizeof(out);
	unsigned char *in = b64url_decode(value, &in_len);
	char *result = NULL;

	if (in && ctx && init(ctx) > 0 && set_alg(ctx, alg) &&
	    run(ctx, out, &out_len, in, in_len) > 0)
		result = b64url_encode(out, out_len);
	OPENSSL_cleanse(out, sizeof(out));
	free(in);
	EVP_PKEY_CTX_free(ctx);
	return result;
}

char *crypto_encrypt(EVP_PKEY *pkey, const char *alg, const char *value)
{
	return transform(pkey, alg, value, EVP_PKEY_encrypt_init, EVP_PKEY_encrypt);
}

char *crypto_decrypt(EVP_PKEY *pkey, const char *alg, const char *value)
{
	return transform(pkey, alg, value, EVP_PKEY_decrypt_init, EVP_PKEY_decrypt);
}

char *crypto_to_pem(EVP_PKEY *pkey)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *pem = NULL;
	long len;

	if (bio && PEM_write_bio_PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL)) {
		len = BIO_get_mem_data(bio, &data);
		pem = xasprintf("%.*s", (int)len, data);
	}
	BIO_free(bio);
	return pem;
}

EVP_PKEY *crypto_from_pem(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	return pkey;
}

void crypto_free(EVP_PKEY *pkey)
{
	EVP_PKEY_free(pkey);
}

void crypto_random(void *out, size_t len)
{
	if (RAND_bytes(out, (int)len) != 1)
		abort();
}

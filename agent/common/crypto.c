// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* All that both sides do with OpenSSL's algorithms. A failure inside the library is -EIO: there is
 * no remedy. */
#include "crypto.h"

#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

int crypto_random_secret(struct secret *s, size_t len)
{
	int r = secret_alloc(s, len);

	if (r < 0)
		return r;
	if (RAND_priv_bytes(s->bytes, len) != 1) {
		secret_wipe(s);
		return -EIO;
	}
	return 0;
}

int crypto_guid(char guid[37])
{
	uint8_t b[16];

	if (RAND_bytes(b, sizeof(b)) != 1)
		return -EIO;
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	snprintf(guid, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		 b[13], b[14], b[15]);
	return 0;
}

static bool public_is_fit(const struct cmk_public *pub)
{
	if (pub->n_len != 256 && pub->n_len != 384 && pub->n_len != 512)
		return false;
	/* full length: the top bit of an RSA modulus of 8 * n_len bits is set, and it is odd */
	if (!(pub->n[0] & 0x80) || !(pub->n[pub->n_len - 1] & 1))
		return false;
	if (pub->e_len == 0 || pub->e_len > sizeof(pub->e) || pub->e[0] == 0)
		return false;
	return (pub->e[pub->e_len - 1] & 1) && !(pub->e_len == 1 && pub->e[0] == 1);
}

static EVP_PKEY *import_public(const struct cmk_public *pub)
{
	BIGNUM *n = BN_bin2bn(pub->n, pub->n_len, NULL), *e = BN_bin2bn(pub->e, pub->e_len, NULL);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (n && e && bld && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e))
		params = OSSL_PARAM_BLD_to_param(bld);
	if (ctx && params && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(ctx);
	BN_free(e);
	BN_free(n);
	return key;
}

/* Both hashes are named: OpenSSL would take SHA-1 for either. */
static bool set_oaep_sha256(EVP_PKEY_CTX *ctx)
{
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) == 1 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1;
}

/* RFC 8017, 7.1.1: C = RSAEP((n, e), EME-OAEP(M)), and |M| <= k - 2 hLen - 2. */
int crypto_oaep_encrypt(const struct cmk_public *pub, const struct secret *msg, uint8_t *out)
{
	size_t out_len = pub->n_len;
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *key;
	int r = -EIO;

	if (!public_is_fit(pub) || msg->len == 0 ||
	    msg->len > pub->n_len - 2 * CMK_SHA256_BYTES - 2)
		return -EINVAL;
	key = import_public(pub);
	if (!key)
		return -EINVAL;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (ctx && EVP_PKEY_encrypt_init(ctx) == 1 && set_oaep_sha256(ctx) &&
	    EVP_PKEY_encrypt(ctx, out, &out_len, msg->bytes, msg->len) == 1 &&
	    out_len == pub->n_len)
		r = 0;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	return r;
}

/* RFC 5869: T(i) = HMAC(HMAC(0, IKM), T(i - 1) | info | i), OKM = T(1) | T(2) | ... */
int crypto_hkdf(const struct secret *ikm, const char *info, struct secret *okm, size_t len)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, ikm->bytes, ikm->len),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO, (char *)info, strlen(info)),
		OSSL_PARAM_END,
	};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	int r = secret_alloc(okm, len);

	if (r == 0 && (!ctx || EVP_KDF_derive(ctx, okm->bytes, okm->len, params) != 1)) {
		secret_wipe(okm);
		r = -EIO;
	}
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return r;
}

int crypto_hmac(const struct secret *key, const void *p, size_t len, uint8_t mac[CMK_SHA256_BYTES])
{
	size_t mac_len = 0;

	if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key->bytes, key->len, p, len, mac,
		       CMK_SHA256_BYTES, &mac_len) ||
	    mac_len != CMK_SHA256_BYTES)
		return -EIO;
	return 0;
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

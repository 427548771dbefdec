// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Signatures around tokens: the MAC over the vault's own access tokens and the check of a client's
 * signed assertion.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>
#include "vault.h"

char *crypto_mac(const char *secret, const char *text)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	if (!HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)text,
		  strlen(text), mac, &len))
		abort();
	return b64url_encode(mac, len);
}

static X509 *read_certificate(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	return cert;
}

/* Certificate credentials sign with PKCS #1 v1.5 (RS256) or, newer ones, with PSS (PS256). */
static bool set_padding(EVP_PKEY_CTX *ctx, const char *jwt)
{
	_cleanup_free_ char *head = xasprintf("%.*s", (int)strcspn(jwt, "."), jwt);
	_cleanup_free_ char *text = NULL;
	_cleanup_json_ cJSON *json = NULL;
	const char *alg;
	size_t len;

	text = (char *)b64url_decode(head, &len);
	json = text ? cJSON_Parse(text) : NULL;
	alg = json_string(json, "alg");
	if (!alg || (strcmp(alg, "RS256") && strcmp(alg, "PS256")))
		return false;
	return *alg == 'R' || (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
			       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0);
}

bool crypto_verify_jwt(const char *jwt, const char *pem)
{
	const char *dot = strrchr(jwt, '.');
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	X509 *cert = read_certificate(pem);
	EVP_PKEY *pkey = cert ? X509_get0_pubkey(cert) : NULL;
	unsigned char *signature = NULL;
	EVP_PKEY_CTX *how = NULL;
	size_t len = 0;
	bool good = false;

	if (dot)
		signature = b64url_decode(dot + 1, &len);
	if (pkey && signature && EVP_DigestVerifyInit(ctx, &how, EVP_sha256(), NULL, pkey) > 0 &&
	    set_padding(how, jwt))
		good = EVP_DigestVerify(ctx, signature, len, (const unsigned char *)jwt,
					(size_t)(dot - jwt)) == 1;
	free(signature);
	X509_free(cert);
	EVP_MD_CTX_free(ctx);
	return good;
}

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Signatures around tokens: the MAC over the vault's own access tokens and the check of a client's
 * signed assertion.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
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

bool crypto_verify_jwt(const char *jwt, const char *pem)
{
	const char *dot = strrchr(jwt, '.');
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	X509 *cert = read_certificate(pem);
	unsigned char *signature = NULL;
	size_t len = 0;
	bool good = false;

	if (dot)
		signature = b64url_decode(dot + 1, &len);
	if (cert && signature &&
	    EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, X509_get0_pubkey(cert)) > 0)
		good = EVP_DigestVerify(ctx, signature, len, (const unsigned char *)jwt,
					(size_t)(dot - jwt)) == 1;
	free(signature);
	X509_free(cert);
	EVP_MD_CTX_free(ctx);
	return good;
}

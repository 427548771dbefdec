// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* JWS compact serialization (RFC 7515, 3.1): base64url of header, payload and signature, joined by
 * dots. */
#include "crypto_jwt.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "common/crypto.h"

#define LIFETIME_S 600
#define SHA1_BYTES 20
#define JWT_MAX	   4096

static int no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static int load_pem(const struct secret *pem, X509 **cert, EVP_PKEY **key)
{
	BIO *bio = BIO_new_mem_buf(pem->bytes, pem->len);

	if (!bio)
		return -ENOMEM;
	*cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
	/* from the beginning again: the key may stand before its certificate */
	if (BIO_reset(bio) == 1)
		*key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	if (!*cert || !*key || EVP_PKEY_base_id(*key) != EVP_PKEY_RSA ||
	    X509_check_private_key(*cert, *key) != 1)
		return -EINVAL;
	return 0;
}

/* Append base64url of the bytes at @p to @jwt. */
static bool append(char *jwt, const void *p, size_t len)
{
	size_t n = strlen(jwt);

	return base64url_encode(p, len, jwt + n, JWT_MAX - n) > 0;
}

static int append_claims(char *jwt, const X509 *cert, const char *client_id, const char *url,
			 int64_t now)
{
	char part[1024], x5t[32], guid[37];
	unsigned char sha1[SHA1_BYTES];
	unsigned int len = sizeof(sha1);
	int n;

	if (X509_digest(cert, EVP_sha1(), sha1, &len) != 1 || crypto_guid(guid) < 0)
		return -EIO;
	base64url_encode(sha1, len, x5t, sizeof(x5t));
	n = snprintf(part, sizeof(part), "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"x5t\":\"%s\"}", x5t);
	if (!append(jwt, part, n))
		return -EINVAL;
	strcat(jwt, ".");
	n = snprintf(part, sizeof(part),
		     "{\"aud\":\"%s\",\"iss\":\"%s\",\"sub\":\"%s\",\"jti\":\"%s\",\"nbf\":%lld,"
		     "\"exp\":%lld}",
		     url, client_id, client_id, guid, (long long)now, (long long)now + LIFETIME_S);
	return n < (int)sizeof(part) && append(jwt, part, n) ? 0 : -EINVAL;
}

static int append_signature(char *jwt, EVP_PKEY *key)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char signature[1024];
	size_t len = sizeof(signature), signed_len = strlen(jwt);
	int r = -EIO;

	if (ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestSign(ctx, signature, &len, (const unsigned char *)jwt, signed_len) == 1) {
		strcat(jwt, ".");
		r = append(jwt, signature, len) ? 0 : -EINVAL;
	}
	EVP_MD_CTX_free(ctx);
	return r;
}

int crypto_jwt_make(const struct secret *pem, const char *client_id, const char *url, int64_t now,
		    char **jwt)
{
	char *text = wiping_calloc(1, JWT_MAX + 2);
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	int r = text ? load_pem(pem, &cert, &key) : -ENOMEM;

	if (r == 0)
		r = append_claims(text, cert, client_id, url, now);
	if (r == 0)
		r = append_signature(text, key);
	EVP_PKEY_free(key);
	X509_free(cert);
	ERR_clear_error();
	if (r < 0)
		wiping_free(text);
	else
		*jwt = text;
	return r;
}

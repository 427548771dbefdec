/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * All of OpenSSL that the test vault needs, without OpenSSL's headers.
 */
#ifndef CMK_TESTVAULT_CRYPTO_H
#define CMK_TESTVAULT_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <cjson/cJSON.h>
#include "util.h"

struct evp_pkey_st;

/* ---- crypto_key.c ---- */
/** crypto_make() - a new key pair: RSA of @bits, or EC on @crv; NULL if it cannot be */
struct evp_pkey_st *crypto_make(const char *kty, const char *crv, int bits);
int crypto_bits(struct evp_pkey_st *pkey);
/** crypto_public() - add n and e, or crv, x and y of @pkey to the JWK @jwk */
void crypto_public(struct evp_pkey_st *pkey, const char *crv, cJSON *jwk);
/** crypto_import() - an RSA private key from a JWK, or NULL */
struct evp_pkey_st *crypto_import(const cJSON *jwk);
/** crypto_encrypt() / crypto_decrypt() - RSA with @alg as in JWA; base64url in and out, NULL if it
 * does not work */
char *crypto_encrypt(struct evp_pkey_st *pkey, const char *alg, const char *value);
char *crypto_decrypt(struct evp_pkey_st *pkey, const char *alg, const char *value);
bool crypto_alg_known(const char *alg);
char *crypto_to_pem(struct evp_pkey_st *pkey);
struct evp_pkey_st *crypto_from_pem(const char *pem);
void crypto_free(struct evp_pkey_st *pkey);
void crypto_random(void *out, size_t len);

/* ---- crypto_sign.c ---- */
/** crypto_mac() - HMAC-SHA256, base64url; the caller frees */
char *crypto_mac(const char *secret, const char *text);
/** crypto_verify_jwt() - whether @jwt is signed (RS256 or PS256) with the key of the certificate
 * @pem */
bool crypto_verify_jwt(const char *jwt, const char *pem);

/* ---- crypto_cert.c ---- */
/** crypto_certs() - make what is missing of ca.pem and the server certificates in @dir; 0 or -errno
 */
int __must_check crypto_certs(const char *dir);

#endif

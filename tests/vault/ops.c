// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Operations with keys: wrap, unwrap, encrypt and decrypt, and what forbids them.
 */
#include <string.h>
#include <strings.h>
#include "vault.h"

/* Why @v refuses @op, as the id of an error body; NULL if it does not. */
static const char *forbidden(const struct version *v, const char *op)
{
	int64_t now = now_ms() / 1000;
	bool opens = !strcmp(op, "unwrapKey") || !strcmp(op, "decrypt");

	if (!v->enabled)
		return "kv-disabled-key-unwrap";
	/* The dates bind only operations that protect something new: what was wrapped stays
	 * readable. */
	if (!opens && v->exp && v->exp <= now)
		return "kv-expired-key";
	if (!opens && v->nbf && v->nbf > now)
		return "kv-key-not-yet-valid";
	if (!json_names(v->ops, op))
		return "kv-key-ops";
	return NULL;
}

/* The fault "wrong-answer": other bytes, the same length. */
static char *wrong_value(const char *value)
{
	size_t len = 0;
	unsigned char *bytes = b64url_decode(value, &len);
	char *text;

	crypto_random(bytes, len);
	text = b64url_encode(bytes, len);
	free(bytes);
	return text;
}

/* The value to tell for the unwrapped @value, which is taken, after the request's fault and the
 * key's history. */
static char *told_value(struct req *req, struct version *v, char *value)
{
	char *told = value;

	if (req->effect.kind == FAULT_WRONG)
		told = wrong_value(value);
	else if (req->effect.kind == FAULT_REPLAY && v->last_unwrap)
		told = xstrdup(v->last_unwrap);
	if (told == value)
		put_string(&v->last_unwrap, value);
	else
		free(value);
	return told;
}

static void answer_value(struct req *req, const struct key *key, const struct version *v,
			 const char *alg, const char *value)
{
	_cleanup_free_ char *kid = bundle_kid(req->authority, key, v);
	cJSON *json = cJSON_CreateObject();

	if (req->vault->cloud->hsm)
		cJSON_AddStringToObject(json, "alg", alg);
	cJSON_AddStringToObject(json, "kid", kid);
	cJSON_AddStringToObject(json, "value", value);
	answer_json(req, 200, json);
}

static void run(struct req *req, const char *op,
		char *(*transform)(struct evp_pkey_st *, const char *, const char *))
{
	const char *alg = json_string(req->json, "alg"), *value = json_string(req->json, "value");
	struct key *key;
	struct version *v = keys_wanted(req, &key);
	_cleanup_free_ char *result = NULL;
	const char *why;

	if (!v)
		return;
	why = forbidden(v, op);
	if (why) {
		errors_answer(req, why, op, NULL);
		return;
	}
	if (!alg || !value || !crypto_alg_known(alg) || strncmp(v->kty, "RSA", 3)) {
		errors_answer(req, "kv-bad-parameter",
			      "Property alg or value is missing or has an invalid value", NULL);
		return;
	}
	result = transform(v->pkey, alg, value);
	if (!result) {
		errors_answer(req, "kv-bad-parameter", "The parameter is incorrect.\r\n", NULL);
		return;
	}
	if (!strcmp(op, "unwrapKey"))
		result = told_value(req, v, result);
	answer_value(req, key, v, alg, result);
}

void ops_wrap(struct req *req)
{
	run(req, "wrapKey", crypto_encrypt);
}

void ops_unwrap(struct req *req)
{
	run(req, "unwrapKey", crypto_decrypt);
}

void ops_encrypt(struct req *req)
{
	run(req, "encrypt", crypto_encrypt);
}

void ops_decrypt(struct req *req)
{
	run(req, "decrypt", crypto_decrypt);
}

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Key Vault REST API, "Keys" (operations get and unwrapKey). An answer is believed only where it
 * names the key that was asked for and has the form that the service documents.
 */
#include "vault.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base64url.h"
#include "json.h"

#define TIME_MAX 253402300799 /* the end of year 9999 */

static const char *alg_name(enum cmk_alg alg)
{
	return alg == CMK_ALG_RSA_OAEP ? "RSA-OAEP" : "RSA-OAEP-256";
}

char *vault_url(const struct cmk_kms_request *rq, const char *api_version, char *url, size_t room)
{
	char key[512];

	snprintf(url, room, "%s%s?api-version=%s", cmk_keyid_format(&rq->key, key, sizeof(key)),
		 rq->op == CMK_OP_UNWRAP ? "/unwrapkey" : "", api_version);
	return url;
}

size_t vault_body(const struct cmk_kms_request *rq, char *body, size_t room)
{
	char value[CMK_RSA_MAX_BYTES * 4 / 3 + 4];

	base64url_encode(rq->input, rq->input_len, value, sizeof(value));
	return snprintf(body, room, "{\"alg\":\"%s\",\"value\":\"%s\"}", alg_name(rq->alg), value);
}

static int bad(struct cmk_kms_answer *an, const char *what)
{
	snprintf(an->evidence.message, sizeof(an->evidence.message), "%s", what);
	return -EBADMSG;
}

/* The kid must be of this vault, this name, and this version where one was asked for. */
static int read_kid(const char *kid, const struct cmk_kms_request *rq,
		    const struct cmk_suffix *extra, struct cmk_kms_answer *an)
{
	struct cmk_keyid id;

	if (!kid || cmk_keyid_parse(kid, extra, &id, NULL) < 0 || !id.version[0])
		return bad(an, "the answer names no versioned key");
	/* names are case-insensitive and shown as they were created; hosts and versions are lower
	 * case here */
	if (strcmp(id.host, rq->key.host) != 0 || strcasecmp(id.name, rq->key.name) != 0 ||
	    (rq->key.version[0] && strcmp(id.version, rq->key.version) != 0))
		return bad(an, "the answer is about another key than the one asked for");
	an->key = id;
	/* the service does not know by which port it was reached */
	an->key.port = rq->key.port;
	return 0;
}

/* A big-endian number in base64url; leading zeros are dropped. */
static int read_number(const char *text, uint8_t *out, size_t room, size_t *len)
{
	uint8_t raw[CMK_RSA_MAX_BYTES + 1];
	size_t n, zeros = 0;

	if (!text || base64url_decode(text, raw, sizeof(raw), &n) < 0)
		return -EBADMSG;
	while (zeros < n && raw[zeros] == 0)
		zeros++;
	if (n == zeros || n - zeros > room)
		return -EBADMSG;
	memcpy(out, raw + zeros, n - zeros);
	*len = n - zeros;
	return 0;
}

static int read_public(const cJSON *key, struct cmk_kms_answer *an)
{
	if (read_number(json_string(key, "n"), an->n, sizeof(an->n), &an->n_len) < 0 ||
	    read_number(json_string(key, "e"), an->e, sizeof(an->e), &an->e_len) < 0)
		return -EBADMSG;
	if (an->n_len != 256 && an->n_len != 384 && an->n_len != 512)
		return -EBADMSG;
	return (an->n[0] & 0x80) && (an->n[an->n_len - 1] & 1) && (an->e[an->e_len - 1] & 1)
		       ? 0
		       : -EBADMSG;
}

static int read_operations(const cJSON *key, struct cmk_key_attributes *at)
{
	const cJSON *ops = cJSON_GetObjectItemCaseSensitive(key, "key_ops"), *op;

	/* RFC 7517, 4.3: absent, it restricts nothing */
	at->op_wrap = at->op_unwrap = !ops;
	if (ops && !cJSON_IsArray(ops))
		return -EBADMSG;
	cJSON_ArrayForEach(op, ops)
	{
		if (!cJSON_IsString(op))
			return -EBADMSG;
		at->op_wrap |= strcmp(op->valuestring, "wrapKey") == 0;
		at->op_unwrap |= strcmp(op->valuestring, "unwrapKey") == 0;
	}
	return 0;
}

static int read_attributes(const cJSON *j, struct cmk_kms_answer *an)
{
	const cJSON *attributes = cJSON_GetObjectItemCaseSensitive(j, "attributes");
	const cJSON *enabled = cJSON_GetObjectItemCaseSensitive(attributes, "enabled");
	int64_t days = 0;

	if (!cJSON_IsBool(enabled))
		return -EBADMSG;
	an->attributes.enabled = cJSON_IsTrue(enabled);
	if (json_integer(attributes, "nbf", TIME_MAX, &an->attributes.nbf) == -EINVAL ||
	    json_integer(attributes, "exp", TIME_MAX, &an->attributes.exp) == -EINVAL ||
	    json_integer(attributes, "recoverableDays", 36500, &days) == -EINVAL)
		return -EBADMSG;
	an->recoverable_days = days;
	json_copy(an->recovery_level, sizeof(an->recovery_level),
		  json_string(attributes, "recoveryLevel"));
	return 0;
}

static int read_key(const struct cmk_kms_request *rq, const struct cmk_suffix *extra,
		    const cJSON *j, struct cmk_kms_answer *an)
{
	const cJSON *key = cJSON_GetObjectItemCaseSensitive(j, "key");
	const char *kty = json_string(key, "kty");
	int r = read_kid(json_string(key, "kid"), rq, extra, an);

	if (r < 0)
		return r;
	if (!kty || strlen(kty) >= sizeof(an->kty))
		return bad(an, "the answer names no key type");
	json_copy(an->kty, sizeof(an->kty), kty);
	/* a key of another type is a true answer too: it is for the root side to find it unfit */
	if (strncmp(kty, "RSA", 3) == 0 && read_public(key, an) < 0)
		return bad(an, "the answer's RSA key is none of 2048, 3072 or 4096 bits");
	if (read_operations(key, &an->attributes) < 0)
		return bad(an, "the answer's key_ops are malformed");
	if (read_attributes(j, an) < 0)
		return bad(an, "the answer's attributes are malformed");
	return 0;
}

int vault_read_key(const struct cmk_kms_request *rq, const struct cmk_suffix *extra,
		   const char *body, size_t len, struct cmk_kms_answer *an)
{
	_cleanup_json_ cJSON *j = json_object(body, len);
	int r = j ? read_key(rq, extra, j, an) : bad(an, "the answer is not a JSON object");

	if (r < 0)
		an->n_len = an->e_len = 0;
	return r;
}

int vault_read_unwrap(const struct cmk_kms_request *rq, const struct cmk_suffix *extra,
		      const char *body, size_t len, struct cmk_kms_answer *an)
{
	_cleanup_json_ cJSON *j = json_object(body, len);
	const char *value = json_string(j, "value"), *alg = json_string(j, "alg");
	size_t chars, n = 0;
	int r;

	if (!j)
		return bad(an, "the answer is not a JSON object");
	r = read_kid(json_string(j, "kid"), rq, extra, an);
	if (r < 0)
		return r;
	if (alg && strcmp(alg, alg_name(rq->alg)) != 0)
		return bad(an, "the answer is of another algorithm than the one asked for");
	chars = value ? strlen(value) : 0;
	if (chars < 2 || chars / 4 * 3 > CMK_RSA_MAX_BYTES)
		return bad(an, "the answer has no value of a fit length");
	/* straight to the secure heap: as many bytes as the digits hold */
	r = secret_alloc(&an->output, chars / 4 * 3 + (chars % 4 ? chars % 4 - 1 : 0));
	if (r == 0 && base64url_decode(value, an->output.bytes, an->output.len, &n) < 0)
		r = bad(an, "the answer's value is not base64url");
	if (r == 0 && n != an->output.len)
		r = bad(an, "the answer's value is not base64url");
	if (r < 0)
		secret_wipe(&an->output);
	return r;
}

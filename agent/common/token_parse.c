// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Reads the LUKS2 token "cmk". An attacker may have written it, so each field must be there once,
 * with its type and in its range, and none may be there that the MAC does not cover.
 */
#include <string.h>

#include <cjson/cJSON.h>

#include "token_names.h"

#define TOKEN_JSON_MAX 8192
/* the largest integer below which a JSON number, a double, is exact */
#define JSON_INT_MAX 9007199254740992.0

/* What is being read: the token, and where to say what is wrong with it. */
struct reader {
	struct cmk_token *t;
	const struct cmk_suffix *extra;
	struct cmk_error *err;
	enum cmk_store store; /* as `kek.store` says; held against the id */
};

static int wrong(struct reader *rd, const char *field, const char *allowed)
{
	return cmk_error_set(rd->err, CMK_EXIT_HEADER, -EINVAL, NULL,
			     "token: `%s` is missing or wrong: it must be %s", field, allowed);
}

static int read_name(struct reader *rd, const cJSON *j, const char *field, const char *const *names,
		     int n, const char *allowed)
{
	for (int i = 0; i < n && cJSON_IsString(j); i++) {
		if (*names[i] && strcmp(names[i], j->valuestring) == 0)
			return i;
	}
	return wrong(rd, field, allowed);
}

static int read_bytes(struct reader *rd, const cJSON *j, const char *field, uint8_t *out,
		      size_t room, size_t *len)
{
	if (!cJSON_IsString(j) || base64url_decode(j->valuestring, out, room, len) < 0)
		return wrong(rd, field, "base64url of the right length, without padding");
	return 0;
}

static int read_type(struct reader *rd, const cJSON *j)
{
	if (!cJSON_IsString(j) || strcmp(j->valuestring, CMK_TOKEN_TYPE) != 0)
		return wrong(rd, "type", "\"" CMK_TOKEN_TYPE "\"");
	return 0;
}

static int read_keyslots(struct reader *rd, const cJSON *j)
{
	return cJSON_IsArray(j) && cJSON_GetArraySize(j) == 0
		       ? 0
		       : wrong(rd, "keyslots", "an empty list");
}

static int read_version(struct reader *rd, const cJSON *j)
{
	if (cJSON_IsNumber(j) && j->valuedouble == CMK_TOKEN_VERSION)
		return 0;
	return cmk_error_set(
		rd->err, CMK_EXIT_HEADER, -EINVAL,
		"If it is a higher number, the token was written by a newer release: use that one.",
		"token: `version` is missing or wrong: this release reads %d", CMK_TOKEN_VERSION);
}

static int read_mode(struct reader *rd, const cJSON *j)
{
	int i = read_name(rd, j, "mode", cmk_token_modes, CMK_TOKEN_MODES,
			  "customer-managed or service-managed");

	rd->t->mode = i < 0 ? 0 : i;
	return i < 0 ? i : 0;
}

static int read_role(struct reader *rd, const cJSON *j)
{
	int i = read_name(rd, j, "role", cmk_token_roles, CMK_TOKEN_ROLES,
			  "primary, geo-backup or pending");

	rd->t->role = i < 0 ? 0 : i;
	return i < 0 ? i : 0;
}

static int read_store(struct reader *rd, const cJSON *j)
{
	int i = read_name(rd, j, "kek.store", cmk_token_stores, CMK_TOKEN_STORES,
			  "key-vault or managed-hsm");

	rd->store = i < 0 ? 0 : i;
	return i < 0 ? i : 0;
}

static int read_id(struct reader *rd, const cJSON *j)
{
	struct cmk_error why = { 0 };

	if (!cJSON_IsString(j))
		return wrong(rd, "kek.id", "a key's URL");
	if (cmk_keyid_parse(j->valuestring, rd->extra, &rd->t->kek, &why) < 0)
		return cmk_error_set(rd->err, CMK_EXIT_HEADER, -EINVAL, why.remedy,
				     "token: `kek.id`: %s", why.text);
	if (!rd->t->kek.version[0])
		return wrong(rd, "kek.id", "the URL of one version of a key");
	return 0;
}

static int read_follow(struct reader *rd, const cJSON *j)
{
	if (!cJSON_IsBool(j))
		return wrong(rd, "kek.follow_latest", "true or false");
	rd->t->follow_latest = cJSON_IsTrue(j);
	return 0;
}

static int read_n(struct reader *rd, const cJSON *j)
{
	struct cmk_public *p = &rd->t->public;
	int r = read_bytes(rd, j, "public.n", p->n, sizeof(p->n), &p->n_len);

	if (r < 0)
		return r;
	if ((p->n_len != 256 && p->n_len != 384 && p->n_len != 512) || !(p->n[0] & 0x80) ||
	    !(p->n[p->n_len - 1] & 1))
		return wrong(rd, "public.n", "an RSA modulus of 2048, 3072 or 4096 bits");
	return 0;
}

static int read_e(struct reader *rd, const cJSON *j)
{
	struct cmk_public *p = &rd->t->public;
	int r = read_bytes(rd, j, "public.e", p->e, sizeof(p->e), &p->e_len);

	if (r < 0)
		return r;
	if (p->e_len == 0 || !p->e[0] || !(p->e[p->e_len - 1] & 1))
		return wrong(rd, "public.e", "an odd RSA exponent without leading zeros");
	return 0;
}

static int read_identity(struct reader *rd, const cJSON *j)
{
	struct cmk_error why = { 0 };

	if (!cJSON_IsString(j))
		return wrong(rd, "identity", "an identity's text form");
	if (cmk_identity_parse(j->valuestring, &rd->t->identity, &why) < 0)
		return cmk_error_set(rd->err, CMK_EXIT_HEADER, -EINVAL, why.remedy,
				     "token: `identity`: %s", why.text);
	return 0;
}

static int read_alg(struct reader *rd, const cJSON *j)
{
	int i = read_name(rd, j, "alg", cmk_token_algs, CMK_TOKEN_ALGS, "RSA-OAEP-256 or RSA-OAEP");

	rd->t->alg = i < 0 ? 0 : i;
	return i < 0 ? i : 0;
}

static int read_wrapped(struct reader *rd, const cJSON *j)
{
	return read_bytes(rd, j, "wrapped", rd->t->wrapped, sizeof(rd->t->wrapped),
			  &rd->t->wrapped_len);
}

static int read_created(struct reader *rd, const cJSON *j)
{
	if (!cJSON_IsNumber(j) || !(j->valuedouble >= 0 && j->valuedouble < JSON_INT_MAX) ||
	    (double)(int64_t)j->valuedouble != j->valuedouble)
		return wrong(rd, "created", "Unix seconds");
	rd->t->created = j->valuedouble;
	return 0;
}

static int read_mac(struct reader *rd, const cJSON *j)
{
	size_t len = 0;
	int r = read_bytes(rd, j, "mac", rd->t->mac, sizeof(rd->t->mac), &len);

	if (r < 0)
		return r;
	return len == sizeof(rd->t->mac) ? 0 : wrong(rd, "mac", "base64url of 32 bytes");
}

struct field {
	const char *name;
	int (*read)(struct reader *rd, const cJSON *j);
};

/* Each field of @fields once, and no other. @prefix: "" or the object's name and a dot, for errors.
 */
static int read_object(struct reader *rd, const cJSON *obj, const char *prefix,
		       const struct field *fields, size_t n)
{
	unsigned int given = 0;
	const cJSON *j;

	cJSON_ArrayForEach(j, obj)
	{
		size_t i = 0;
		int r;

		while (i < n && strcmp(fields[i].name, j->string) != 0)
			i++;
		if (i == n)
			return cmk_error_set(rd->err, CMK_EXIT_HEADER, -EINVAL, NULL,
					     "token: unknown field `%s%.64s`", prefix, j->string);
		if (given & (1u << i))
			return cmk_error_set(rd->err, CMK_EXIT_HEADER, -EINVAL, NULL,
					     "token: `%s%s` is there twice", prefix,
					     fields[i].name);
		given |= 1u << i;
		r = fields[i].read(rd, j);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < n; i++) {
		if (!(given & (1u << i)))
			return cmk_error_set(rd->err, CMK_EXIT_HEADER, -EINVAL, NULL,
					     "token: `%s%s` is missing", prefix, fields[i].name);
	}
	return 0;
}

static int read_kek(struct reader *rd, const cJSON *j)
{
	static const struct field fields[] = {
		{ "store", read_store },
		{ "id", read_id },
		{ "follow_latest", read_follow },
	};
	int r = cJSON_IsObject(j) ? read_object(rd, j, "kek.", fields, ARRAY_SIZE(fields))
				  : wrong(rd, "kek", "an object");

	if (r < 0)
		return r;
	return rd->store == rd->t->kek.store
		       ? 0
		       : wrong(rd, "kek.store", "the kind that the id's host is of");
}

static int read_public(struct reader *rd, const cJSON *j)
{
	static const struct field fields[] = {
		{ "n", read_n },
		{ "e", read_e },
	};

	return cJSON_IsObject(j) ? read_object(rd, j, "public.", fields, ARRAY_SIZE(fields))
				 : wrong(rd, "public", "an object");
}

int cmk_token_parse(const char *json, const struct cmk_suffix *extra, struct cmk_token *t,
		    struct cmk_error *err)
{
	static const struct field fields[] = {
		{ "type", read_type },	     { "keyslots", read_keyslots },
		{ "version", read_version }, { "mode", read_mode },
		{ "role", read_role },	     { "kek", read_kek },
		{ "public", read_public },   { "identity", read_identity },
		{ "alg", read_alg },	     { "wrapped", read_wrapped },
		{ "created", read_created }, { "mac", read_mac },
	};
	struct reader rd = { .t = t, .extra = extra, .err = err };
	cJSON *obj = NULL;
	int r;

	memset(t, 0, sizeof(*t));
	t->slot = -1;
	if (strnlen(json, TOKEN_JSON_MAX + 1) <= TOKEN_JSON_MAX)
		obj = cJSON_ParseWithOpts(json, NULL, true);
	if (!cJSON_IsObject(obj)) {
		cJSON_Delete(obj);
		return cmk_error_set(err, CMK_EXIT_HEADER, -EINVAL, NULL,
				     "token: not a JSON object of at most %d characters",
				     TOKEN_JSON_MAX);
	}
	r = read_object(&rd, obj, "", fields, ARRAY_SIZE(fields));
	cJSON_Delete(obj);
	if (r < 0)
		return r;
	/* RFC 8017, 7.1.1: a ciphertext is as long as the modulus */
	return t->wrapped_len == t->public.n_len ? 0
						 : wrong(&rd, "wrapped", "as long as `public.n`");
}

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The LUKS2 token "cmk". What is read may have been written by an attacker, so each field must be
 * there once, with its type and in its range, and none may be there that the MAC does not cover.
 */
#include "token.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#define TOKEN_JSON_MAX 8192
#define MAC_INPUT_MAX  4096
#define MAC_INFO       "dm-cmk token mac v1"
/* the largest integer below which a JSON number, a double, is exact */
#define JSON_INT_MAX 9007199254740992.0

static const char *const mode_names[] = {
	[CMK_MODE_CUSTOMER] = "customer-managed",
	[CMK_MODE_SERVICE] = "service-managed",
};

static const char *const role_names[] = {
	[CMK_ROLE_PRIMARY] = "primary",
	[CMK_ROLE_GEO_BACKUP] = "geo-backup",
	[CMK_ROLE_PENDING] = "pending",
};

static const char *const store_names[] = {
	[CMK_STORE_VAULT] = "key-vault",
	[CMK_STORE_MHSM] = "managed-hsm",
};

/* JWA's names, as Key Vault takes them */
static const char *const alg_names[] = {
	[0] = "",
	[CMK_ALG_RSA_OAEP_256] = "RSA-OAEP-256",
	[CMK_ALG_RSA_OAEP] = "RSA-OAEP",
};

const char *cmk_mode_name(enum cmk_mode m)
{
	return mode_names[m];
}

const char *cmk_role_name(enum cmk_role r)
{
	return role_names[r];
}

const char *cmk_alg_name(enum cmk_alg a)
{
	return alg_names[a];
}

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
	int i = read_name(rd, j, "mode", mode_names, ARRAY_SIZE(mode_names),
			  "customer-managed or service-managed");

	rd->t->mode = i < 0 ? 0 : i;
	return i < 0 ? i : 0;
}

static int read_role(struct reader *rd, const cJSON *j)
{
	int i = read_name(rd, j, "role", role_names, ARRAY_SIZE(role_names),
			  "primary, geo-backup or pending");

	rd->t->role = i < 0 ? 0 : i;
	return i < 0 ? i : 0;
}

static int read_store(struct reader *rd, const cJSON *j)
{
	int i = read_name(rd, j, "kek.store", store_names, ARRAY_SIZE(store_names),
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
	int i = read_name(rd, j, "alg", alg_names, ARRAY_SIZE(alg_names),
			  "RSA-OAEP-256 or RSA-OAEP");

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

static cJSON *add_bytes(cJSON *obj, const char *name, const uint8_t *p, size_t len)
{
	char text[CMK_RSA_MAX_BYTES * 4 / 3 + 4];

	base64url_encode(p, len, text, sizeof(text));
	return cJSON_AddStringToObject(obj, name, text);
}

static bool fill_object(cJSON *obj, const struct cmk_token *t)
{
	char text[512];
	cJSON *kek, *public;

	if (!obj || !cJSON_AddStringToObject(obj, "type", CMK_TOKEN_TYPE) ||
	    !cJSON_AddArrayToObject(obj, "keyslots") ||
	    !cJSON_AddNumberToObject(obj, "version", CMK_TOKEN_VERSION) ||
	    !cJSON_AddStringToObject(obj, "mode", mode_names[t->mode]) ||
	    !cJSON_AddStringToObject(obj, "role", role_names[t->role]))
		return false;
	kek = cJSON_AddObjectToObject(obj, "kek");
	if (!kek || !cJSON_AddStringToObject(kek, "store", store_names[t->kek.store]) ||
	    !cJSON_AddStringToObject(kek, "id", cmk_keyid_format(&t->kek, text, sizeof(text))) ||
	    !cJSON_AddBoolToObject(kek, "follow_latest", t->follow_latest))
		return false;
	public = cJSON_AddObjectToObject(obj, "public");
	if (!public || !add_bytes(public, "n", t->public.n, t->public.n_len) ||
	    !add_bytes(public, "e", t->public.e, t->public.e_len))
		return false;
	return cJSON_AddStringToObject(obj, "identity",
				       cmk_identity_format(&t->identity, text, sizeof(text))) &&
	       cJSON_AddStringToObject(obj, "alg", alg_names[t->alg]) &&
	       add_bytes(obj, "wrapped", t->wrapped, t->wrapped_len) &&
	       cJSON_AddNumberToObject(obj, "created", t->created) &&
	       add_bytes(obj, "mac", t->mac, sizeof(t->mac));
}

int cmk_token_format(const struct cmk_token *t, char **json)
{
	cJSON *obj = cJSON_CreateObject();

	*json = fill_object(obj, t) ? cJSON_PrintUnformatted(obj) : NULL;
	cJSON_Delete(obj);
	return *json ? 0 : -ENOMEM;
}

struct mac_input {
	uint8_t bytes[MAC_INPUT_MAX];
	size_t len;
	bool full;
};

/* A field's length, 32 bits big-endian, before it: no two tokens give the same input. */
static void add_field(struct mac_input *in, const void *p, size_t len)
{
	if (len > sizeof(in->bytes) - in->len - 4) {
		in->full = true;
		return;
	}
	for (int shift = 24; shift >= 0; shift -= 8)
		in->bytes[in->len++] = len >> shift;
	memcpy(in->bytes + in->len, p, len);
	in->len += len;
}

static void add_text(struct mac_input *in, const char *text)
{
	add_field(in, text, strlen(text));
}

int cmk_token_mac(const struct cmk_token *t, const char *luks_uuid, const struct secret *dek,
		  uint8_t mac[CMK_SHA256_BYTES])
{
	_cleanup_secret_ struct secret key = SECRET_INIT;
	struct mac_input in = { .len = 0 };
	char text[512];
	int r;

	snprintf(text, sizeof(text), "%d", CMK_TOKEN_VERSION);
	add_text(&in, text);
	add_text(&in, luks_uuid);
	add_text(&in, mode_names[t->mode]);
	add_text(&in, role_names[t->role]);
	add_text(&in, store_names[t->kek.store]);
	add_text(&in, cmk_keyid_format(&t->kek, text, sizeof(text)));
	add_text(&in, t->follow_latest ? "true" : "false");
	add_field(&in, t->public.n, t->public.n_len);
	add_field(&in, t->public.e, t->public.e_len);
	add_text(&in, cmk_identity_format(&t->identity, text, sizeof(text)));
	add_text(&in, alg_names[t->alg]);
	add_field(&in, t->wrapped, t->wrapped_len);
	snprintf(text, sizeof(text), "%" PRId64, t->created);
	add_text(&in, text);
	if (in.full)
		return -EMSGSIZE;
	r = crypto_hkdf(dek, MAC_INFO, &key, CMK_SHA256_BYTES);
	return r < 0 ? r : crypto_hmac(&key, in.bytes, in.len, mac);
}

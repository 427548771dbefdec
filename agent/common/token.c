// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The LUKS2 token "cmk": its names, its JSON, and the MAC that binds it to a volume. */
#include "token.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "token_names.h"

#define MAC_INPUT_MAX 4096
#define MAC_INFO      "dm-cmk token mac v1"

const char *const cmk_token_modes[] = {
	[CMK_MODE_CUSTOMER] = "customer-managed",
	[CMK_MODE_SERVICE] = "service-managed",
};

const char *const cmk_token_roles[] = {
	[CMK_ROLE_PRIMARY] = "primary",
	[CMK_ROLE_GEO_BACKUP] = "geo-backup",
	[CMK_ROLE_PENDING] = "pending",
};

const char *const cmk_token_stores[] = {
	[CMK_STORE_VAULT] = "key-vault",
	[CMK_STORE_MHSM] = "managed-hsm",
};

/* JWA's names, as Key Vault takes them */
const char *const cmk_token_algs[] = {
	[0] = "",
	[CMK_ALG_RSA_OAEP_256] = "RSA-OAEP-256",
	[CMK_ALG_RSA_OAEP] = "RSA-OAEP",
};

const char *cmk_mode_name(enum cmk_mode m)
{
	return cmk_token_modes[m];
}

const char *cmk_role_name(enum cmk_role r)
{
	return cmk_token_roles[r];
}

const char *cmk_alg_name(enum cmk_alg a)
{
	return cmk_token_algs[a];
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
	    !cJSON_AddStringToObject(obj, "mode", cmk_token_modes[t->mode]) ||
	    !cJSON_AddStringToObject(obj, "role", cmk_token_roles[t->role]))
		return false;
	kek = cJSON_AddObjectToObject(obj, "kek");
	if (!kek || !cJSON_AddStringToObject(kek, "store", cmk_token_stores[t->kek.store]) ||
	    !cJSON_AddStringToObject(kek, "id", cmk_keyid_format(&t->kek, text, sizeof(text))) ||
	    !cJSON_AddBoolToObject(kek, "follow_latest", t->follow_latest))
		return false;
	public = cJSON_AddObjectToObject(obj, "public");
	if (!public || !add_bytes(public, "n", t->public.n, t->public.n_len) ||
	    !add_bytes(public, "e", t->public.e, t->public.e_len))
		return false;
	return cJSON_AddStringToObject(obj, "identity",
				       cmk_identity_format(&t->identity, text, sizeof(text))) &&
	       cJSON_AddStringToObject(obj, "alg", cmk_token_algs[t->alg]) &&
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
	add_text(&in, cmk_token_modes[t->mode]);
	add_text(&in, cmk_token_roles[t->role]);
	add_text(&in, cmk_token_stores[t->kek.store]);
	add_text(&in, cmk_keyid_format(&t->kek, text, sizeof(text)));
	add_text(&in, t->follow_latest ? "true" : "false");
	add_field(&in, t->public.n, t->public.n_len);
	add_field(&in, t->public.e, t->public.e_len);
	add_text(&in, cmk_identity_format(&t->identity, text, sizeof(text)));
	add_text(&in, cmk_token_algs[t->alg]);
	add_field(&in, t->wrapped, t->wrapped_len);
	snprintf(text, sizeof(text), "%" PRId64, t->created);
	add_text(&in, text);
	if (in.full)
		return -EMSGSIZE;
	r = crypto_hkdf(dek, MAC_INFO, &key, CMK_SHA256_BYTES);
	return r < 0 ? r : crypto_hmac(&key, in.bytes, in.len, mac);
}

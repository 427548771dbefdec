// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* dump: what the header and its tokens say. Nothing of it is secret; the wrapped DEK is told by its
 * length. */
#include <inttypes.h>
#include <stdio.h>

#include "common/timeutil.h"
#include "ctl.h"

static cJSON *token_json(const struct cmk_token *t)
{
	cJSON *obj = cJSON_CreateObject();
	char text[512];

	cJSON_AddNumberToObject(obj, "slot", t->slot);
	cJSON_AddStringToObject(obj, "mode", cmk_mode_name(t->mode));
	cJSON_AddStringToObject(obj, "role", cmk_role_name(t->role));
	cJSON_AddStringToObject(obj, "kek", cmk_keyid_format(&t->kek, text, sizeof(text)));
	cJSON_AddBoolToObject(obj, "follow_latest", t->follow_latest);
	cJSON_AddNumberToObject(obj, "kek_bits", t->public.n_len * 8);
	cJSON_AddStringToObject(obj, "identity",
				cmk_identity_format(&t->identity, text, sizeof(text)));
	cJSON_AddStringToObject(obj, "alg", cmk_alg_name(t->alg));
	cJSON_AddStringToObject(obj, "created", utc_format(text, sizeof(text), t->created));
	return obj;
}

static void print_json(const struct cmk_header *h)
{
	cJSON *obj = cJSON_CreateObject(), *tokens;

	cJSON_AddStringToObject(obj, "device", h->device);
	cJSON_AddStringToObject(obj, "uuid", h->uuid);
	cJSON_AddNumberToObject(obj, "sector_size", h->sector_size);
	cJSON_AddNumberToObject(obj, "data_offset_sectors", h->data_offset_sectors);
	cJSON_AddNumberToObject(obj, "size_sectors", h->size_sectors);
	tokens = cJSON_AddArrayToObject(obj, "tokens");
	for (size_t i = 0; i < h->n_tokens; i++)
		cJSON_AddItemToArray(tokens, token_json(&h->tokens[i]));
	ctl_print_json(obj);
	cJSON_Delete(obj);
}

static void print_token(const struct cmk_token *t)
{
	char text[512];

	printf("token %d: %s, %s\n", t->slot, cmk_mode_name(t->mode), cmk_role_name(t->role));
	ctl_print_field("KEK", cmk_keyid_format(&t->kek, text, sizeof(text)));
	ctl_print_field("version", t->follow_latest ? "follows the latest" : "this one only");
	snprintf(text, sizeof(text), "RSA, %zu bits", t->public.n_len * 8);
	ctl_print_field("key", text);
	ctl_print_field("identity", cmk_identity_format(&t->identity, text, sizeof(text)));
	snprintf(text, sizeof(text), "%s, %zu bytes", cmk_alg_name(t->alg), t->wrapped_len);
	ctl_print_field("wrapped DEK", text);
	ctl_print_field("created", utc_format(text, sizeof(text), t->created));
}

static void print_header(const struct cmk_header *h)
{
	char text[128];

	printf("%s: LUKS2, subsystem %s\n", h->device, CMK_SUBSYSTEM);
	ctl_print_field("UUID", h->uuid);
	ctl_print_field("cipher", "aes-xts-plain64, 512-bit DEK");
	snprintf(text, sizeof(text), "%u bytes", h->sector_size);
	ctl_print_field("sector", text);
	snprintf(text, sizeof(text), "%" PRIu64 " bytes from byte %" PRIu64, h->size_sectors * 512,
		 h->data_offset_sectors * 512);
	ctl_print_field("data", text);
	for (size_t i = 0; i < h->n_tokens; i++)
		print_token(&h->tokens[i]);
}

int cmd_dump(struct ctl *c)
{
	struct cmk_header h;
	int r = ctl_header(c, c->operands[0], &h);

	if (r < 0)
		return r;
	if (c->json)
		print_json(&h);
	else
		print_header(&h);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The vault's answers and the token endpoints': the first byte says which. What is accepted makes a
 * valid frame. */
#include "fuzz.h"

#include "kms/imds.h"
#include "kms/vault.h"

static const struct cmk_kms_request request = {
	.id = 1,
	.op = CMK_OP_UNWRAP,
	.key = { CMK_STORE_VAULT, "contoso.vault.azure.net", 443, "kek", "" },
	.alg = CMK_ALG_RSA_OAEP_256,
	.input_len = 256,
};

static void check_answer(struct cmk_kms_answer *an, int r)
{
	static uint8_t frame[CMK_FRAME_MAX_BYTES];

	an->id = 1;
	an->evidence.parsed = r == 0;
	CHECK(r == 0 || r == -EBADMSG);
	CHECK(r < 0 || strcmp(an->key.host, request.key.host) == 0);
	CHECK(r == 0 || !an->output.bytes);
	CHECK(cmk_proto_put_answer(frame, an) > 0);
	secret_wipe(&an->output);
}

static void check_token(const char *body, size_t size)
{
	const struct token_source source = { .source = CMK_SOURCE_IMDS };
	struct http_answer *an = calloc(1, sizeof(*an));
	struct cmk_evidence ev;
	int64_t lifetime_s;
	char *token = NULL;

	CHECK(an);
	an->status = 200;
	an->body = (char *)body;
	an->len = size;
	if (token_source_read(&source, an, &token, &lifetime_s, &ev) == 0) {
		CHECK(token && !strpbrk(token, "\r\n \""));
		CHECK(lifetime_s >= 0);
		wiping_free(token);
	}
	free(an);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct cmk_kms_answer an = { .evidence = { .http_status = 200, .retry_after_s = -1 } };
	const char *body = (const char *)data + 1;
	char region[64];

	if (!ready)
		CHECK(secret_process_init() == 0);
	ready = true;
	if (size < 1)
		return 0;
	switch (data[0] % 4) {
	case 0:
		check_answer(&an, vault_read_key(&request, NULL, body, size - 1, &an));
		break;
	case 1:
		check_answer(&an, vault_read_unwrap(&request, NULL, body, size - 1, &an));
		break;
	case 2:
		check_token(body, size - 1);
		break;
	default:
		if (imds_read_region(body, size - 1, region, sizeof(region)) == 0)
			CHECK(strlen(region) == size - 1);
	}
	return 0;
}

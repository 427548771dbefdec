// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The fields of each frame, in tables, and what they owe each other. */
#include "proto.h"

#include <string.h>

#include "frame.h"

/* clang-format off */
#define C struct cmk_kms_config
static const struct frame_field config_fields[] = {
	F_STRING(C, ca_file),
	F_STRING(C, proxy),
	F_STRING(C, api_version),
	F_STRING(C, imds),
	F_INT(C, connect_timeout_ms, 1, 3600 * 1000),
	F_INT(C, total_timeout_ms, 1, 3600 * 1000),
	F_LIST(C, vaults, n_vaults),
	F_STRING(C, suffix),
	F_INT(C, suffix_store, CMK_STORE_VAULT, CMK_STORE_MHSM),
};
#undef C

#define R struct cmk_kms_request
static const struct frame_field request_fields[] = {
	F_INT(R, id, 1, UINT32_MAX),
	F_INT(R, op, CMK_OP_GET_KEY, CMK_OP_HOST_REGION),
	F_KEYID(R, key),
	F_INT(R, identity.kind, CMK_IDENTITY_MANAGED, CMK_IDENTITY_PRINCIPAL),
	F_INT(R, identity.selector, CMK_SELECT_SYSTEM, CMK_SELECT_RESOURCE_ID),
	F_STRING(R, identity.id),
	F_STRING(R, identity.tenant),
	F_STRING(R, identity.credential),
	F_INT(R, alg, 0, CMK_ALG_RSA_OAEP),
	F_BYTES(R, input, input_len),
	F_INT(R, fresh_token, 0, 1),
	F_SECRET(R, credential, CMK_SECRET_MAX_BYTES),
};
#undef R

static const struct frame_field cancel_fields[] = {
	{ .kind = FRAME_INT, .offset = 0, .size = sizeof(uint32_t), .min = 1, .max = UINT32_MAX },
};

#define A struct cmk_kms_answer
static const struct frame_field answer_fields[] = {
	F_INT(A, id, 1, UINT32_MAX),
	F_INT(A, evidence.source, 0, CMK_SOURCES - 1),
	F_INT(A, evidence.transport, 0, CMK_TRANSPORTS - 1),
	F_INT(A, evidence.http_status, 0, 999),
	F_INT(A, evidence.parsed, 0, 1),
	F_STRING(A, evidence.code),
	F_STRING(A, evidence.inner),
	F_STRING(A, evidence.message),
	F_STRING(A, evidence.request_id),
	F_INT(A, evidence.retry_after_s, -1, INT32_MAX),
	F_KEYID(A, key),
	F_STRING(A, kty),
	F_BYTES(A, n, n_len),
	F_BYTES(A, e, e_len),
	F_INT(A, attributes.enabled, 0, 1),
	F_INT(A, attributes.nbf, 0, INT64_MAX),
	F_INT(A, attributes.exp, 0, INT64_MAX),
	F_INT(A, attributes.op_wrap, 0, 1),
	F_INT(A, attributes.op_unwrap, 0, 1),
	F_STRING(A, recovery_level),
	F_INT(A, recoverable_days, 0, INT32_MAX),
	F_STRING(A, region),
	F_STRING(A, tenant),
	F_INT(A, server_time, 0, INT64_MAX),
	F_SECRET(A, output, CMK_RSA_MAX_BYTES),
};
#undef A
/* clang-format on */

#define FIELDS(table) (table), ARRAY_SIZE(table)

static bool is_rsa_size(size_t len)
{
	return len == 256 || len == 384 || len == 512;
}

/* What the fields owe each other. */
static bool request_is_whole(const struct cmk_kms_request *rq)
{
	if (rq->op == CMK_OP_UNWRAP)
		return is_rsa_size(rq->input_len) && rq->alg && rq->key.host[0] && rq->key.name[0];
	if (rq->op == CMK_OP_GET_KEY)
		return rq->input_len == 0 && rq->key.host[0] && rq->key.name[0];
	return rq->input_len == 0;
}

/* Only a parsed 200 carries anything but evidence. */
static bool answer_is_whole(const struct cmk_kms_answer *an)
{
	bool success = an->evidence.transport == CMK_TRANSPORT_OK &&
		       an->evidence.http_status == 200 && an->evidence.parsed;

	if (!success && (an->output.len || an->n_len || an->e_len))
		return false;
	return an->n_len ? is_rsa_size(an->n_len) && an->e_len : !an->e_len;
}

int cmk_proto_type(const uint8_t *buf, size_t len)
{
	return frame_type(buf, len);
}

int cmk_proto_put_config(uint8_t *buf, const struct cmk_kms_config *c)
{
	return frame_put(buf, CMK_FRAME_CONFIG, FIELDS(config_fields), c);
}

int cmk_proto_put_ready(uint8_t *buf)
{
	return frame_put(buf, CMK_FRAME_READY, NULL, 0, NULL);
}

int cmk_proto_put_request(uint8_t *buf, const struct cmk_kms_request *rq)
{
	return request_is_whole(rq) ? frame_put(buf, CMK_FRAME_REQUEST, FIELDS(request_fields), rq)
				    : -EINVAL;
}

int cmk_proto_put_cancel(uint8_t *buf, uint32_t id)
{
	return frame_put(buf, CMK_FRAME_CANCEL, FIELDS(cancel_fields), &id);
}

int cmk_proto_put_answer(uint8_t *buf, const struct cmk_kms_answer *an)
{
	return answer_is_whole(an) ? frame_put(buf, CMK_FRAME_ANSWER, FIELDS(answer_fields), an)
				   : -EINVAL;
}

int cmk_proto_get_config(const uint8_t *buf, size_t len, struct cmk_kms_config *c)
{
	memset(c, 0, sizeof(*c));
	return frame_get(buf, len, CMK_FRAME_CONFIG, FIELDS(config_fields), c);
}

int cmk_proto_get_request(const uint8_t *buf, size_t len, struct cmk_kms_request *rq)
{
	int r;

	memset(rq, 0, sizeof(*rq));
	r = frame_get(buf, len, CMK_FRAME_REQUEST, FIELDS(request_fields), rq);
	if (r == 0 && !request_is_whole(rq))
		r = -EBADMSG;
	if (r < 0)
		secret_wipe(&rq->credential);
	return r;
}

int cmk_proto_get_cancel(const uint8_t *buf, size_t len, uint32_t *id)
{
	return frame_get(buf, len, CMK_FRAME_CANCEL, FIELDS(cancel_fields), id);
}

int cmk_proto_get_answer(const uint8_t *buf, size_t len, struct cmk_kms_answer *an)
{
	int r;

	memset(an, 0, sizeof(*an));
	r = frame_get(buf, len, CMK_FRAME_ANSWER, FIELDS(answer_fields), an);
	if (r == 0 && !answer_is_whole(an))
		r = -EBADMSG;
	if (r < 0)
		secret_wipe(&an->output);
	return r;
}

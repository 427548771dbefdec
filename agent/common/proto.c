// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Frames by table: each type's fields in the one order in which they stand on the wire, all of them in every frame.
 * So there is one encoding of each message, and a missing, unknown or repeated field cannot be parsed.
 */
#include "proto.h"

#include <string.h>

enum kind {
	INT,	/* eight bytes; min..max */
	STRING,	/* printable ASCII, shorter than size */
	BYTES,	/* at most size; its length goes to len_offset */
	LIST,	/* of strings of LIST_ITEM bytes, each with its NUL; their number goes to len_offset */
	SECRET,	/* at most SECRET_MAX bytes */
};

#define LIST_ITEM  sizeof(((struct cmk_kms_config *)0)->vaults[0])
#define SECRET_MAX CMK_RSA_MAX_BYTES

struct field {
	enum kind kind;
	bool is_signed;
	size_t offset, size, len_offset;
	int64_t min, max;
};

struct header {
	uint32_t magic;
	uint32_t type;
	uint32_t len; /* of the whole frame */
};

/* Before each field's bytes. */
struct prefix {
	uint16_t tag; /* the field's row, from 1 */
	uint16_t len;
};

#define SIZE(type, member) sizeof(((type *)0)->member)
#define F_INT(type, member, lo, hi)                                                  \
	{ .kind = INT, .is_signed = (lo) < 0, .offset = offsetof(type, member),      \
	  .size = SIZE(type, member), .min = (lo), .max = (hi) }
#define F_STRING(type, member) \
	{ .kind = STRING, .offset = offsetof(type, member), .size = SIZE(type, member) }
#define F_BYTES(type, member, length)                                                 \
	{ .kind = BYTES, .offset = offsetof(type, member), .size = SIZE(type, member), \
	  .len_offset = offsetof(type, length) }
#define F_LIST(type, member, number)                                                 \
	{ .kind = LIST, .offset = offsetof(type, member), .size = SIZE(type, member), \
	  .len_offset = offsetof(type, number) }
#define F_SECRET(type, member) \
	{ .kind = SECRET, .offset = offsetof(type, member), .size = SECRET_MAX }
#define F_KEYID(type, member)                                         \
	F_INT(type, member.store, CMK_STORE_VAULT, CMK_STORE_MHSM),   \
	F_STRING(type, member.host),				      \
	F_INT(type, member.port, 0, UINT16_MAX),		      \
	F_STRING(type, member.name),				      \
	F_STRING(type, member.version)

#define C struct cmk_kms_config
static const struct field config_fields[] = {
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
static const struct field request_fields[] = {
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
};
#undef R

static const struct field cancel_fields[] = {
	{ .kind = INT, .offset = 0, .size = sizeof(uint32_t), .min = 1, .max = UINT32_MAX },
};

#define A struct cmk_kms_answer
static const struct field answer_fields[] = {
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
	F_SECRET(A, output),
};
#undef A

#define FIELDS(table) (table), ARRAY_SIZE(table)

static bool is_text(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] < 0x20 || s[i] > 0x7e)
			return false;
	return true;
}

/* An integer member of 1, 2, 4 or 8 bytes. */
union number {
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	int32_t i32;
	int64_t i64;
};

static int64_t load_int(const struct field *f, const uint8_t *p)
{
	union number v;

	memcpy(&v, p, f->size);
	switch (f->size) {
	case 1:
		return v.u8;
	case 2:
		return v.u16;
	case 4:
		if (f->is_signed)
			return v.i32;
		return v.u32;
	default:
		return v.i64;
	}
}

static void store_int(const struct field *f, uint8_t *p, int64_t value)
{
	union number v;

	switch (f->size) {
	case 1:
		v.u8 = value;
		break;
	case 2:
		v.u16 = value;
		break;
	case 4:
		v.u32 = value;
		break;
	default:
		v.i64 = value;
	}
	memcpy(p, &v, f->size);
}

static size_t load_len(const struct field *f, const void *from)
{
	size_t len;

	memcpy(&len, (const uint8_t *)from + f->len_offset, sizeof(len));
	return len;
}

/* Where the next field goes. */
struct writer {
	uint8_t *buf;
	size_t len;
};

static int put(struct writer *w, uint16_t tag, const void *p, size_t len)
{
	const struct prefix prefix = { .tag = tag, .len = len };

	if (len > UINT16_MAX || w->len + sizeof(prefix) + len > CMK_FRAME_MAX_BYTES)
		return -EMSGSIZE;
	memcpy(w->buf + w->len, &prefix, sizeof(prefix));
	if (len)
		memcpy(w->buf + w->len + sizeof(prefix), p, len);
	w->len += sizeof(prefix) + len;
	return 0;
}

static int put_string(struct writer *w, uint16_t tag, const char *s, size_t size)
{
	size_t len = strnlen(s, size);

	return len < size && is_text(s, len) ? put(w, tag, s, len) : -EINVAL;
}

static int put_list(struct writer *w, uint16_t tag, const char *items, size_t n, size_t size)
{
	char all[CMK_MAX_VAULTS * LIST_ITEM];
	size_t used = 0;

	if (n > size / LIST_ITEM)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		const char *item = items + i * LIST_ITEM;
		size_t len = strnlen(item, LIST_ITEM);

		if (len == LIST_ITEM || !is_text(item, len))
			return -EINVAL;
		memcpy(all + used, item, len + 1);
		used += len + 1;
	}
	return put(w, tag, all, used);
}

static int put_field(struct writer *w, uint16_t tag, const struct field *f, const void *from)
{
	const uint8_t *p = (const uint8_t *)from + f->offset;
	const struct secret *s;
	int64_t v;

	switch (f->kind) {
	case INT:
		v = load_int(f, p);
		return v < f->min || v > f->max ? -EINVAL : put(w, tag, &v, sizeof(v));
	case STRING:
		return put_string(w, tag, (const char *)p, f->size);
	case BYTES:
		return load_len(f, from) > f->size ? -EINVAL : put(w, tag, p, load_len(f, from));
	case LIST:
		return put_list(w, tag, (const char *)p, load_len(f, from), f->size);
	case SECRET:
		s = (const struct secret *)p;
		return s->len > f->size ? -EINVAL : put(w, tag, s->bytes, s->len);
	}
	return -EINVAL;
}

static int put_frame(uint8_t *buf, enum cmk_frame_type type, const struct field *fields, size_t n,
		     const void *from)
{
	struct header h = { .magic = CMK_PROTO_MAGIC, .type = type };
	struct writer w = { .buf = buf, .len = sizeof(h) };

	for (size_t i = 0; i < n; i++) {
		int r = put_field(&w, i + 1, &fields[i], from);

		if (r < 0) {
			explicit_bzero(buf, w.len);
			return r;
		}
	}
	h.len = w.len;
	memcpy(buf, &h, sizeof(h));
	return w.len;
}

static int get_list(const uint8_t *p, size_t len, char *items, size_t size, size_t *n)
{
	for (*n = 0; len; (*n)++) {
		size_t item = strnlen((const char *)p, len);

		if (item == len || item >= LIST_ITEM || *n == size / LIST_ITEM || !is_text((const char *)p, item))
			return -EBADMSG;
		memcpy(items + *n * LIST_ITEM, p, item + 1);
		p += item + 1;
		len -= item + 1;
	}
	return 0;
}

/* @to was zeroed before the first field. */
static int get_field(const struct field *f, const uint8_t *p, size_t len, void *to)
{
	uint8_t *out = (uint8_t *)to + f->offset;
	size_t n = len;
	int64_t v;
	int r;

	switch (f->kind) {
	case INT:
		if (len != sizeof(v))
			return -EBADMSG;
		memcpy(&v, p, sizeof(v));
		if (v < f->min || v > f->max)
			return -EBADMSG;
		store_int(f, out, v);
		return 0;
	case STRING:
		if (len >= f->size || !is_text((const char *)p, len))
			return -EBADMSG;
		memcpy(out, p, len);
		return 0;
	case BYTES:
		if (len > f->size)
			return -EBADMSG;
		memcpy(out, p, len);
		break;
	case LIST:
		r = get_list(p, len, (char *)out, f->size, &n);
		if (r < 0)
			return r;
		break;
	case SECRET:
		if (len > f->size)
			return -EBADMSG;
		return len ? secret_from((struct secret *)out, p, len) : 0;
	}
	memcpy((uint8_t *)to + f->len_offset, &n, sizeof(n));
	return 0;
}

static int get_frame(const uint8_t *buf, size_t len, enum cmk_frame_type type, const struct field *fields,
		     size_t n, void *to)
{
	size_t at = sizeof(struct header);

	if (cmk_proto_type(buf, len) != (int)type)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		struct prefix prefix;
		int r;

		if (len - at < sizeof(prefix))
			return -EBADMSG;
		memcpy(&prefix, buf + at, sizeof(prefix));
		at += sizeof(prefix);
		if (prefix.tag != i + 1 || prefix.len > len - at)
			return -EBADMSG;
		r = get_field(&fields[i], buf + at, prefix.len, to);
		if (r < 0)
			return r;
		at += prefix.len;
	}
	return at == len ? 0 : -EBADMSG;
}

int cmk_proto_type(const uint8_t *buf, size_t len)
{
	struct header h;

	if (len < sizeof(h))
		return -EBADMSG;
	memcpy(&h, buf, sizeof(h));
	if (h.magic != CMK_PROTO_MAGIC || h.len != len || len > CMK_FRAME_MAX_BYTES ||
	    h.type < CMK_FRAME_CONFIG || h.type > CMK_FRAME_ANSWER)
		return -EBADMSG;
	return h.type;
}

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
	bool success = an->evidence.transport == CMK_TRANSPORT_OK && an->evidence.http_status == 200 &&
		       an->evidence.parsed;

	if (!success && (an->output.len || an->n_len || an->e_len))
		return false;
	return an->n_len ? is_rsa_size(an->n_len) && an->e_len : !an->e_len;
}

int cmk_proto_put_config(uint8_t *buf, const struct cmk_kms_config *c)
{
	return put_frame(buf, CMK_FRAME_CONFIG, FIELDS(config_fields), c);
}

int cmk_proto_put_ready(uint8_t *buf)
{
	return put_frame(buf, CMK_FRAME_READY, NULL, 0, NULL);
}

int cmk_proto_put_request(uint8_t *buf, const struct cmk_kms_request *rq)
{
	return request_is_whole(rq) ? put_frame(buf, CMK_FRAME_REQUEST, FIELDS(request_fields), rq) : -EINVAL;
}

int cmk_proto_put_cancel(uint8_t *buf, uint32_t id)
{
	return put_frame(buf, CMK_FRAME_CANCEL, FIELDS(cancel_fields), &id);
}

int cmk_proto_put_answer(uint8_t *buf, const struct cmk_kms_answer *an)
{
	return answer_is_whole(an) ? put_frame(buf, CMK_FRAME_ANSWER, FIELDS(answer_fields), an) : -EINVAL;
}

int cmk_proto_get_config(const uint8_t *buf, size_t len, struct cmk_kms_config *c)
{
	memset(c, 0, sizeof(*c));
	return get_frame(buf, len, CMK_FRAME_CONFIG, FIELDS(config_fields), c);
}

int cmk_proto_get_request(const uint8_t *buf, size_t len, struct cmk_kms_request *rq)
{
	int r;

	memset(rq, 0, sizeof(*rq));
	r = get_frame(buf, len, CMK_FRAME_REQUEST, FIELDS(request_fields), rq);
	return r < 0 || request_is_whole(rq) ? r : -EBADMSG;
}

int cmk_proto_get_cancel(const uint8_t *buf, size_t len, uint32_t *id)
{
	return get_frame(buf, len, CMK_FRAME_CANCEL, FIELDS(cancel_fields), id);
}

int cmk_proto_get_answer(const uint8_t *buf, size_t len, struct cmk_kms_answer *an)
{
	int r;

	memset(an, 0, sizeof(*an));
	r = get_frame(buf, len, CMK_FRAME_ANSWER, FIELDS(answer_fields), an);
	if (r == 0 && !answer_is_whole(an))
		r = -EBADMSG;
	if (r < 0)
		secret_wipe(&an->output);
	return r;
}

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* A fixed header, then tag, length and bytes of each field. */
#include "frame.h"

#include <string.h>

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

static int64_t load_int(const struct frame_field *f, const uint8_t *p)
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

static void store_int(const struct frame_field *f, uint8_t *p, int64_t value)
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

static size_t load_len(const struct frame_field *f, const void *from)
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
	char all[CMK_MAX_VAULTS * FRAME_LIST_ITEM];
	size_t used = 0;

	if (n > size / FRAME_LIST_ITEM)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		const char *item = items + i * FRAME_LIST_ITEM;
		size_t len = strnlen(item, FRAME_LIST_ITEM);

		if (len == FRAME_LIST_ITEM || !is_text(item, len))
			return -EINVAL;
		memcpy(all + used, item, len + 1);
		used += len + 1;
	}
	return put(w, tag, all, used);
}

static int put_field(struct writer *w, uint16_t tag, const struct frame_field *f, const void *from)
{
	const uint8_t *p = (const uint8_t *)from + f->offset;
	const struct secret *s;
	int64_t v;

	switch (f->kind) {
	case FRAME_INT:
		v = load_int(f, p);
		return v < f->min || v > f->max ? -EINVAL : put(w, tag, &v, sizeof(v));
	case FRAME_STRING:
		return put_string(w, tag, (const char *)p, f->size);
	case FRAME_BYTES:
		return load_len(f, from) > f->size ? -EINVAL : put(w, tag, p, load_len(f, from));
	case FRAME_LIST:
		return put_list(w, tag, (const char *)p, load_len(f, from), f->size);
	case FRAME_SECRET:
		s = (const struct secret *)p;
		return s->len > f->size ? -EINVAL : put(w, tag, s->bytes, s->len);
	}
	return -EINVAL;
}

int frame_put(uint8_t *buf, enum cmk_frame_type type, const struct frame_field *fields, size_t n,
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

		if (item == len || item >= FRAME_LIST_ITEM || *n == size / FRAME_LIST_ITEM ||
		    !is_text((const char *)p, item))
			return -EBADMSG;
		memcpy(items + *n * FRAME_LIST_ITEM, p, item + 1);
		p += item + 1;
		len -= item + 1;
	}
	return 0;
}

/* @to was zeroed before the first field. */
static int get_field(const struct frame_field *f, const uint8_t *p, size_t len, void *to)
{
	uint8_t *out = (uint8_t *)to + f->offset;
	size_t n = len;
	int64_t v;
	int r;

	switch (f->kind) {
	case FRAME_INT:
		if (len != sizeof(v))
			return -EBADMSG;
		memcpy(&v, p, sizeof(v));
		if (v < f->min || v > f->max)
			return -EBADMSG;
		store_int(f, out, v);
		return 0;
	case FRAME_STRING:
		if (len >= f->size || !is_text((const char *)p, len))
			return -EBADMSG;
		memcpy(out, p, len);
		return 0;
	case FRAME_BYTES:
		if (len > f->size)
			return -EBADMSG;
		memcpy(out, p, len);
		break;
	case FRAME_LIST:
		r = get_list(p, len, (char *)out, f->size, &n);
		if (r < 0)
			return r;
		break;
	case FRAME_SECRET:
		if (len > f->size)
			return -EBADMSG;
		return len ? secret_from((struct secret *)out, p, len) : 0;
	}
	memcpy((uint8_t *)to + f->len_offset, &n, sizeof(n));
	return 0;
}

int frame_get(const uint8_t *buf, size_t len, enum cmk_frame_type type,
	      const struct frame_field *fields, size_t n, void *to)
{
	size_t at = sizeof(struct header);

	if (frame_type(buf, len) != (int)type)
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

int frame_type(const uint8_t *buf, size_t len)
{
	struct header h;

	if (len < sizeof(h))
		return -EBADMSG;
	memcpy(&h, buf, sizeof(h));
	if (h.magic != CMK_PROTO_MAGIC || h.len != len || len > CMK_FRAME_MAX_BYTES ||
	    h.type < CMK_FRAME_CONFIG || h.type > CMK_FRAME_ANSWER)
		return -EBADMSG;
	/* READY is its header alone, and only READY is */
	if ((h.type == CMK_FRAME_READY) != (len == sizeof(h)))
		return -EBADMSG;
	return h.type;
}

/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Frames by table: a type's fields in the one order in which they stand on the wire, all of them in
 * every frame. So there is one encoding of each message, and a missing, unknown or repeated field
 * cannot be parsed. For proto.c.
 */
#ifndef CMK_FRAME_H
#define CMK_FRAME_H

#include "proto.h"

enum frame_kind {
	FRAME_INT,    /* eight bytes; min..max */
	FRAME_STRING, /* printable ASCII, shorter than size */
	FRAME_BYTES,  /* at most size; its length goes to len_offset */
	FRAME_LIST,   /* of strings of FRAME_LIST_ITEM bytes, each with its NUL; their number
			 goes to len_offset */
	FRAME_SECRET, /* at most size bytes */
};

#define FRAME_LIST_ITEM sizeof(((struct cmk_kms_config *)0)->vaults[0])

struct frame_field {
	enum frame_kind kind;
	bool is_signed;
	size_t offset, size, len_offset;
	int64_t min, max;
};

/* Rows of a table. */
#define FRAME_SIZE(type, member) sizeof(((type *)0)->member)
#define F_INT(type, member, lo, hi)                                                                \
	{                                                                                          \
		.kind = FRAME_INT, .is_signed = (lo) < 0, .offset = offsetof(type, member),        \
		.size = FRAME_SIZE(type, member), .min = (lo), .max = (hi)                         \
	}
#define F_STRING(type, member)                                                                     \
	{                                                                                          \
		.kind = FRAME_STRING, .offset = offsetof(type, member),                            \
		.size = FRAME_SIZE(type, member)                                                   \
	}
#define F_BYTES(type, member, length)                                                              \
	{                                                                                          \
		.kind = FRAME_BYTES, .offset = offsetof(type, member),                             \
		.size = FRAME_SIZE(type, member), .len_offset = offsetof(type, length)             \
	}
#define F_LIST(type, member, number)                                                               \
	{                                                                                          \
		.kind = FRAME_LIST, .offset = offsetof(type, member),                              \
		.size = FRAME_SIZE(type, member), .len_offset = offsetof(type, number)             \
	}
#define F_SECRET(type, member, most)                                                               \
	{                                                                                          \
		.kind = FRAME_SECRET, .offset = offsetof(type, member), .size = (most)             \
	}
#define F_KEYID(type, member)                                                                      \
	F_INT(type, member.store, CMK_STORE_VAULT, CMK_STORE_MHSM), F_STRING(type, member.host),   \
		F_INT(type, member.port, 0, UINT16_MAX), F_STRING(type, member.name),              \
		F_STRING(type, member.version)

/**
 * frame_put() - write the members of the struct at @from as a frame.
 * @buf: CMK_FRAME_MAX_BYTES. Return: the frame's length, -EINVAL or -EMSGSIZE (nothing stays in
 * @buf).
 */
int frame_put(uint8_t *buf, enum cmk_frame_type type, const struct frame_field *fields, size_t n,
	      const void *from) _must_check_;

/**
 * frame_get() - read a frame of @type into the zeroed struct at @to.
 * Return: 0, -EBADMSG or -ENOMEM; a secret may have been filled in any case.
 */
int frame_get(const uint8_t *buf, size_t len, enum cmk_frame_type type,
	      const struct frame_field *fields, size_t n, void *to) _must_check_;

/* Check the frame's head. Return: its type or -EBADMSG. */
int frame_type(const uint8_t *buf, size_t len) _must_check_;

#endif

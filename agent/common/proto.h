/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The protocol between the root side (cmk-agent, cmkctl) and cmk-kms: one datagram a frame over a
 * SOCK_SEQPACKET socketpair, a fixed header, then tag-length-value fields, all in host byte order
 * (same machine). Every frame has all fields of its type, once and in order. Both sides validate
 * every frame whole before they use a byte of it: magic, type, tags, lengths, ranges, and what the
 * fields owe each other. A frame that fails is the end of the connection.
 *
 * root -> kms: CONFIG (once, first), REQUEST (any number, in any order of completion), CANCEL.
 * kms -> root: READY (after it dropped its privileges), ANSWER (one for each REQUEST).
 */
#ifndef CMK_PROTO_H
#define CMK_PROTO_H

#include "config.h"
#include "identity.h"
#include "secret.h"
#include "verdict.h"

#define CMK_PROTO_MAGIC	    0x314b4d43u /* "CMK1" */
#define CMK_FRAME_MAX_BYTES 32768
#define CMK_RSA_MAX_BYTES   512 /* RSA-4096 */
#define CMK_OP_TIMEOUTS                                                                            \
	4 /* a request has its answer after this many total_timeouts, at the latest */

enum cmk_frame_type {
	CMK_FRAME_CONFIG = 1,
	CMK_FRAME_READY,
	CMK_FRAME_REQUEST,
	CMK_FRAME_CANCEL,
	CMK_FRAME_ANSWER,
};

enum cmk_op {
	CMK_OP_GET_KEY = 1, /* attributes, public key, versioned id, what the challenge and the
			       headers say */
	CMK_OP_UNWRAP,	    /* input: ciphertext; output: plaintext */
	CMK_OP_HOST_REGION, /* IMDS compute/location */
};

enum cmk_alg {
	CMK_ALG_RSA_OAEP_256 = 1,
	CMK_ALG_RSA_OAEP, /* to read what others wrapped */
};

/* The part of the configuration that the worker needs. */
struct cmk_kms_config {
	char ca_file[256];
	char proxy[256];
	char api_version[16];
	char imds[128];
	int64_t connect_timeout_ms;
	int64_t total_timeout_ms;
	char vaults[CMK_MAX_VAULTS][254];
	size_t n_vaults;
	char suffix[128];
	enum cmk_store suffix_store;
};

struct cmk_kms_request {
	uint32_t id; /* chosen by the root side, never 0, unique among those under way */
	enum cmk_op op;
	struct cmk_keyid key;
	struct cmk_identity identity;
	enum cmk_alg alg; /* UNWRAP */
	uint8_t input[CMK_RSA_MAX_BYTES];
	size_t input_len;	  /* UNWRAP: 256, 384 or 512 */
	struct secret credential; /* of a workload or principal; cmk_worker_send() reads it where it
				     is empty */
	bool fresh_token;	  /* do not use a cached token (revalidate) */
};

struct cmk_kms_answer {
	uint32_t id;
	struct cmk_evidence evidence;
	/* GET_KEY, with evidence 200 and parsed: */
	struct cmk_keyid key; /* the versioned id that the vault named */
	char kty[16];	      /* "RSA" or "RSA-HSM" are fit to be a KEK */
	uint8_t n[CMK_RSA_MAX_BYTES];
	size_t n_len;
	uint8_t e[8];
	size_t e_len;
	struct cmk_key_attributes attributes;
	char recovery_level[64];
	int recoverable_days;
	char region[64];     /* x-ms-keyvault-region, or HOST_REGION's answer; may be empty */
	char tenant[37];     /* of the challenge; may be empty */
	int64_t server_time; /* the answer's Date in Unix seconds, by the service's clock; 0 where
				absent */
	/* UNWRAP, with evidence 200 and parsed: */
	struct secret output;
};

/* Return: the length of the frame written to @buf (CMK_FRAME_MAX_BYTES), or -EINVAL, -EMSGSIZE. */
int cmk_proto_put_config(uint8_t *buf, const struct cmk_kms_config *c) _must_check_;
int cmk_proto_put_ready(uint8_t *buf) _must_check_;
int cmk_proto_put_request(uint8_t *buf, const struct cmk_kms_request *rq) _must_check_;
int cmk_proto_put_cancel(uint8_t *buf, uint32_t id) _must_check_;
int cmk_proto_put_answer(uint8_t *buf, const struct cmk_kms_answer *an) _must_check_;

/* The type of the frame at @buf, or -EBADMSG. */
int cmk_proto_type(const uint8_t *buf, size_t len) _must_check_;

/* Parse a frame of that type whole. Return: 0, -EBADMSG, -ENOMEM. An answer's output is the
 * caller's to wipe. */
int cmk_proto_get_config(const uint8_t *buf, size_t len, struct cmk_kms_config *c) _must_check_;
int cmk_proto_get_request(const uint8_t *buf, size_t len, struct cmk_kms_request *rq) _must_check_;
int cmk_proto_get_cancel(const uint8_t *buf, size_t len, uint32_t *id) _must_check_;
int cmk_proto_get_answer(const uint8_t *buf, size_t len, struct cmk_kms_answer *an) _must_check_;

#endif

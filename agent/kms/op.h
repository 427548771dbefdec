/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * One request of the root side, from its frame to its answer: the challenge if the vault's is not
 * known, a token, the call, and once more with a new token where the first was refused. No step
 * waits for another operation's.
 */
#ifndef CMK_KMS_OP_H
#define CMK_KMS_OP_H

#include "http.h"
#include "known.h"
#include "tokencache.h"

/* What all operations share. */
struct kms {
	const struct cmk_kms_config *c;
	struct http *http;
	struct tokencache *tokens;
	struct known *known;
};

struct op;

/* @an is wiped when this returns; the operation is gone. */
typedef void op_done_fn(void *arg, struct op *op, const struct cmk_kms_answer *an);

/**
 * op_start() - begin; takes the request's credential over. @done may be called before this returns;
 * *@out is set before that.
 *
 * Return: 0, or -ENOMEM (then @done is not called).
 */
int op_start(const struct kms *kms, struct cmk_kms_request *rq, op_done_fn *done, void *arg,
	     struct op **out) _must_check_;

/* Give it up; @done is not called. */
void op_cancel(struct op *op);

uint32_t op_id(const struct op *op);

#endif

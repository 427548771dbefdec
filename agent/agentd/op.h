/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The operations of the control socket, specified in Documentation/control.md. */
#ifndef CMK_OP_H
#define CMK_OP_H

#include <cjson/cJSON.h>

#include "agent.h"

struct op;

/* One request under way. */
struct op_wait {
	const struct op *op;
	char volume[128];
	bool flag;	/* adopt: also mount and start units; lock: the kernel's revoke first */
	bool asked;	/* the probe, the start or the release that it waits for was asked for */
	uint64_t probe; /* number of the probe that it waits for */
	uint64_t header_reads; /* as they were at its begin */
};

/**
 * op_begin() - take a request.
 * @request: what the client sent. @w: filled; for op_check().
 *
 * Return: the answer, or NULL if op_check() has to be asked for it whenever something has changed.
 */
cJSON *op_begin(struct agent *a, const cJSON *request, struct op_wait *w);

/* The answer, or NULL: not yet. */
cJSON *op_check(struct agent *a, struct op_wait *w);

/* {"error": ..., "exit": ..., "remedy": ...} */
cJSON *op_refusal(const struct cmk_error *err);

#endif

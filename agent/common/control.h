/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The control socket: one JSON object a line in, one a line out, on a SOCK_STREAM Unix socket that
 * only root may open. Specified in Documentation/control.md; this is the client's side.
 */
#ifndef CMK_CONTROL_H
#define CMK_CONTROL_H

#include <cjson/cJSON.h>

#include "error.h"

#define CMK_CONTROL_LINE_MAX 65536 /* bytes of a request, with its newline */
#define CMK_CONTROL_ANSWER_MAX                                                                     \
	16777216 /* and of an answer: the status of some thousand volumes                          \
		  */

/**
 * cmk_control_call() - one request, one answer.
 * @socket: path of the control socket. @request: not consumed. @timeout_ms: for the whole exchange.
 * @answer: the caller's to cJSON_Delete(). An answer {"error": ..., "exit": n, "remedy": ...}
 * becomes @err.
 *
 * Return: 0; -ECONNREFUSED or -ENOENT if no agent listens; -ETIMEDOUT; -EPROTO; or the agent's
 * refusal as -EREMOTEIO.
 */
int cmk_control_call(const char *socket, const cJSON *request, int64_t timeout_ms, cJSON **answer,
		     struct cmk_error *err) _must_check_;

#endif

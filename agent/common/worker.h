/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The root side's handle on one cmk-kms process. Not for two threads. */
#ifndef CMK_WORKER_H
#define CMK_WORKER_H

#include "config.h"
#include "proto.h"

struct cmk_worker;

#define CMK_WORKER_FD 3 /* the worker's end of the socketpair */

/**
 * cmk_worker_spawn() - start cmk-kms on one end of a socketpair, give it its configuration, do not
 * wait for READY.
 *
 * The child gets no descriptor but the socketpair (CMK_WORKER_FD) and standard error (0 and 1 are
 * /dev/null), an empty environment, its own process group, and the configured user before it is
 * executed; it dies with the thread that called this. Return: 0, or -errno with @err (binary
 * missing, user missing).
 */
int cmk_worker_spawn(const struct cmk_config *cfg, struct cmk_worker **w,
		     struct cmk_error *err) _must_check_;

/* Kill, reap and release; NULL is fine. */
void cmk_worker_free(struct cmk_worker *w);
static inline void cmk_worker_freep(struct cmk_worker **w)
{
	cmk_worker_free(*w);
}
#define _cleanup_worker_ _cleanup_(cmk_worker_freep)

/* For an event loop: the descriptor that becomes readable, and the process. */
int cmk_worker_fd(const struct cmk_worker *w);
pid_t cmk_worker_pid(const struct cmk_worker *w);

/**
 * cmk_worker_send() - send a request; sets rq->id. Never blocks.
 *
 * Reads the identity's credential, if it has one, unless the request brings it.
 *
 * Return: 0, or -EPIPE, -EAGAIN (the worker does not read), -EINVAL.
 */
int cmk_worker_send(struct cmk_worker *w, struct cmk_kms_request *rq) _must_check_;

/* Forget a request; a late answer to it is dropped. */
void cmk_worker_cancel(struct cmk_worker *w, uint32_t id);

/**
 * cmk_worker_receive() - take one answer, without blocking.
 *
 * Return: 1 and an answer, 0 if there is none now, -EPIPE if the worker is gone, -EBADMSG if it
 * broke the protocol (the caller frees the worker in both cases).
 */
int cmk_worker_receive(struct cmk_worker *w, struct cmk_kms_answer *an) _must_check_;

/**
 * cmk_worker_call() - send and wait for the answer: for cmkctl and for jobs, never for the event
 * loop.
 *
 * Always gives an answer: a worker that fails or is late gives one with CMK_TRANSPORT_WORKER.
 */
void cmk_worker_call(struct cmk_worker *w, struct cmk_kms_request *rq, int64_t timeout_ms,
		     struct cmk_kms_answer *an);

#endif

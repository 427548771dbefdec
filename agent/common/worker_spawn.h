/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Starting the worker's process; for worker.c. */
#ifndef CMK_WORKER_SPAWN_H
#define CMK_WORKER_SPAWN_H

#include "config.h"

#define WORKER_REMEDY "see user and worker in the [kms] section of cmk.conf"

/**
 * worker_spawn() - fork, become the worker's user, execute it.
 * @child_end: becomes CMK_WORKER_FD in the child; stays open here.
 * @pid: to be reaped by the caller, on failure too if it is above 0.
 *
 * Return: 0 when the binary runs, or -errno with @err.
 */
int worker_spawn(const struct cmk_config *cfg, int child_end, pid_t *pid,
		 struct cmk_error *err) _must_check_;

#endif

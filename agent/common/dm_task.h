/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* One ioctl of the device-mapper, as dm.c and dm_query.c make it. Nothing of it reaches the
 * terminal. */
#ifndef CMK_DM_TASK_H
#define CMK_DM_TASK_H

#include "error.h"

struct dm_task;

struct cmk_dm_task {
	struct dm_task *dmt;
	char why[256]; /* after a failed run: libdevmapper's words or errno's */
};

/* @type: DM_DEVICE_*; @name: the mapping's, or the target's; may be NULL. */
int cmk_dm_task_new(struct cmk_dm_task *t, int type, const char *name,
		    struct cmk_error *err) _must_check_;
/* Return: 0 or -errno of the ioctl; -ENXIO: no such mapping. */
int cmk_dm_task_run(struct cmk_dm_task *t) _must_check_;
void cmk_dm_task_free(struct cmk_dm_task *t);

#endif

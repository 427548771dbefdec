/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The differences between the kernels that dm-cmk builds on (6.1 to 7.x): the only file that looks
 * at the version. Nothing here is on the path of a bio that the cipher handles at once.
 */
#ifndef CMK_COMPAT_H
#define CMK_COMPAT_H

#include <linux/crypto.h>
#include <linux/device-mapper.h>
#include <linux/hrtimer.h>
#include <linux/shrinker.h>
#include <linux/version.h>

/* 6.3 hands a crypto completion its data, before that the request that points to it. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
typedef void cmk_done_arg;

static inline void *cmk_done_data(cmk_done_arg *arg)
{
	return arg;
}
#else
typedef struct crypto_async_request cmk_done_arg;

static inline void *cmk_done_data(cmk_done_arg *arg)
{
	return arg->data;
}
#endif

static inline void cmk_hrtimer_setup(struct hrtimer *timer,
				     enum hrtimer_restart (*fn)(struct hrtimer *timer),
				     clockid_t clock, enum hrtimer_mode mode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, fn, clock, mode);
#else
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
#endif
}

/*
 * WQ_PERCPU came with 6.17, and is asked for since. Before, a workqueue was bound to its CPU unless
 * it said WQ_UNBOUND. It is an enumerator, so only the version tells.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
#define CMK_WQ_PERCPU	WQ_PERCPU
#else
#define CMK_WQ_PERCPU	0
#endif

/*
 * The header of this exported function, drivers/md/dm-audit.h, is not among the installed headers.
 */
#ifdef CONFIG_DM_AUDIT
void dm_audit_log_ti(int audit_type, const char *dm_msg_prefix, const char *op,
		     struct dm_target *ti, int result);
#else
static inline void dm_audit_log_ti(int audit_type, const char *dm_msg_prefix, const char *op,
				   struct dm_target *ti, int result)
{
}
#endif

#endif /* CMK_COMPAT_H */

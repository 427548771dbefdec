/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The single steps of locking and unlocking: units, mounts, holders, caches. They block, each for a
 * bounded time, and so run in jobs only. A deadline is on CLOCK_BOOTTIME in milliseconds.
 */
#ifndef CMK_STEPS_H
#define CMK_STEPS_H

#include "common/config.h"
#include "common/dm.h"
#include "common/error.h"

#define MAX_MOUNTS 32

/* program.c: run a program, bounded, and keep what it had to say. Return: 0, -ETIMEDOUT, -EIO (it
 * failed), -errno. */
int program_run(const char *const argv[], int64_t deadline_ms, char *said,
		size_t room) _must_check_;

/* unit.c */

/**
 * unit_stop() - stop a unit; one that is not down by the deadline is killed.
 *
 * Return: 0; -EIO or -ETIMEDOUT with @err, also if the kill ended it.
 */
int unit_stop(const char *unit, int64_t deadline_ms, struct cmk_error *err) _must_check_;
int unit_start(const char *unit, int64_t deadline_ms, struct cmk_error *err) _must_check_;

/* mount.c */

struct mounts {
	char points[MAX_MOUNTS][256];
	unsigned int majors[MAX_MOUNTS], minors[MAX_MOUNTS]; /* st_dev of their files */
	size_t n;
};

/* Where the device is mounted, in the order of mounting. Return: 0 or -errno. */
int mount_list(const struct cmk_dm_device *dev, struct mounts *m) _must_check_;

/**
 * mount_down() - unmount a device wherever it is mounted.
 * @deadline_ms: until then a busy filesystem is asked again and again.
 * @force: then shut it down and detach it; otherwise it stays, with -EBUSY.
 * @flush: the device still takes writes, so a shutdown flushes first.
 * @err: names the holders if it was busy to the end, also if force ended it.
 *
 * Return: 0, -EBUSY, -errno.
 */
int mount_down(const struct cmk_dm_device *dev, int64_t deadline_ms, bool force, bool flush,
	       struct cmk_error *err) _must_check_;

/**
 * mount_up() - mount the device where the configuration says, if it is not mounted there.
 *
 * An old filesystem that somebody still holds open would come back dead: it is waited for, and its
 * holders named.
 */
int mount_up(const struct cmk_dm_device *dev, const struct cmk_volume_config *c,
	     int64_t deadline_ms, struct cmk_error *err) _must_check_;

/* Drop what the block device and, if @all, every filesystem holds in the page cache. */
void mount_evict(const struct cmk_dm_device *dev, bool all);

/* holders.c: "postgres(812), bash(901)" into @out; empty if none is found. @m may be NULL. */
void holders_name(const struct cmk_dm_device *dev, const struct mounts *m, char *out, size_t room);

#endif

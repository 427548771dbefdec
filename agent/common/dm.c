// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* What changes a mapping: create, remove, and the target's messages. What reads is in dm_query.c.
 */
#include "dm.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <time.h>

#include <libdevmapper.h>
#include <uapi/dm-cmk.h>

#include "dm_task.h"
#include "kmsg.h"
#include "timeutil.h"

/* How long udev may take to make the node; then it is left alone, and the mapping is there all the
 * same. */
#define UDEV_WAIT_MS 30000
#define UDEV_POLL_NS 5000000

#define KMSG_TARGET ": " CMK_TARGET_NAME ": "

int cmk_dm_check_target(struct cmk_error *err)
{
	struct cmk_dm_task t;
	struct utsname u;
	int r = cmk_dm_task_new(&t, DM_DEVICE_GET_TARGET_VERSION, CMK_TARGET_NAME, err);

	if (r < 0)
		return r;
	/* asking for the version makes the kernel load the module */
	r = cmk_dm_task_run(&t);
	if (r < 0) {
		uname(&u);
		cmk_error_set(err, CMK_EXIT_MODULE, r,
			      "Try modprobe dm-cmk: the module must be installed for this kernel, "
			      "and signed where "
			      "Secure Boot is on.",
			      "the kernel %s has no device-mapper target \"" CMK_TARGET_NAME
			      "\" (%s)",
			      u.release, t.why);
	}
	cmk_dm_task_free(&t);
	return r < 0 ? -ENOTSUP : 0;
}

/*
 * Wait for udev's rules, but not for ever. Where no udev runs the node is libdevmapper's to make,
 * which it puts off until it is told.
 */
static void wait_udev(uint32_t cookie)
{
	const struct timespec pause = { .tv_nsec = UDEV_POLL_NS };
	int64_t end_ms = boottime_ms() + UDEV_WAIT_MS;
	int ready = 0;

	if (cookie && dm_udev_get_sync_support()) {
		while (dm_udev_wait_immediate(cookie, &ready) && !ready && boottime_ms() < end_ms)
			nanosleep(&pause, NULL);
		if (!ready)
			dm_udev_complete(cookie);
	}
	dm_task_update_nodes();
}

/* The part of the table line after "<start> <len> cmk", see <uapi/dm-cmk.h>. */
static int table_params(char *params, size_t len, dev_t lower, const struct cmk_header *h,
			const struct cmk_volume_config *opts, const char *key)
{
	char words[160];
	int n = 1, at = snprintf(words, sizeof(words), " sector_size:%u", h->sector_size);

	if (opts->allow_discards) {
		at += snprintf(words + at, sizeof(words) - at, " allow_discards");
		n++;
	}
	if (opts->lease_ms) {
		at += snprintf(words + at, sizeof(words) - at, " lease:%" PRId64, opts->lease_ms);
		n++;
	}
	if (opts->on_inaccessible == CMK_INACCESSIBLE_QUEUE) {
		snprintf(words + at, sizeof(words) - at, " on_inaccessible:queue");
		n++;
	}
	return snprintf(params, len, CMK_CIPHER " %s%s %" PRIu64 " %u:%u %" PRIu64 " %d%s",
			key ? ":64:" CMK_KEY_TYPE ":" : "-", key ? key : "", h->iv_offset_sectors,
			major(lower), minor(lower), h->data_offset_sectors, n, words);
}

static int create_failed(int r, const char *name, const char *device, const char *said,
			 struct cmk_error *err)
{
	const char *remedy = said[0] || r != -EBUSY ? NULL : "See lsblk, dmsetup ls, findmnt.";

	return cmk_error_set(err, r == -EBUSY ? CMK_EXIT_BUSY : CMK_EXIT_DEVICE, r, remedy,
			     "volume %s: %s cannot be mapped: %s%s%s", name, device, said,
			     said[0] ? ": " : "", strerror(-r));
}

/*
 * Nobody else may have the lower device: two mappings of one device would be two filesystems that
 * do not know of each other. The kernel does not refuse that, for all mappings claim a device in
 * the device-mapper's one name.
 */
static int check_lower(const char *name, const char *device, struct stat *st, struct cmk_error *err)
{
	_cleanup_close_ int fd = open(device, O_RDONLY | O_EXCL | O_CLOEXEC);

	if (fd < 0 && errno == EBUSY)
		return cmk_error_set(err, CMK_EXIT_BUSY, -EBUSY,
				     "See what uses it: lsblk, findmnt, dmsetup ls.",
				     "volume %s: %s is in use", name, device);
	if (fd < 0 || fstat(fd, st) < 0)
		return cmk_error_set(err, CMK_EXIT_DEVICE, -errno, NULL, "volume %s: %s: %s", name,
				     device, strerror(errno));
	if (!S_ISBLK(st->st_mode))
		return cmk_error_set(err, CMK_EXIT_DEVICE, -ENOTBLK, NULL,
				     "volume %s: %s is not a block device", name, device);
	return 0;
}

int cmk_dm_create(const char *name, const struct cmk_header *h,
		  const struct cmk_volume_config *opts, const char *key, struct cmk_error *err)
{
	_cleanup_close_ int kmsg = cmk_kmsg_mark();
	char params[512], uuid[256], said[256];
	struct cmk_dm_task t;
	uint32_t cookie = 0;
	struct stat st;
	int r;

	r = check_lower(name, h->device, &st, err);
	if (r < 0)
		return r;
	table_params(params, sizeof(params), st.st_rdev, h, opts, key);
	snprintf(uuid, sizeof(uuid), CMK_DM_UUID_PREFIX "%s-%s", h->uuid, name);
	/* the kernel has room for 128 bytes (DM_UUID_LEN); a long name is cut, the mapping's name
	 * is whole */
	uuid[127] = '\0';
	r = cmk_dm_task_new(&t, DM_DEVICE_CREATE, name, err);
	if (r < 0)
		return r;
	if (!dm_task_set_uuid(t.dmt, uuid) || !dm_task_secure_data(t.dmt) ||
	    !dm_task_add_target(t.dmt, 0, h->size_sectors, CMK_TARGET_NAME, params) ||
	    !dm_task_set_cookie(t.dmt, &cookie, 0)) {
		cmk_dm_task_free(&t);
		return cmk_error_set(err, CMK_EXIT_MEMORY, -ENOMEM, NULL,
				     "volume %s: out of memory", name);
	}
	r = cmk_dm_task_run(&t);
	wait_udev(cookie);
	cmk_dm_task_free(&t);
	if (r < 0)
		return create_failed(r, name, h->device,
				     cmk_kmsg_find(kmsg, KMSG_TARGET, said, sizeof(said)), err);
	return 0;
}

int cmk_dm_remove(const char *name, struct cmk_error *err)
{
	struct cmk_dm_task t;
	uint32_t cookie = 0;
	int r = cmk_dm_task_new(&t, DM_DEVICE_REMOVE, name, err);

	if (r < 0)
		return r;
	/* retry: udev's rules may have the node open for a moment */
	if (!dm_task_retry_remove(t.dmt) || !dm_task_set_cookie(t.dmt, &cookie, 0)) {
		cmk_dm_task_free(&t);
		return cmk_error_set(err, CMK_EXIT_MEMORY, -ENOMEM, NULL,
				     "volume %s: out of memory", name);
	}
	r = cmk_dm_task_run(&t);
	wait_udev(cookie);
	if (r == -EBUSY)
		cmk_error_set(err, CMK_EXIT_BUSY, r, "Stop what uses it, or unmount it.",
			      "volume %s: it is in use", name);
	else if (r == -ENXIO)
		r = cmk_error_set(err, CMK_EXIT_DEVICE, -ENODEV, NULL, "volume %s: it is not open",
				  name);
	else if (r < 0)
		cmk_error_set(err, CMK_EXIT_DEVICE, r, NULL, "volume %s: it cannot be removed: %s",
			      name, t.why);
	cmk_dm_task_free(&t);
	return r;
}

static int send_message(const char *name, const char *message, const char *what,
			struct cmk_error *err)
{
	_cleanup_close_ int kmsg = cmk_kmsg_mark();
	struct cmk_dm_task t;
	char said[256];
	int r = cmk_dm_task_new(&t, DM_DEVICE_TARGET_MSG, name, err);

	if (r < 0)
		return r;
	if (!dm_task_set_sector(t.dmt, 0) || !dm_task_set_message(t.dmt, message) ||
	    !dm_task_secure_data(t.dmt)) {
		cmk_dm_task_free(&t);
		return cmk_error_set(err, CMK_EXIT_MEMORY, -ENOMEM, NULL,
				     "volume %s: out of memory", name);
	}
	r = cmk_dm_task_run(&t);
	cmk_dm_task_free(&t);
	if (r == -ENXIO)
		return cmk_error_set(err, CMK_EXIT_DEVICE, -ENODEV, NULL,
				     "volume %s: it is not open", name);
	if (r < 0) {
		cmk_kmsg_find(kmsg, KMSG_TARGET, said, sizeof(said));
		cmk_error_set(err, CMK_EXIT_DEVICE, r, NULL, "volume %s: %s failed: %s%s%s", name,
			      what, said, said[0] ? ": " : "", strerror(-r));
	}
	return r;
}

int cmk_dm_load_key(const char *name, const char *key, struct cmk_error *err)
{
	char message[160];

	snprintf(message, sizeof(message), "key :64:" CMK_KEY_TYPE ":%s", key);
	return send_message(name, message, "loading the key", err);
}

int cmk_dm_renew(const char *name, int64_t lease_ms, struct cmk_error *err)
{
	char message[64];

	snprintf(message, sizeof(message), "lease %" PRId64, lease_ms);
	return send_message(name, message, "renewing the lease", err);
}

int cmk_dm_revoke(const char *name, const char *reason, struct cmk_error *err)
{
	char message[64];

	snprintf(message, sizeof(message), "revoke %.*s", CMK_REASON_MAX, reason ? reason : "");
	return send_message(name, message, "revoking the key", err);
}

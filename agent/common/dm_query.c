// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* What reads the device-mapper: which mappings of the target there are, where they lie and what
 * they say. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <libdevmapper.h>
#include <uapi/dm-cmk.h>

#include "dm.h"
#include "dm_task.h"

#define UUID_CHARS 36

/* libdevmapper has one log for the process; what it says during a run goes to that task. */
static char log_text[sizeof(((struct cmk_dm_task *)0)->why)];

static _printf_(5, 6) void on_log(int level, const char *file, int line, int dm_errno,
				  const char *fmt, ...)
{
	va_list ap;

	(void)file;
	(void)line;
	(void)dm_errno;
	/* the low bits are syslog's priority: 3 is an error */
	if ((level & 7) > 3 || log_text[0])
		return;
	va_start(ap, fmt);
	vsnprintf(log_text, sizeof(log_text), fmt, ap);
	va_end(ap);
}

int cmk_dm_task_new(struct cmk_dm_task *t, int type, const char *name, struct cmk_error *err)
{
	dm_log_with_errno_init(on_log);
	log_text[0] = '\0';
	*t = (struct cmk_dm_task){ .dmt = dm_task_create(type) };
	if (t->dmt && (!name || dm_task_set_name(t->dmt, name)))
		return 0;
	cmk_dm_task_free(t);
	return cmk_error_set(err, CMK_EXIT_DEVICE, -EINVAL, NULL,
			     "%s: the device-mapper cannot be asked: %s", name ? name : "mappings",
			     log_text[0] ? log_text : "out of memory");
}

int cmk_dm_task_run(struct cmk_dm_task *t)
{
	int r;

	errno = 0;
	if (dm_task_run(t->dmt))
		return 0;
	r = dm_task_get_errno(t->dmt);
	snprintf(t->why, sizeof(t->why), "%s", log_text[0] ? log_text : strerror(r ? r : ENODEV));
	return r ? -r : -ENODEV;
}

void cmk_dm_task_free(struct cmk_dm_task *t)
{
	if (t->dmt)
		dm_task_destroy(t->dmt);
	t->dmt = NULL;
}

/*
 * Run a STATUS or TABLE task of a mapping whose one target must be ours. The table is asked for
 * only after the status said so: dm-crypt's table shows its key.
 */
static int query(struct cmk_dm_task *t, int type, const char *name, const char **params,
		 struct cmk_error *err)
{
	char *target = NULL, *text = NULL;
	struct dm_info info = { 0 };
	uint64_t start, length;
	int r = cmk_dm_task_new(t, type, name, err);

	if (r < 0)
		return r;
	if (!dm_task_no_flush(t->dmt) || !dm_task_secure_data(t->dmt)) {
		cmk_dm_task_free(t);
		return cmk_error_set(err, CMK_EXIT_MEMORY, -ENOMEM, NULL,
				     "volume %s: out of memory", name);
	}
	r = cmk_dm_task_run(t);
	if (r < 0 && r != -ENXIO) {
		cmk_error_set(err, CMK_EXIT_DEVICE, r, NULL,
			      "volume %s: the device-mapper cannot be asked: %s", name, t->why);
		cmk_dm_task_free(t);
		return r;
	}
	/* libdevmapper hides the ENXIO of some ioctls behind `exists` */
	if (r == 0 && dm_task_get_info(t->dmt, &info) && info.exists)
		dm_get_next_target(t->dmt, NULL, &start, &length, &target, &text);
	if (!target || strcmp(target, CMK_TARGET_NAME) != 0 || !text) {
		cmk_dm_task_free(t);
		return cmk_error_set(
			err, CMK_EXIT_DEVICE, -ENODEV, NULL,
			info.exists
				? "volume %s: the mapping of that name is not one of target \"cmk\""
				: "volume %s: it is not open",
			name);
	}
	*params = text;
	return 0;
}

static int parse_status(const char *params, struct cmk_dm_status *st)
{
	char state[16], lease[24], *end;

	if (sscanf(params, "%15s %39s %" SCNu64 " %23s %" SCNu64 " %" SCNu64, state, st->reason,
		   &st->generation, lease, &st->in_flight, &st->queued) != 6)
		return -EBADMSG;
	st->available = strcmp(state, CMK_STATE_AVAILABLE) == 0;
	if (!st->available && strcmp(state, CMK_STATE_INACCESSIBLE) != 0)
		return -EBADMSG;
	st->lease_left_ms = -1;
	if (strcmp(lease, "-") == 0)
		return 0;
	st->lease_left_ms = strtoll(lease, &end, 10);
	return *end || st->lease_left_ms < 0 ? -EBADMSG : 0;
}

int cmk_dm_status(const char *name, struct cmk_dm_status *st, struct cmk_error *err)
{
	struct cmk_dm_task t;
	const char *params;
	int r = query(&t, DM_DEVICE_STATUS, name, &params, err);

	if (r < 0)
		return r;
	memset(st, 0, sizeof(*st));
	if (parse_status(params, st) < 0)
		r = cmk_error_set(err, CMK_EXIT_MODULE, -EBADMSG,
				  "Are the module and this program of the same release?",
				  "volume %s: its status is not understood: %.100s", name, params);
	cmk_dm_task_free(&t);
	return r;
}

/* "8:16" -> "/dev/sdb", by the name that the kernel gives it. */
static void device_path(const char *number, char *path, size_t len)
{
	char file[64], line[256];
	FILE *f;

	snprintf(path, len, "/dev/block/%.31s", number);
	snprintf(file, sizeof(file), "/sys/dev/block/%.31s/uevent", number);
	f = fopen(file, "re");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "DEVNAME=", 8) == 0)
			snprintf(path, len, "/dev/%s", line + 8);
	}
	fclose(f);
}

/* The LUKS UUID in the mapping's: empty where the mapping was not made by this project. */
static void luks_uuid(const char *dm_uuid, char *uuid, size_t len)
{
	size_t prefix = strlen(CMK_DM_UUID_PREFIX);

	uuid[0] = '\0';
	if (strncmp(dm_uuid, CMK_DM_UUID_PREFIX, prefix) == 0 &&
	    strlen(dm_uuid) > prefix + UUID_CHARS && dm_uuid[prefix + UUID_CHARS] == '-')
		snprintf(uuid, len, "%.*s", UUID_CHARS, dm_uuid + prefix);
}

int cmk_dm_info(const char *name, struct cmk_dm_device *dev, struct cmk_error *err)
{
	char number[32] = "";
	struct cmk_dm_task t;
	struct dm_info info;
	const char *params;
	int r = query(&t, DM_DEVICE_STATUS, name, &params, err);

	if (r < 0)
		return r;
	cmk_dm_task_free(&t);
	r = query(&t, DM_DEVICE_TABLE, name, &params, err);
	if (r < 0)
		return r;
	memset(dev, 0, sizeof(*dev));
	/* <cipher> <key> <iv_offset> <device> ... */
	if (!dm_task_get_info(t.dmt, &info) || !info.exists ||
	    sscanf(params, "%*s %*s %*s %31s", number) != 1) {
		cmk_dm_task_free(&t);
		return cmk_error_set(err, CMK_EXIT_DEVICE, -ENODEV, NULL,
				     "volume %s: its table is not understood", name);
	}
	snprintf(dev->name, sizeof(dev->name), "%s", name);
	luks_uuid(dm_task_get_uuid(t.dmt) ? dm_task_get_uuid(t.dmt) : "", dev->uuid,
		  sizeof(dev->uuid));
	dev->major = info.major;
	dev->minor = info.minor;
	dev->open_count = info.open_count;
	device_path(number, dev->lower, sizeof(dev->lower));
	cmk_dm_task_free(&t);
	return 0;
}

static int add_device(const char *name, struct cmk_dm_device **devs, int n)
{
	struct cmk_dm_device dev, *more;

	/* not ours, or gone since it was listed */
	if (cmk_dm_info(name, &dev, NULL) < 0)
		return n;
	more = reallocarray(*devs, n + 1, sizeof(dev));
	if (!more)
		return -ENOMEM;
	more[n] = dev;
	*devs = more;
	return n + 1;
}

int cmk_dm_list(struct cmk_dm_device **devs, struct cmk_error *err)
{
	struct dm_names *names;
	struct cmk_dm_task t;
	int n = 0, r = cmk_dm_task_new(&t, DM_DEVICE_LIST, NULL, err);

	*devs = NULL;
	if (r < 0)
		return r;
	r = cmk_dm_task_run(&t);
	if (r < 0) {
		cmk_error_set(err, CMK_EXIT_DEVICE, r, "modprobe dm-mod",
			      "the mappings cannot be listed: %s", t.why);
		cmk_dm_task_free(&t);
		return r;
	}
	names = dm_task_get_names(t.dmt);
	while (names && names->dev && n >= 0) {
		n = add_device(names->name, devs, n);
		if (!names->next)
			break;
		names = (struct dm_names *)((char *)names + names->next);
	}
	cmk_dm_task_free(&t);
	if (n < 0) {
		free(*devs);
		*devs = NULL;
		return cmk_error_set(err, CMK_EXIT_MEMORY, n, NULL, "out of memory");
	}
	return n;
}

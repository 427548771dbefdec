// SPDX-License-Identifier: GPL-2.0
/*
 * The tests' hands on the kernel: libdevmapper, keyutils and direct I/O.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <keyutils.h>
#include <libdevmapper.h>

#include "dm.h"

static void quiet(int level, const char *file, int line, int err, const char *fmt, ...)
{
	(void)level, (void)file, (void)line, (void)err, (void)fmt;
}

static struct dm_task *task_new(int type, const char *name)
{
	struct dm_task *task;

	dm_log_with_errno_init(quiet);
	task = dm_task_create(type);
	if (!task || !dm_task_set_name(task, name)) {
		perror("dm_task_create");
		exit(1);
	}
	return task;
}

static int task_run(struct dm_task *task)
{
	int r = dm_task_run(task) ? 0 : -dm_task_get_errno(task);

	dm_task_destroy(task);
	return r;
}

static int simple(int type, const char *name)
{
	return task_run(task_new(type, name));
}

static int with_target(int type, const char *name, uint64_t sectors, const char *target,
		       const char *fmt, va_list args)
{
	struct dm_task *task = task_new(type, name);
	char params[T_LINE_MAX];

	vsnprintf(params, sizeof(params), fmt, args);
	dm_task_add_target(task, 0, sectors, target, params);
	return task_run(task);
}

int t_create(const char *name, uint64_t sectors, const char *target, const char *fmt, ...)
{
	va_list args;
	int r;

	va_start(args, fmt);
	r = with_target(DM_DEVICE_CREATE, name, sectors, target, fmt, args);
	va_end(args);
	return r;
}

int t_reload(const char *name, uint64_t sectors, const char *target, const char *fmt, ...)
{
	va_list args;
	int r;

	va_start(args, fmt);
	r = with_target(DM_DEVICE_RELOAD, name, sectors, target, fmt, args);
	va_end(args);
	return r ? r : simple(DM_DEVICE_RESUME, name);
}

int t_message(const char *name, const char *fmt, ...)
{
	struct dm_task *task = task_new(DM_DEVICE_TARGET_MSG, name);
	char message[T_LINE_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	dm_task_set_sector(task, 0);
	dm_task_set_message(task, message);
	return task_run(task);
}

int t_suspend(const char *name, bool noflush)
{
	struct dm_task *task = task_new(DM_DEVICE_SUSPEND, name);

	dm_task_skip_lockfs(task);
	if (noflush)
		dm_task_no_flush(task);
	return task_run(task);
}

int t_resume(const char *name)
{
	return simple(DM_DEVICE_RESUME, name);
}

int t_remove(const char *name)
{
	return simple(DM_DEVICE_REMOVE, name);
}

void t_remove_all(void)
{
	unsigned int round;

	for (round = 0; round < 8; round++) {
		struct dm_task *task = dm_task_create(DM_DEVICE_LIST);
		struct dm_names *names;
		unsigned int next = 0;

		dm_log_with_errno_init(quiet);
		if (!dm_task_run(task))
			exit(1);
		names = dm_task_get_names(task);
		if (!names->dev) {
			dm_task_destroy(task);
			return;
		}
		do {
			names = (struct dm_names *)((char *)names + next);
			t_resume(names->name);
			t_remove(names->name);
			next = names->next;
		} while (next);
		dm_task_destroy(task);
		t_sleep_ms(round * 50);
	}
}

static int line_of(int type, const char *name, char *line)
{
	struct dm_task *task = task_new(type, name);
	char *target, *params;
	uint64_t start, length;
	int r = 0;

	line[0] = '\0';
	dm_task_no_flush(task);
	if (dm_task_run(task)) {
		dm_get_next_target(task, NULL, &start, &length, &target, &params);
		snprintf(line, T_LINE_MAX, "%s", params ? params : "");
	} else {
		r = -dm_task_get_errno(task);
	}
	dm_task_destroy(task);
	return r;
}

int t_status(const char *name, char *line)
{
	return line_of(DM_DEVICE_STATUS, name, line);
}

int t_table(const char *name, char *line)
{
	return line_of(DM_DEVICE_TABLE, name, line);
}

long long t_field(const char *name, unsigned int n)
{
	char line[T_LINE_MAX], *word, *save = NULL;

	if (t_status(name, line))
		return -1;
	word = strtok_r(line, " ", &save);
	while (word && n--)
		word = strtok_r(NULL, " ", &save);
	return word ? strtoll(word, NULL, 10) : -1;
}

long long t_counter(const char *name, const char *counter)
{
	char line[T_LINE_MAX], want[T_NAME_MAX];
	const char *p;

	snprintf(want, sizeof(want), " %s:", counter);
	if (t_status(name, line))
		return -1;
	p = strstr(line, want);
	return p ? strtoll(p + strlen(want), NULL, 10) : -1;
}

bool t_is(const char *name, const char *state, const char *reason)
{
	char line[T_LINE_MAX], want[T_LINE_MAX];

	snprintf(want, sizeof(want), "%s %s ", state, reason);
	return !t_status(name, line) && !strncmp(line, want, strlen(want));
}

bool t_wait_is(const char *name, const char *state, const char *reason, unsigned int ms)
{
	uint64_t end = t_boottime_us() + ms * 1000ULL;

	do {
		if (t_is(name, state, reason))
			return true;
		t_sleep_ms(2);
	} while (t_boottime_us() < end);
	return false;
}

static int info_of(const char *name, struct dm_info *info)
{
	struct dm_task *task = task_new(DM_DEVICE_INFO, name);
	int r = 0;

	if (!dm_task_run(task) || !dm_task_get_info(task, info) || !info->exists)
		r = -ENODEV;
	dm_task_destroy(task);
	return r;
}

uint32_t t_event_nr(const char *name)
{
	struct dm_info info;

	return info_of(name, &info) ? 0 : info.event_nr;
}

int t_minor(const char *name)
{
	struct dm_info info;
	int r = info_of(name, &info);

	return r ? r : (int)info.minor;
}

int t_open(const char *name, int flags)
{
	char path[T_NAME_MAX];
	int fd;

	if (name[0] == '/')
		snprintf(path, sizeof(path), "%s", name);
	else
		snprintf(path, sizeof(path), "/dev/dm-%d", t_minor(name));
	fd = open(path, flags | O_DIRECT | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

void t_fill(void *p, size_t bytes, unsigned int seed)
{
	uint32_t x = seed * 2654435761u + 1, *word = p;
	size_t i;

	for (i = 0; i < bytes / sizeof(x); i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		word[i] = x;
	}
}

void t_key_bytes(unsigned int seed, uint8_t *out, unsigned int bytes)
{
	t_fill(out, bytes, seed + 1000);
}

int32_t t_key(const char *type, const char *description, unsigned int seed, unsigned int bytes)
{
	uint8_t raw[CMK_KEY_BYTES_256];
	int32_t serial;

	t_key_bytes(seed, raw, bytes);
	serial = add_key(type, description, raw, bytes, KEY_SPEC_SESSION_KEYRING);
	return serial < 0 ? -errno : serial;
}

uint64_t t_boottime_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

void t_sleep_ms(unsigned int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

void *t_alloc(size_t bytes, unsigned int seed)
{
	void *p;

	if (posix_memalign(&p, 4096, bytes)) {
		perror("posix_memalign");
		exit(1);
	}
	t_fill(p, bytes, seed);
	return p;
}

int t_pread(int fd, void *p, size_t bytes, uint64_t offset)
{
	ssize_t n = pread(fd, p, bytes, offset);

	if (n < 0)
		return -errno;
	return (size_t)n == bytes ? 0 : -EIO;
}

int t_pwrite(int fd, const void *p, size_t bytes, uint64_t offset)
{
	ssize_t n = pwrite(fd, p, bytes, offset);

	if (n < 0)
		return -errno;
	return (size_t)n == bytes ? 0 : -EIO;
}

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Who keeps a device or its filesystem busy, by name, from /proc. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "steps.h"

#define NAMED_MAX 5

struct search {
	const struct cmk_dm_device *dev;
	const struct mounts *mounts;
};

static bool is_ours(const struct search *s, dev_t on, dev_t rdev, mode_t mode)
{
	if (S_ISBLK(mode) && rdev == makedev(s->dev->major, s->dev->minor))
		return true;
	if (on == makedev(s->dev->major, s->dev->minor))
		return true;
	for (size_t i = 0; s->mounts && i < s->mounts->n; i++) {
		if (on == makedev(s->mounts->majors[i], s->mounts->minors[i]))
			return true;
	}
	return false;
}

static bool link_is_ours(const struct search *s, int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, 0) == 0 && is_ours(s, st.st_dev, st.st_rdev, st.st_mode);
}

static bool has_file(const struct search *s, int proc)
{
	int fd = openat(proc, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	bool found = false;

	if (!dir)
		return false;
	while (!found && (e = readdir(dir)))
		found = isdigit((unsigned char)e->d_name[0]) &&
			link_is_ours(s, dirfd(dir), e->d_name);
	closedir(dir);
	return found;
}

static bool has_mapping(const struct search *s, int proc)
{
	int fd = openat(proc, "maps", O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	unsigned int major, minor;
	char line[4608];
	bool found = false;

	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%*s %*s %*s %x:%x", &major, &minor) == 2 && major &&
			is_ours(s, makedev(major, minor), 0, 0);
	fclose(f);
	return found;
}

static bool holds(const struct search *s, int proc)
{
	return link_is_ours(s, proc, "cwd") || link_is_ours(s, proc, "root") ||
	       link_is_ours(s, proc, "exe") || has_file(s, proc) || has_mapping(s, proc);
}

static void add_name(int proc, const char *pid, char *out, size_t room)
{
	int fd = openat(proc, "comm", O_RDONLY | O_CLOEXEC);
	char comm[32] = "?";
	size_t used = strlen(out);
	ssize_t n;

	if (fd >= 0) {
		n = read(fd, comm, sizeof(comm) - 1);
		comm[n > 0 ? n : 0] = '\0';
		comm[strcspn(comm, "\n")] = '\0';
		close(fd);
	}
	for (char *c = comm; *c; c++) {
		if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
			*c = '?';
	}
	snprintf(out + used, room - used, "%s%s(%s)", used ? ", " : "", comm, pid);
}

void holders_name(const struct cmk_dm_device *dev, const struct mounts *m, char *out, size_t room)
{
	struct search s = { .dev = dev, .mounts = m };
	DIR *dir = opendir("/proc");
	unsigned int n = 0;
	struct dirent *e;
	size_t used;

	out[0] = '\0';
	while (dir && (e = readdir(dir))) {
		_cleanup_close_ int proc = -1;

		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		proc = openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (proc < 0 || !holds(&s, proc))
			continue;
		if (++n <= NAMED_MAX)
			add_name(proc, e->d_name, out, room);
	}
	if (dir)
		closedir(dir);
	used = strlen(out);
	if (n > NAMED_MAX)
		snprintf(out + used, room - used, " and %u more", n - NAMED_MAX);
}

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Mounts, unmounts, and as a last resort shuts a filesystem down and detaches it. */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "common/timeutil.h"
#include "steps.h"

#define RETRY_MS	100
#define STALE_HOLDER_MS 5000
#define NODE_MS		5000
#define DETACH_ATTEMPTS 64

/* The same number for ext4, XFS and F2FS (XFS_IOC_GOINGDOWN); no uapi header of 6.1 has it. */
#define SHUTDOWN_IOCTL	 _IOR('X', 125, uint32_t)
#define SHUTDOWN_FLUSH	 0 /* write everything back first */
#define SHUTDOWN_AT_ONCE 2

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = RETRY_MS * 1000000L }, NULL);
}

/* mountinfo writes a space, a tab, a newline and a backslash as three octal digits (proc(5)). */
static void unescape(char *s)
{
	char *to = s;

	while (*s) {
		if (s[0] == '\\' && s[1] && s[2] && s[3]) {
			*to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 4;
		} else {
			*to++ = *s++;
		}
	}
	*to = '\0';
}

/* One line of mountinfo: is it ours? A filesystem with device numbers of its own (btrfs) is known
 * by its source. */
static bool parse_line(char *line, const struct cmk_dm_device *dev, struct mounts *m)
{
	char mapper[160], node[32], source[512], point[512];
	unsigned int major, minor;
	char *rest = strstr(line, " - ");

	if (!rest || sscanf(line, "%*u %*u %u:%u %*s %511s", &major, &minor, point) != 3 ||
	    sscanf(rest, " - %*s %511s", source) != 1)
		return false;
	unescape(point);
	snprintf(mapper, sizeof(mapper), "/dev/mapper/%s", dev->name);
	snprintf(node, sizeof(node), "/dev/dm-%u", dev->minor);
	if ((major != dev->major || minor != dev->minor) && strcmp(source, mapper) != 0 &&
	    strcmp(source, node) != 0)
		return false;
	snprintf(m->points[m->n], sizeof(m->points[0]), "%.255s", point);
	m->majors[m->n] = major;
	m->minors[m->n] = minor;
	return true;
}

int mount_list(const struct cmk_dm_device *dev, struct mounts *m)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL;
	size_t room = 0;

	m->n = 0;
	if (!f)
		return -errno;
	while (m->n < MAX_MOUNTS && getline(&line, &room, f) > 0) {
		if (parse_line(line, dev, m))
			m->n++;
	}
	fclose(f);
	return 0;
}

/* Last mounted first. Return: 0 when nothing is left, or the first refusal. */
static int unmount_all(const struct mounts *m, int flags)
{
	int r = 0;

	for (size_t i = m->n; i-- > 0;) {
		if (umount2(m->points[i], flags | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL &&
		    errno != ENOENT && !r)
			r = -errno;
	}
	return r;
}

static void shut_down(const struct mounts *m, bool flush)
{
	uint32_t how = flush ? SHUTDOWN_FLUSH : SHUTDOWN_AT_ONCE;
	int fd = open(m->points[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	/* Filesystems that cannot are detached as they are: the kernel's revoke takes their disk
	 * away. */
	if (ioctl(fd, SHUTDOWN_IOCTL, &how) < 0 && flush)
		syncfs(fd);
	close(fd);
}

static int busy(const struct cmk_dm_device *dev, const struct mounts *m, bool forced,
		struct cmk_error *err)
{
	char names[512];

	holders_name(dev, m, names, sizeof(names));
	return cmk_error_set(err, CMK_EXIT_BUSY, -EBUSY, "end the processes that hold it",
			     "%s%s, held by %s", m->points[0],
			     forced ? " stayed busy and was shut down and detached" : " is busy",
			     names[0] ? names : "no process that /proc shows");
}

int mount_down(const struct cmk_dm_device *dev, int64_t deadline_ms, bool force, bool flush,
	       struct cmk_error *err)
{
	struct mounts m;
	int r;

	for (;;) {
		r = mount_list(dev, &m);
		if (r < 0)
			return cmk_error_set(err, CMK_EXIT_DEVICE, r, NULL,
					     "cannot read /proc/self/mountinfo: %s", strerror(-r));
		if (!m.n)
			return 0;
		r = unmount_all(&m, 0);
		if (r < 0 && boottime_ms() >= deadline_ms)
			break;
		if (r < 0)
			nap();
	}
	r = busy(dev, &m, force, err);
	if (!force)
		return r;
	shut_down(&m, flush);
	for (int i = 0; i < DETACH_ATTEMPTS && mount_list(dev, &m) == 0 && m.n; i++) {
		if (unmount_all(&m, 0) < 0)
			(void)unmount_all(&m, MNT_DETACH);
	}
	return r;
}

/* Return: 0 when nothing holds the device open, -EBUSY with the holders named. */
static int wait_unheld(const struct cmk_dm_device *dev, int64_t deadline_ms, struct cmk_error *err)
{
	struct cmk_dm_device now;
	char names[512];
	int r;

	for (;;) {
		r = cmk_dm_info(dev->name, &now, err);
		if (r < 0 || !now.open_count)
			return r;
		if (boottime_ms() >= deadline_ms)
			break;
		nap();
	}
	holders_name(dev, NULL, names, sizeof(names));
	return cmk_error_set(
		err, CMK_EXIT_BUSY, -EBUSY,
		"end the processes that hold it, or unmount it in their mount namespace",
		"cannot mount %s: its former filesystem is still held open by %s", dev->name,
		names[0] ? names : "no process that /proc shows");
}

/* The kernel tells of a mapping before udev, or whoever made it, has put its node into /dev. */
static void wait_node(const struct cmk_dm_device *dev, const char *node, int64_t deadline_ms)
{
	struct stat st;

	while ((stat(node, &st) < 0 || !S_ISBLK(st.st_mode) ||
		st.st_rdev != makedev(dev->major, dev->minor)) &&
	       boottime_ms() < deadline_ms)
		nap();
}

static bool is_mounted_at(const struct mounts *m, const char *point)
{
	for (size_t i = 0; i < m->n; i++) {
		if (!strcmp(m->points[i], point))
			return true;
	}
	return false;
}

int mount_up(const struct cmk_dm_device *dev, const struct cmk_volume_config *c,
	     int64_t deadline_ms, struct cmk_error *err)
{
	char node[160], said[400];
	const char *argv[] = { "mount", "-o", c->mount_options[0] ? c->mount_options : "defaults",
			       "--",	node, c->mount,
			       NULL };
	int64_t unheld_ms = boottime_ms() + STALE_HOLDER_MS, node_ms = boottime_ms() + NODE_MS;
	struct mounts m;
	int r;

	if (!c->mount[0])
		return 0;
	r = mount_list(dev, &m);
	if (r == 0 && is_mounted_at(&m, c->mount))
		return 0;
	if (r == 0 && !m.n)
		r = wait_unheld(dev, unheld_ms < deadline_ms ? unheld_ms : deadline_ms, err);
	if (r < 0)
		return cmk_error_set(err, CMK_EXIT_DEVICE, r, NULL, "cannot mount %s: %s",
				     dev->name, strerror(-r));
	snprintf(node, sizeof(node), "/dev/mapper/%s", dev->name);
	wait_node(dev, node, node_ms < deadline_ms ? node_ms : deadline_ms);
	r = program_run(argv, deadline_ms, said, sizeof(said));
	if (r < 0)
		return cmk_error_set(err, CMK_EXIT_DEVICE, r,
				     "see `mount` and `mount_options` of the volume in cmk.conf",
				     "cannot mount %s at %s: %s", node, c->mount,
				     r == -ETIMEDOUT ? "not done in time" : said);
	return 0;
}

void mount_evict(const struct cmk_dm_device *dev, bool all)
{
	char node[160];
	int fd;

	snprintf(node, sizeof(node), "/dev/mapper/%s", dev->name);
	fd = open(node, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0) {
		ioctl(fd, BLKFLSBUF, 0);
		close(fd);
	}
	if (!all)
		return;
	/* A detached filesystem that is still held open has its pages still: drop the clean ones of
	 * all of them. */
	fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (write(fd, "1", 1) < 0)
		errno = 0; /* nothing left to try */
	close(fd);
}

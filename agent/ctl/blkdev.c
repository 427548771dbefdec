// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* A device that is to be formatted: is it one, is it free, is there something on it? By libblkid.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <blkid/blkid.h>
#include <linux/fs.h>

#include "ctl.h"

/* The header takes 16 MiB (libcryptsetup's default); below twice that a volume is no use. */
#define SIZE_MIN_BYTES (32 * 1024 * 1024LL)

static int refuse(struct cmk_error *err, enum cmk_exit exit, int r, const char *remedy,
		  const char *device, const char *what)
{
	return cmk_error_set(err, exit, r, remedy, "%s: %s", device, what);
}

/* O_EXCL on a block device: nobody else may hold it, neither a mount nor a mapping. */
static int open_free(const char *device, int *fd, struct cmk_error *err)
{
	struct stat st;

	if (stat(device, &st) < 0)
		return refuse(err, CMK_EXIT_DEVICE, -errno, NULL, device, strerror(errno));
	if (!S_ISBLK(st.st_mode))
		return refuse(err, CMK_EXIT_DEVICE, -ENOTBLK, NULL, device, "not a block device");
	*fd = open(device, O_RDWR | O_EXCL | O_CLOEXEC);
	if (*fd >= 0)
		return 0;
	if (errno == EBUSY)
		return refuse(err, CMK_EXIT_BUSY, -EBUSY,
			      "See what uses it: lsblk, findmnt, dmsetup ls.", device, "in use");
	return refuse(err, CMK_EXIT_DEVICE, -errno, NULL, device, strerror(errno));
}

static int check_geometry(int fd, const char *device, unsigned int sector_size,
			  struct cmk_error *err)
{
	uint64_t bytes = 0;
	int logical = 512, read_only = 0;

	if (ioctl(fd, BLKGETSIZE64, &bytes) < 0 || ioctl(fd, BLKSSZGET, &logical) < 0 ||
	    ioctl(fd, BLKROGET, &read_only) < 0)
		return refuse(err, CMK_EXIT_DEVICE, -errno, NULL, device, strerror(errno));
	if (read_only)
		return refuse(err, CMK_EXIT_DEVICE, -EROFS, "blockdev --setrw", device,
			      "read-only");
	if (bytes < SIZE_MIN_BYTES)
		return refuse(err, CMK_EXIT_DEVICE, -EINVAL, NULL, device, "smaller than 32 MiB");
	if ((unsigned int)logical > sector_size)
		return cmk_error_set(err, CMK_EXIT_USAGE, -EINVAL, "Give a larger --sector-size.",
				     "%s: its own sectors of %d bytes are larger than %u", device,
				     logical, sector_size);
	return 0;
}

/* Everything that libblkid knows: filesystems, volume managers, partition tables. */
static blkid_probe start_probe(const char *device, int fd, struct cmk_error *err)
{
	blkid_probe pr = blkid_new_probe();

	if (!pr || blkid_probe_set_device(pr, fd, 0, 0) < 0) {
		blkid_free_probe(pr);
		refuse(err, CMK_EXIT_MEMORY, -ENOMEM, NULL, device, "it cannot be looked at");
		return NULL;
	}
	blkid_probe_enable_superblocks(pr, 1);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_MAGIC |
						      BLKID_SUBLKS_BADCSUM);
	blkid_probe_enable_partitions(pr, 1);
	blkid_probe_set_partitions_flags(pr, BLKID_PARTS_MAGIC);
	return pr;
}

static void name_signature(blkid_probe pr, char *found, size_t len)
{
	const char *type = NULL;

	if (blkid_probe_lookup_value(pr, "TYPE", &type, NULL) == 0)
		snprintf(found, len, "%s", type);
	else if (blkid_probe_lookup_value(pr, "PTTYPE", &type, NULL) == 0)
		snprintf(found, len, "a partition table (%s)", type);
	else
		snprintf(found, len, "something");
}

int ctl_blkdev_check(const char *device, unsigned int sector_size, char *found, size_t len,
		     struct cmk_error *err)
{
	_cleanup_close_ int fd = -1;
	blkid_probe pr;
	int r = open_free(device, &fd, err);

	found[0] = '\0';
	if (r == 0)
		r = check_geometry(fd, device, sector_size, err);
	if (r < 0)
		return r;
	pr = start_probe(device, fd, err);
	if (!pr)
		return -ENOMEM;
	r = blkid_do_probe(pr);
	if (r == 0)
		name_signature(pr, found, len);
	blkid_free_probe(pr);
	return r < 0 ? refuse(err, CMK_EXIT_DEVICE, -EIO, "See the kernel's log.", device,
			      "it cannot be read")
		     : 0;
}

int ctl_blkdev_wipe(const char *device, struct cmk_error *err)
{
	_cleanup_close_ int fd = -1;
	blkid_probe pr;
	int r = open_free(device, &fd, err);

	if (r < 0)
		return r;
	pr = start_probe(device, fd, err);
	if (!pr)
		return -ENOMEM;
	while ((r = blkid_do_probe(pr)) == 0) {
		if (blkid_do_wipe(pr, 0) < 0)
			break;
	}
	blkid_free_probe(pr);
	if (r != 1 || fsync(fd) < 0)
		return refuse(err, CMK_EXIT_DEVICE, -EIO, "See the kernel's log.", device,
			      "what is on it cannot be removed");
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The table line: its parameters and options, and the same words back for the table status.
 */
#include <linux/blkdev.h>

#include "cmk.h"

#define CMK_NR_PARAMS		5
#define CMK_MAX_OPTS		6

enum cmk_opt_id {
	CMK_OPT_SECTOR_SIZE,
	CMK_OPT_IV_LARGE_SECTORS,
	CMK_OPT_ALLOW_DISCARDS,
	CMK_OPT_LEASE,
	CMK_OPT_ON_INACCESSIBLE,
	CMK_OPT_QUEUE_TIMEOUT,
};

struct cmk_opt {
	const char *name;
	/* value: what follows the colon, NULL if there is none */
	int (*parse)(struct cmk_dev *dev, const char *value);
	char *error;
};

static int cmk_parse_number(const char *value, u64 min, u64 max, u64 *number)
{
	/* kstrtoull() would take a sign and a newline */
	if (!value || *value < '0' || *value > '9' || strchr(value, '\n') ||
	    kstrtoull(value, 10, number))
		return -EINVAL;
	return *number < min || *number > max ? -EINVAL : 0;
}

static int cmk_opt_sector_size(struct cmk_dev *dev, const char *value)
{
	u64 number;

	if (cmk_parse_number(value, 512, 4096, &number) || !is_power_of_2(number))
		return -EINVAL;
	dev->sector_size = number;
	return 0;
}

static int cmk_opt_iv_large_sectors(struct cmk_dev *dev, const char *value)
{
	dev->iv_large_sectors = true;
	return value ? -EINVAL : 0;
}

static int cmk_opt_allow_discards(struct cmk_dev *dev, const char *value)
{
	dev->allow_discards = true;
	return value ? -EINVAL : 0;
}

static int cmk_opt_lease(struct cmk_dev *dev, const char *value)
{
	int r = cmk_parse_number(value, 1, CMK_LEASE_MAX_MS, &dev->first_lease_ms);

	dev->lease_ms = dev->first_lease_ms;
	return r;
}

static int cmk_opt_on_inaccessible(struct cmk_dev *dev, const char *value)
{
	if (!value)
		return -EINVAL;
	dev->hold = !strcmp(value, "queue");
	return dev->hold || !strcmp(value, "error") ? 0 : -EINVAL;
}

static int cmk_opt_queue_timeout(struct cmk_dev *dev, const char *value)
{
	u64 number;
	int r = cmk_parse_number(value, 1, CMK_QUEUE_TIMEOUT_MAX_MS, &number);

	if (!r)
		dev->hold_ms = number;
	return r;
}

static const struct cmk_opt cmk_opts[CMK_MAX_OPTS] = {
	[CMK_OPT_SECTOR_SIZE] = {
		"sector_size", cmk_opt_sector_size,
		"option sector_size: give sector_size:512, 1024, 2048 or 4096",
	},
	[CMK_OPT_IV_LARGE_SECTORS] = {
		"iv_large_sectors", cmk_opt_iv_large_sectors,
		"option iv_large_sectors takes no value",
	},
	[CMK_OPT_ALLOW_DISCARDS] = {
		"allow_discards", cmk_opt_allow_discards,
		"option allow_discards takes no value",
	},
	[CMK_OPT_LEASE] = {
		"lease", cmk_opt_lease,
		"option lease: give milliseconds, lease:1 to lease:604800000",
	},
	[CMK_OPT_ON_INACCESSIBLE] = {
		"on_inaccessible", cmk_opt_on_inaccessible,
		"option on_inaccessible: give on_inaccessible:error or on_inaccessible:queue",
	},
	[CMK_OPT_QUEUE_TIMEOUT] = {
		"queue_timeout", cmk_opt_queue_timeout,
		"option queue_timeout: give milliseconds, queue_timeout:1 to queue_timeout:3600000",
	},
};

static int cmk_fail(struct cmk_dev *dev, char *error)
{
	dev->ti->error = error;
	return -EINVAL;
}

static const struct cmk_opt *cmk_opt_find(const char *word)
{
	size_t len = strcspn(word, ":");
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cmk_opts); i++)
		if (strlen(cmk_opts[i].name) == len && !strncmp(word, cmk_opts[i].name, len))
			return &cmk_opts[i];
	return NULL;
}

static int cmk_parse_opts(struct cmk_dev *dev, unsigned int argc, char **argv)
{
	unsigned long seen = 0;
	u64 number;

	if (!argc)
		return 0;
	if (cmk_parse_number(argv[0], 0, CMK_MAX_OPTS, &number) || number != argc - 1)
		return cmk_fail(dev, "options: their number must precede them: 1 lease:600000");

	while (--argc) {
		const char *word = *++argv, *colon = strchr(word, ':');
		const struct cmk_opt *opt = cmk_opt_find(word);

		if (!opt)
			return cmk_fail(dev, "options: one is unknown: see dm-cmk.rst for the list");
		if (__test_and_set_bit(opt - cmk_opts, &seen))
			return cmk_fail(dev, "options: one is given twice");
		if (opt->parse(dev, colon ? colon + 1 : NULL))
			return cmk_fail(dev, opt->error);
	}
	if (test_bit(CMK_OPT_QUEUE_TIMEOUT, &seen) && !dev->hold)
		return cmk_fail(dev, "option queue_timeout goes with on_inaccessible:queue only");
	return 0;
}

/* All sizes and offsets are whole units of encryption, and nothing wraps. */
static int cmk_check_geometry(struct cmk_dev *dev)
{
	const sector_t mask = (dev->sector_size >> SECTOR_SHIFT) - 1;
	u64 end;

	if (dev->ti->begin & mask || dev->ti->len & mask)
		return cmk_fail(dev, "start and length must be multiples of sector_size");
	if (dev->iv_offset & mask)
		return cmk_fail(dev, "iv_offset must be a multiple of sector_size");
	if (dev->start & mask)
		return cmk_fail(dev, "offset must be a multiple of sector_size");
	if (check_add_overflow(dev->iv_offset, (u64)dev->ti->len, &end))
		return cmk_fail(dev, "iv_offset: with the length it exceeds 64 bits");
	if (check_add_overflow((u64)dev->start, (u64)dev->ti->len, &end))
		return cmk_fail(dev, "offset: with the length it exceeds 64 bits");
	return 0;
}

static int cmk_open_lower(struct cmk_dev *dev, const char *path)
{
	int r = dm_get_device(dev->ti, path, dm_table_get_mode(dev->ti->table), &dev->lower);

	if (r) {
		dev->lower = NULL;
		dev->ti->error = "device: it cannot be opened: is it there, free and writable?";
		return r;
	}
	if (bdev_is_zoned(dev->lower->bdev))
		return cmk_fail(dev, "device: zoned devices are not supported");
	return 0;
}

/**
 * cmk_table_parse() - the constructor's words
 * @dev: the mapping; gets what they say, and the lower device
 * @argc: number of words
 * @argv: the words; argv[1], the key, is left to the caller
 *
 * Return: 0, or -errno with ti->error set. Either way cmk_table_release() follows.
 */
int cmk_table_parse(struct cmk_dev *dev, unsigned int argc, char **argv)
{
	u64 start;
	int r;

	if (argc < CMK_NR_PARAMS)
		return cmk_fail(dev, "give: " CMK_CIPHER " <key> <iv_offset> <device> <offset> [...]");
	if (strcmp(argv[0], CMK_CIPHER))
		return cmk_fail(dev, "cipher: only aes-xts-plain64 is supported");
	if (cmk_parse_number(argv[2], 0, U64_MAX, &dev->iv_offset))
		return cmk_fail(dev, "iv_offset: give a number of 512-byte sectors");
	if (cmk_parse_number(argv[4], 0, U64_MAX, &start) || start != (sector_t)start)
		return cmk_fail(dev, "offset: give a number of 512-byte sectors");
	dev->start = start;

	dev->sector_size = CMK_SECTOR_SIZE;
	dev->hold_ms = CMK_QUEUE_TIMEOUT_MS;
	r = cmk_parse_opts(dev, argc - CMK_NR_PARAMS, argv + CMK_NR_PARAMS);
	if (r)
		return r;
	if (dev->iv_large_sectors)
		dev->iv_shift = ilog2(dev->sector_size) - SECTOR_SHIFT;
	r = cmk_check_geometry(dev);
	if (r)
		return r;
	return cmk_open_lower(dev, argv[3]);
}

/**
 * cmk_table_release() - undo cmk_table_parse()
 * @dev: the mapping
 */
void cmk_table_release(struct cmk_dev *dev)
{
	if (dev->lower)
		dm_put_device(dev->ti, dev->lower);
}

/**
 * cmk_table_emit() - the table line's words, without start, length and target name
 * @dev: the mapping
 * @result: where to
 * @maxlen: its size
 *
 * The first lease is shown as given: what is left of the present one is in the status line.
 */
void cmk_table_emit(struct cmk_dev *dev, char *result, unsigned int maxlen)
{
	unsigned int opts = (dev->sector_size != CMK_SECTOR_SIZE) + dev->iv_large_sectors +
			    dev->allow_discards + !!dev->first_lease_ms +
			    dev->hold + (dev->hold && dev->hold_ms != CMK_QUEUE_TIMEOUT_MS);
	struct cmk_key *key;
	unsigned int sz = 0;

	rcu_read_lock();
	key = rcu_dereference(dev->key);
	DMEMIT("%s %s %llu %s %llu", CMK_CIPHER, key ? key->spec : "-", dev->iv_offset,
	       dev->lower->name, (u64)dev->start);
	rcu_read_unlock();
	if (!opts)
		return;

	DMEMIT(" %u", opts);
	if (dev->sector_size != CMK_SECTOR_SIZE)
		DMEMIT(" sector_size:%u", dev->sector_size);
	if (dev->iv_large_sectors)
		DMEMIT(" iv_large_sectors");
	if (dev->allow_discards)
		DMEMIT(" allow_discards");
	if (dev->first_lease_ms)
		DMEMIT(" lease:%llu", dev->first_lease_ms);
	if (dev->hold)
		DMEMIT(" on_inaccessible:queue");
	if (dev->hold && dev->hold_ms != CMK_QUEUE_TIMEOUT_MS)
		DMEMIT(" queue_timeout:%u", dev->hold_ms);
}

/**
 * cmk_table_emit_ima() - what IMA measures of the mapping: all but the key
 * @dev: the mapping
 * @result: where to
 * @maxlen: its size
 */
void cmk_table_emit_ima(struct cmk_dev *dev, char *result, unsigned int maxlen)
{
	unsigned int sz = 0;

	DMEMIT_TARGET_NAME_VERSION(dev->ti->type);
	DMEMIT(",cipher=%s,iv_offset=%llu,device=%s,offset=%llu", CMK_CIPHER, dev->iv_offset,
	       dev->lower->name, (u64)dev->start);
	DMEMIT(",sector_size=%u,iv_large_sectors=%c,allow_discards=%c", dev->sector_size,
	       dev->iv_large_sectors ? 'y' : 'n', dev->allow_discards ? 'y' : 'n');
	DMEMIT(",lease=%llu,on_inaccessible=%s,queue_timeout=%u;", dev->first_lease_ms,
	       dev->hold ? "queue" : "error", dev->hold ? dev->hold_ms : 0);
}

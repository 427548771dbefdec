// SPDX-License-Identifier: GPL-2.0
/*
 * The target itself: its life from constructor to destructor, the way of a bio through map and
 * end_io, and what DM asks about it.
 */
#include <linux/blkdev.h>
#include <linux/slab.h>

#include "cmk.h"

/**
 * cmk_remap() - point DM's clone at the lower device
 * @dev: the mapping
 * @bio: DM's clone, with a sector of the mapped device
 */
void cmk_remap(struct cmk_dev *dev, struct bio *bio)
{
	bio_set_dev(bio, dev->lower->bdev);
	bio->bi_iter.bi_sector = dev->start + dm_target_offset(dev->ti, bio->bi_iter.bi_sector);
}

/**
 * cmk_fail_bio() - end a bio that goes nowhere
 * @dev: the mapping
 * @bio: DM's clone
 * @status: the error; BLK_STS_OFFLINE is counted
 */
void cmk_fail_bio(struct cmk_dev *dev, struct bio *bio, blk_status_t status)
{
	cmk_bio_io(bio)->kind = CMK_IO_PASS;
	if (status == BLK_STS_OFFLINE)
		cmk_count(dev, CMK_ERR_OFFLINE);
	bio->bi_status = status;
	bio_endio(bio);
}

/**
 * cmk_map_bio() - where a read, write or discard goes
 * @dev: the mapping
 * @bio: DM's clone, aligned to the sector size; at most CMK_RESERVE_SECTORS if it is a write
 * outside map
 * @io: its per-bio data
 *
 * Return: DM_MAPIO_REMAPPED: the caller submits it; or DM_MAPIO_SUBMITTED: it is taken care of.
 */
int cmk_map_bio(struct cmk_dev *dev, struct bio *bio, struct cmk_io *io)
{
	if (unlikely(!rcu_access_pointer(dev->key)))
		return cmk_hold_or_fail(dev, bio, io);

	io->sector = dev->iv_offset + dm_target_offset(dev->ti, bio->bi_iter.bi_sector);
	if (bio_op(bio) == REQ_OP_READ)
		return cmk_read_map(dev, bio, io);
	if (likely(bio_op(bio) == REQ_OP_WRITE))
		return cmk_write_map(dev, bio, io);

	io->kind = CMK_IO_PASS;
	cmk_count(dev, CMK_DISCARDS);
	cmk_remap(dev, bio);
	return DM_MAPIO_REMAPPED;
}

/*
 * A flush carries no data and passes in any state: it makes ciphertext durable that was
 * acknowledged.
 */
static int cmk_map_flush(struct cmk_dev *dev, struct bio *bio)
{
	cmk_count(dev, CMK_FLUSHES);
	bio_set_dev(bio, dev->lower->bdev);
	return DM_MAPIO_REMAPPED;
}

static int cmk_map(struct dm_target *ti, struct bio *bio)
{
	struct cmk_dev *dev = ti->private;
	struct cmk_io *io = cmk_bio_io(bio);
	const unsigned int mask = dev->sector_size - 1;

	io->dev = dev;
	io->kind = CMK_IO_PASS;
	io->held = false;

	if (unlikely(bio->bi_opf & REQ_PREFLUSH)) {
		this_cpu_inc(dev->stats->in_flight);
		return cmk_map_flush(dev, bio);
	}

	if (unlikely((bio->bi_iter.bi_sector << SECTOR_SHIFT | bio->bi_iter.bi_size) & mask)) {
		cmk_count(dev, CMK_ERR_MISALIGNED);
		return DM_MAPIO_KILL;
	}
	/* the bounce vector has room for BIO_MAX_VECS pages */
	if (unlikely(bio->bi_iter.bi_size > BIO_MAX_VECS << PAGE_SHIFT) &&
	    bio_op(bio) == REQ_OP_WRITE)
		dm_accept_partial_bio(bio, BIO_MAX_VECS << PAGE_SECTORS_SHIFT);

	this_cpu_inc(dev->stats->in_flight);
	return cmk_map_bio(dev, bio, io);
}

static int cmk_end_io(struct dm_target *ti, struct bio *bio, blk_status_t *error)
{
	struct cmk_dev *dev = ti->private;
	struct cmk_io *io = cmk_bio_io(bio);
	int r = DM_ENDIO_DONE;

	if (unlikely(*error) && io->kind != CMK_IO_PASS)
		cmk_count(dev, CMK_ERR_LOWER);

	if (io->kind == CMK_IO_READ)
		r = cmk_read_end(dev, bio, io, error);
	else if (io->kind == CMK_IO_WRITE)
		cmk_pages_put(dev, io);

	if (r == DM_ENDIO_DONE)
		this_cpu_dec(dev->stats->in_flight);
	return r;
}

static void cmk_dtr(struct dm_target *ti)
{
	struct cmk_dev *dev = ti->private;

	cmk_pm_del(dev);
	cmk_state_exit(dev);
	cmk_hold_exit(dev);
	if (dev->io_wq)
		destroy_workqueue(dev->io_wq);
	cmk_cipher_exit(dev);
	mempool_exit(&dev->pages);
	free_percpu(dev->stats);
	cmk_table_release(dev);
	kfree(dev);
}

static int cmk_ctr_resources(struct cmk_dev *dev)
{
	int r = -ENOMEM;

	dev->ti->error = "no memory for the mapping: free some and load the table again";
	dev->stats = alloc_percpu(struct cmk_stats);
	if (!dev->stats)
		return r;
	dev->io_wq = alloc_workqueue("cmk_io/%s", WQ_MEM_RECLAIM | WQ_HIGHPRI | CMK_WQ_PERCPU, 0,
				     dm_device_name(dm_table_get_md(dev->ti->table)));
	if (!dev->io_wq)
		return r;
	r = cmk_pages_init_dev(dev);
	if (r)
		return r;
	r = cmk_hold_init(dev);
	if (r)
		return r;
	r = cmk_cipher_init(dev);
	if (r && r != -ENOMEM)
		dev->ti->error = "cipher: this kernel has no xts(aes): load module xts";
	return r;
}

/* The first key and the first lease. A mapping without a key starts Inaccessible. */
static int cmk_ctr_key(struct cmk_dev *dev, const char *spec)
{
	const char *error = NULL;
	struct cmk_key *key;
	int r;

	if (!strcmp(spec, "-"))
		return 0;
	key = cmk_key_load(dev, spec, &error);
	if (IS_ERR(key)) {
		dev->ti->error = (char *)error;
		return PTR_ERR(key);
	}
	r = cmk_state_up(dev, key);
	if (r)
		dev->ti->error = "key: it was revoked, or a hibernation began, meanwhile";
	return r;
}

static int cmk_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct cmk_dev *dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	int r;

	if (!dev) {
		ti->error = "no memory for the mapping: free some and load the table again";
		return -ENOMEM;
	}
	ti->private = dev;
	dev->ti = ti;
	cmk_state_init(dev);
	cmk_pm_add(dev);

	r = cmk_table_parse(dev, argc, argv);
	if (!r)
		r = cmk_ctr_resources(dev);
	if (!r)
		r = cmk_ctr_key(dev, argv[1]);
	if (r) {
		cmk_dtr(ti);
		return r;
	}

	ti->error = NULL;
	ti->num_flush_bios = 1;
	ti->num_discard_bios = dev->allow_discards;
	ti->limit_swap_bios = true;
	ti->accounts_remapped_io = true;
	ti->per_io_data_size = sizeof(struct cmk_io);
	return 0;
}

static void cmk_presuspend(struct dm_target *ti)
{
	cmk_hold_stop(ti->private);
}

static void cmk_presuspend_undo(struct dm_target *ti)
{
	cmk_hold_start(ti->private);
}

static void cmk_resume(struct dm_target *ti)
{
	struct cmk_dev *dev = ti->private;

	cmk_hold_start(dev);
	spin_lock_irq(&dev->lock);
	dev->live = true;
	spin_unlock_irq(&dev->lock);
}

static int cmk_iterate_devices(struct dm_target *ti, iterate_devices_callout_fn fn, void *data)
{
	struct cmk_dev *dev = ti->private;

	return fn(ti, dev->lower, dev->start, ti->len, data);
}

static void cmk_io_hints(struct dm_target *ti, struct queue_limits *limits)
{
	struct cmk_dev *dev = ti->private;

	limits->logical_block_size = max(limits->logical_block_size, dev->sector_size);
	limits->physical_block_size = max(limits->physical_block_size, dev->sector_size);
	limits->io_min = max(limits->io_min, dev->sector_size);
	/* one encryption unit lies in one piece of memory */
	limits->dma_alignment = max(limits->dma_alignment, limits->logical_block_size - 1);
}

struct target_type cmk_target_type = {
	.name		 = CMK_TARGET_NAME,
	.version	 = { 1, 0, 0 },
	.module		 = THIS_MODULE,
	.ctr		 = cmk_ctr,
	.dtr		 = cmk_dtr,
	.map		 = cmk_map,
	.end_io		 = cmk_end_io,
	.presuspend	 = cmk_presuspend,
	.presuspend_undo = cmk_presuspend_undo,
	.resume		 = cmk_resume,
	.status		 = cmk_status,
	.message	 = cmk_message,
	.iterate_devices = cmk_iterate_devices,
	.io_hints	 = cmk_io_hints,
};

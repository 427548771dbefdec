// SPDX-License-Identifier: GPL-2.0
/*
 * on_inaccessible:queue: bios that come while the mapping is Inaccessible wait here, each at most
 * queue_timeout, for a key. A suspend does not wait for them: it pushes them back (noflush) or
 * fails them.
 */
#include "cmk.h"

/* Take all bios, or those that have waited long enough; in order of arrival. */
static void cmk_hold_take(struct cmk_dev *dev, struct bio_list *out, bool expired_only)
{
	struct bio *bio;

	bio_list_init(out);
	spin_lock_irq(&dev->hold_lock);
	while ((bio = bio_list_peek(&dev->held))) {
		if (expired_only && time_before(jiffies, cmk_bio_io(bio)->expires))
			break;
		bio_list_add(out, bio_list_pop(&dev->held));
		dev->nr_held--;
	}
	/* all have the same timeout: the first one's is the next to end */
	if (bio)
		mod_delayed_work(dev->hold_wq, &dev->expire_work,
				 cmk_bio_io(bio)->expires - jiffies);
	spin_unlock_irq(&dev->hold_lock);
}

static void cmk_hold_expire(struct work_struct *work)
{
	struct cmk_dev *dev = container_of(to_delayed_work(work), struct cmk_dev, expire_work);
	struct bio_list list;
	struct bio *bio;

	cmk_hold_take(dev, &list, true);
	while ((bio = bio_list_pop(&list))) {
		cmk_count(dev, CMK_HELD_EXPIRED);
		cmk_fail_bio(dev, bio, BLK_STS_OFFLINE);
	}
}

/*
 * DM takes a bio back during a noflush suspend, and sends it again, from the beginning, after the
 * resume.
 */
static void cmk_hold_refuse(struct cmk_dev *dev, struct bio *bio)
{
	if (dev->hold && dm_noflush_suspending(dev->ti)) {
		cmk_bio_io(bio)->kind = CMK_IO_PASS;
		bio->bi_status = BLK_STS_DM_REQUEUE;
		bio_endio(bio);
	} else {
		cmk_fail_bio(dev, bio, BLK_STS_OFFLINE);
	}
}

/* Hold on to what the key's end left over; it was first in line before and is so again. */
static void cmk_hold_put_back(struct cmk_dev *dev, struct bio_list *list)
{
	spin_lock_irq(&dev->hold_lock);
	if (!dev->hold_stopped) {
		dev->nr_held += bio_list_size(list);
		bio_list_merge_head(&dev->held, list);
		bio_list_init(list);
		mod_delayed_work(dev->hold_wq, &dev->expire_work, 0);
	}
	spin_unlock_irq(&dev->hold_lock);
}

static void cmk_hold_work(struct work_struct *work)
{
	struct cmk_dev *dev = container_of(work, struct cmk_dev, release_work);
	struct bio_list list;
	struct bio *bio;

	cmk_hold_take(dev, &list, false);
	while (rcu_access_pointer(dev->key) && (bio = bio_list_pop(&list))) {
		struct cmk_io *io = cmk_bio_io(bio);

		if (io->kind == CMK_IO_READ)
			cmk_read_resume(io);
		else if (cmk_map_bio(dev, bio, io) == DM_MAPIO_REMAPPED)
			dm_submit_bio_remap(bio, NULL);
		cond_resched();
	}
	if (bio_list_empty(&list))
		return;
	cmk_hold_put_back(dev, &list);
	while ((bio = bio_list_pop(&list)))
		cmk_hold_refuse(dev, bio);
	if (rcu_access_pointer(dev->key))
		cmk_hold_release(dev);
}

/**
 * cmk_hold() - hold a bio until a key comes, if the table says so
 * @dev: the mapping
 * @bio: DM's clone: not mapped yet; or a read that is back from the lower device, undecrypted
 * @io: its per-bio data
 *
 * Task context. A write must be no larger than the reserve can carry, for it cannot be cut when it
 * goes on.
 *
 * Return: true if the bio is held, false if the caller still has it.
 */
bool cmk_hold(struct cmk_dev *dev, struct bio *bio, struct cmk_io *io)
{
	bool held = false;

	if (!dev->hold || bio->bi_opf & REQ_RAHEAD)
		return false;
	/* whoever polls for it could not find it */
	bio->bi_opf &= ~REQ_POLLED;
	/* the present jiffy has partly passed: one more, so that the wait is never shorter */
	if (!io->held)
		io->expires = jiffies + msecs_to_jiffies(dev->hold_ms) + 1;

	spin_lock_irq(&dev->hold_lock);
	if (!dev->hold_stopped) {
		held = true;
		if (io->held)
			bio_list_add_head(&dev->held, bio);
		else
			bio_list_add(&dev->held, bio);
		io->held = true;
		if (!dev->nr_held++)
			mod_delayed_work(dev->hold_wq, &dev->expire_work, 0);
	}
	spin_unlock_irq(&dev->hold_lock);
	if (!held)
		return false;

	cmk_count(dev, CMK_HELD);
	/* a key that came between the caller's look and ours has not seen this bio */
	if (rcu_access_pointer(dev->key))
		cmk_hold_release(dev);
	return true;
}

/**
 * cmk_hold_or_fail() - what happens to a bio that finds no key
 * @dev: the mapping
 * @bio: DM's clone, not mapped yet; a write that exceeds the reserve is cut, and then the caller
 * must be map
 * @io: its per-bio data
 *
 * Return: DM_MAPIO_SUBMITTED: the bio was held, or has failed.
 */
int cmk_hold_or_fail(struct cmk_dev *dev, struct bio *bio, struct cmk_io *io)
{
	if (dev->hold && bio_op(bio) == REQ_OP_WRITE && bio_sectors(bio) > CMK_RESERVE_SECTORS)
		dm_accept_partial_bio(bio, CMK_RESERVE_SECTORS);
	if (!cmk_hold(dev, bio, io))
		cmk_hold_refuse(dev, bio);
	return DM_MAPIO_SUBMITTED;
}

/**
 * cmk_hold_release() - a key is there: held bios go on
 * @dev: the mapping
 */
void cmk_hold_release(struct cmk_dev *dev)
{
	if (dev->hold)
		queue_work(dev->hold_wq, &dev->release_work);
}

/**
 * cmk_hold_stop() - before a suspend or the end: nothing is held any more
 * @dev: the mapping
 *
 * With noflush the held bios go back to DM, which sends them again after the resume. Otherwise DM
 * is about to wait for them, so they fail, as do those that follow until cmk_hold_start().
 */
void cmk_hold_stop(struct cmk_dev *dev)
{
	struct bio_list list;
	struct bio *bio;

	if (!dev->hold)
		return;
	spin_lock_irq(&dev->hold_lock);
	dev->hold_stopped = true;
	spin_unlock_irq(&dev->hold_lock);

	cmk_hold_take(dev, &list, false);
	while ((bio = bio_list_pop(&list)))
		cmk_hold_refuse(dev, bio);
}

/**
 * cmk_hold_start() - after a resume: bios may be held again
 * @dev: the mapping
 */
void cmk_hold_start(struct cmk_dev *dev)
{
	spin_lock_irq(&dev->hold_lock);
	dev->hold_stopped = false;
	spin_unlock_irq(&dev->hold_lock);
}

/**
 * cmk_hold_init() - set up holding, if the table asks for it
 * @dev: the mapping, with its table parsed
 *
 * Held bios go on from a workqueue of their own: they may wait for bounce pages there, and what
 * gives these back must not wait behind them.
 *
 * Return: 0 or -ENOMEM.
 */
int cmk_hold_init(struct cmk_dev *dev)
{
	spin_lock_init(&dev->hold_lock);
	bio_list_init(&dev->held);
	INIT_WORK(&dev->release_work, cmk_hold_work);
	INIT_DELAYED_WORK(&dev->expire_work, cmk_hold_expire);
	if (!dev->hold)
		return 0;
	dev->hold_wq = alloc_workqueue("cmk_hold/%s", WQ_MEM_RECLAIM | WQ_UNBOUND, 0,
				       dm_device_name(dm_table_get_md(dev->ti->table)));
	return dev->hold_wq ? 0 : -ENOMEM;
}

/**
 * cmk_hold_exit() - undo cmk_hold_init()
 * @dev: the mapping, without a bio in flight
 */
void cmk_hold_exit(struct cmk_dev *dev)
{
	if (!dev->hold_wq)
		return;
	cancel_delayed_work_sync(&dev->expire_work);
	cancel_work_sync(&dev->release_work);
	destroy_workqueue(dev->hold_wq);
}

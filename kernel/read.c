// SPDX-License-Identifier: GPL-2.0
/*
 * Reads: DM's clone goes to the lower device as it is, and its data is decrypted in place when it
 * comes back. The only state in between is the clone's iterator.
 */
#include "cmk.h"

static blk_status_t cmk_read_status(struct cmk_dev *dev, int r)
{
	if (likely(!r))
		return BLK_STS_OK;
	if (r != -ENODEV)
		return BLK_STS_IOERR;
	cmk_count(dev, CMK_ERR_OFFLINE);
	return BLK_STS_OFFLINE;
}

/**
 * cmk_read_map() - send a read to the lower device
 * @dev: the mapping
 * @bio: DM's clone
 * @io: its per-bio data, with sector set
 *
 * Return: DM_MAPIO_REMAPPED.
 */
int cmk_read_map(struct cmk_dev *dev, struct bio *bio, struct cmk_io *io)
{
	io->kind = CMK_IO_READ;
	io->iter = bio->bi_iter;
	cmk_count(dev, CMK_READS);
	cmk_remap(dev, bio);
	return DM_MAPIO_REMAPPED;
}

/**
 * cmk_read_done() - end a read whose decryption did not end in its own end_io
 * @io: the read
 * @r: what cmk_cipher_run() would have returned
 *
 * Task context.
 */
void cmk_read_done(struct cmk_io *io, int r)
{
	struct bio *bio = cmk_io_bio(io);

	if (r == -ENODEV && cmk_hold(io->dev, bio, io))
		return;
	/* end_io comes again and has nothing to do then */
	io->kind = CMK_IO_PASS;
	bio->bi_status = cmk_read_status(io->dev, r);
	bio_endio(bio);
}

/**
 * cmk_read_resume() - decrypt a read from where io->iter stands, then end it
 * @io: a read that is back from the lower device
 *
 * Process context.
 */
void cmk_read_resume(struct cmk_io *io)
{
	int r = cmk_cipher_run(io->dev, io, cmk_io_bio(io), true);

	if (r != -EINPROGRESS)
		cmk_read_done(io, r);
}

static void cmk_read_work(struct work_struct *work)
{
	cmk_read_resume(container_of(work, struct cmk_io, work));
}

/**
 * cmk_read_end() - decrypt what the lower device has read
 * @dev: the mapping
 * @bio: DM's clone
 * @io: its per-bio data
 * @error: in: the lower device's status; out: the read's
 *
 * Any context. A read that comes back after a revocation fails here, or is held, without being
 * decrypted.
 *
 * Return: DM_ENDIO_DONE, or DM_ENDIO_INCOMPLETE when cmk_read_done() or cmk_read_resume() follows.
 */
int cmk_read_end(struct cmk_dev *dev, struct bio *bio, struct cmk_io *io, blk_status_t *error)
{
	int r;

	if (unlikely(*error))
		return DM_ENDIO_DONE;

	if (cmk_cipher_may_inline()) {
		r = cmk_cipher_run(dev, io, bio, false);
		if (unlikely(r == -EINPROGRESS || (r == -ENODEV && cmk_hold(dev, bio, io))))
			return DM_ENDIO_INCOMPLETE;
		if (likely(r != -EAGAIN)) {
			*error = cmk_read_status(dev, r);
			return DM_ENDIO_DONE;
		}
	}
	INIT_WORK(&io->work, cmk_read_work);
	queue_work(dev->io_wq, &io->work);
	return DM_ENDIO_INCOMPLETE;
}

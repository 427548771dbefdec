// SPDX-License-Identifier: GPL-2.0
/*
 * Writes: the data is encrypted into bounce pages in map, and DM's clone, which shares its vector
 * with the caller's bio and does not own it, is pointed at them until end_io takes them back. So a
 * write needs no bio of its own.
 */
#include "cmk.h"

static void cmk_write_remap(struct cmk_dev *dev, struct bio *bio, struct cmk_io *io,
			    unsigned int bytes)
{
	io->kind = CMK_IO_WRITE;
	bio->bi_io_vec = io->vec;
	bio->bi_iter = (struct bvec_iter) {
		.bi_sector = bio->bi_iter.bi_sector,
		.bi_size = bytes,
	};
	cmk_remap(dev, bio);
}

/*
 * Without memory, the write is cut to what the mapping's reserve can carry; DM sends the rest as
 * another bio. A held bio cannot be cut any more when it goes on, and was cut when it was held.
 */
static void cmk_write_get_pages(struct cmk_dev *dev, struct bio *bio, struct cmk_io *io)
{
	if (likely(cmk_pages_get(dev, io, bio->bi_iter.bi_size)))
		return;
	if (bio_sectors(bio) > CMK_RESERVE_SECTORS)
		dm_accept_partial_bio(bio, CMK_RESERVE_SECTORS);
	cmk_pages_get_reserve(dev, io, bio->bi_iter.bi_size);
}

/**
 * cmk_write_map() - encrypt a write and send it to the lower device
 * @dev: the mapping
 * @bio: DM's clone; at most BIO_MAX_VECS pages, and at most CMK_RESERVE_SECTORS outside map
 * @io: its per-bio data, with sector set
 *
 * May sleep for bounce pages, never for the key.
 *
 * Return: DM_MAPIO_REMAPPED, or DM_MAPIO_SUBMITTED when the bio has failed or its cipher is
 * asynchronous.
 */
int cmk_write_map(struct cmk_dev *dev, struct bio *bio, struct cmk_io *io)
{
	unsigned int bytes;
	int r;

	cmk_count(dev, CMK_WRITES);
	cmk_write_get_pages(dev, bio, io);
	bytes = bio->bi_iter.bi_size;
	io->iter = bio->bi_iter;
	r = cmk_cipher_run(dev, io, bio, true);
	if (likely(!r)) {
		cmk_write_remap(dev, bio, io, bytes);
		return DM_MAPIO_REMAPPED;
	}
	if (r == -EINPROGRESS)
		return DM_MAPIO_SUBMITTED;
	cmk_pages_put(dev, io);
	if (r == -ENODEV)
		return cmk_hold_or_fail(dev, bio, io);
	cmk_fail_bio(dev, bio, BLK_STS_IOERR);
	return DM_MAPIO_SUBMITTED;
}

/**
 * cmk_write_done() - submit, or fail, a write whose encryption did not end in map
 * @io: the write
 * @r: what cmk_cipher_run() would have returned
 */
void cmk_write_done(struct cmk_io *io, int r)
{
	struct bio *bio = cmk_io_bio(io);

	if (r) {
		cmk_pages_put(io->dev, io);
		/* too late to cut it to what may be held */
		if (r == -ENODEV && bio_sectors(bio) <= CMK_RESERVE_SECTORS)
			cmk_hold_or_fail(io->dev, bio, io);
		else
			cmk_fail_bio(io->dev, bio,
				     r == -ENODEV ? BLK_STS_OFFLINE : BLK_STS_IOERR);
		return;
	}
	/* nobody has advanced the clone's own iterator yet */
	cmk_write_remap(io->dev, bio, io, bio->bi_iter.bi_size);
	dm_submit_bio_remap(bio, NULL);
}

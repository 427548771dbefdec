// SPDX-License-Identifier: GPL-2.0
/*
 * The cipher calls: AES-XTS over the sectors of a bio, in batches that each run under RCU with the
 * key loaded once, so that a revocation waits for CPU work and for nothing else. A key is never
 * held across disk I/O.
 */
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "cmk.h"

/*
 * The longest stretch under one rcu_read_lock(): about 0.1 ms of CPU time with a cipher of 600
 * MB/s.
 */
#define CMK_BATCH_BYTES		(64U << 10)

/*
 * What one bio needs while its sectors go through the cipher. Recycled per CPU; a mempool
 * guarantees progress.
 */
struct cmk_req {
	struct work_struct work;	/* goes on after an asynchronous call */
	struct cmk_io *io;
	struct bio *bio;
	struct cmk_key *key;		/* of the call under way */
	unsigned int done;		/* bytes of a write that are in the bounce pages */
	int err;			/* of the asynchronous call */
	struct scatterlist src, dst;
	__le64 iv[2];
	struct skcipher_request req;	/* last: the implementation's context follows */
};

/**
 * cmk_cipher_may_inline() - may this context run the cipher right here?
 *
 * The SIMD ciphers want task context with interrupts on: elsewhere they would warn, or defer to
 * another thread.
 *
 * Return: true if so; otherwise the work goes to the mapping's workqueue.
 */
bool cmk_cipher_may_inline(void)
{
	return in_task() && !irqs_disabled();
}

static struct cmk_req *cmk_req_get(struct cmk_dev *dev, bool may_block)
{
	struct cmk_req *req = this_cpu_xchg(*dev->req_cache, NULL);

	if (likely(req))
		return req;
	return mempool_alloc(&dev->reqs, may_block ? GFP_NOIO : GFP_NOWAIT | __GFP_NOWARN);
}

static void cmk_req_put(struct cmk_dev *dev, struct cmk_req *req)
{
	/*
	 * The reserve first: whoever waits for it is woken by mempool_free() only. The other CPU's
	 * slots are not lost to it, for their users put them back here when it is short.
	 */
	if (unlikely(READ_ONCE(dev->reqs.curr_nr) < dev->reqs.min_nr) ||
	    this_cpu_cmpxchg(*dev->req_cache, NULL, req))
		mempool_free(req, &dev->reqs);
}

static void cmk_req_work(struct work_struct *work);
static void cmk_req_done(cmk_done_arg *arg, int err);

static void cmk_req_init(struct cmk_req *req, struct cmk_io *io, struct bio *bio)
{
	req->io = io;
	req->bio = bio;
	req->done = 0;
	sg_init_table(&req->src, 1);
	sg_init_table(&req->dst, 1);
}

static int cmk_req_unit(struct cmk_req *req, bool encrypt)
{
	/* the implementation has overwritten the IV of the unit before */
	req->iv[0] = cpu_to_le64(req->io->sector >> req->io->dev->iv_shift);
	req->iv[1] = 0;
	return encrypt ? crypto_skcipher_encrypt(&req->req) : crypto_skcipher_decrypt(&req->req);
}

static void cmk_req_advance(struct cmk_req *req, unsigned int bytes)
{
	bio_advance_iter_single(req->bio, &req->io->iter, bytes);
	req->io->sector += bytes >> SECTOR_SHIFT;
	req->done += bytes;
}

/*
 * At most CMK_BATCH_BYTES with one key, under RCU. After -EINPROGRESS the request belongs to the
 * completion and must not be touched; the key may still be, until rcu_read_unlock().
 */
static int cmk_req_batch(struct cmk_req *req, struct cmk_key *key)
{
	struct cmk_io *io = req->io;
	const unsigned int bytes = io->dev->sector_size;
	const bool encrypt = bio_data_dir(req->bio) == WRITE;
	struct scatterlist *dst = encrypt ? &req->dst : &req->src;
	unsigned int left = min(io->iter.bi_size, CMK_BATCH_BYTES);
	int r;

	skcipher_request_set_tfm(&req->req, key->tfm);
	skcipher_request_set_callback(&req->req, CRYPTO_TFM_REQ_MAY_BACKLOG, cmk_req_done, req);
	skcipher_request_set_crypt(&req->req, &req->src, dst, bytes, req->iv);
	req->key = key;

	for (; left; left -= bytes) {
		struct bio_vec bv = bio_iter_iovec(req->bio, io->iter);

		/*
		 * io_hints asks for aligned memory; an owner that does not care gets an error, not
		 * garbage
		 */
		if (unlikely(bv.bv_len < bytes)) {
			cmk_count(io->dev, CMK_ERR_MISALIGNED);
			return -EINVAL;
		}
		sg_set_page(&req->src, bv.bv_page, bytes, bv.bv_offset);
		if (encrypt)
			sg_set_page(dst, io->vec[req->done >> PAGE_SHIFT].bv_page, bytes,
				    offset_in_page(req->done));
		r = cmk_req_unit(req, encrypt);
		if (unlikely(r == -EINPROGRESS || r == -EBUSY)) {
			atomic_inc(&key->async);
			return -EINPROGRESS;
		}
		if (unlikely(r)) {
			cmk_count(io->dev, CMK_ERR_CIPHER);
			return -EIO;
		}
		cmk_req_advance(req, bytes);
	}
	return 0;
}

static int cmk_req_run(struct cmk_req *req)
{
	struct cmk_io *io = req->io;
	struct cmk_key *key;
	int r;

	do {
		rcu_read_lock();
		key = rcu_dereference(io->dev->key);
		r = likely(key) ? cmk_req_batch(req, key) : -ENODEV;
		rcu_read_unlock();
	} while (!r && io->iter.bi_size);
	return r;
}

/* The end of an asynchronous call, in whatever context the implementation chose. */
static void cmk_req_done(cmk_done_arg *arg, int err)
{
	struct cmk_req *req = cmk_done_data(arg);
	struct cmk_dev *dev = req->io->dev;

	if (err == -EINPROGRESS)	/* left the implementation's backlog, no end yet */
		return;

	req->err = err;
	/*
	 * a revocation that waits for this may free the key from here on; dev stays until the bio
	 * has ended
	 */
	atomic_dec(&req->key->async);
	wake_up(&dev->async_wait);
	INIT_WORK(&req->work, cmk_req_work);
	queue_work(dev->io_wq, &req->work);
}

static void cmk_req_work(struct work_struct *work)
{
	struct cmk_req *req = container_of(work, struct cmk_req, work);
	struct cmk_io *io = req->io;
	int r = 0;

	if (req->err) {
		cmk_count(io->dev, CMK_ERR_CIPHER);
		r = -EIO;
	} else {
		cmk_req_advance(req, io->dev->sector_size);
		if (io->iter.bi_size)
			r = cmk_req_run(req);
	}
	if (r == -EINPROGRESS)
		return;

	cmk_req_put(io->dev, req);
	if (bio_data_dir(cmk_io_bio(io)) == READ)
		cmk_read_done(io, r);
	else
		cmk_write_done(io, r);
}

/**
 * cmk_cipher_run() - encrypt or decrypt what io->iter describes
 * @dev: the mapping
 * @io: iter and sector say where it starts and are advanced; for a write the bounce pages are in
 * place
 * @bio: DM's clone, with the caller's data: decrypted in place, or encrypted into the bounce pages
 * @may_block: the caller may sleep for memory
 *
 * Return: 0 when all is done; -EINPROGRESS when cmk_read_done() or cmk_write_done() will be called;
 * -EAGAIN without memory (only if not @may_block); -ENODEV when the mapping is or became
 * Inaccessible; -EINVAL for memory that is not aligned to the sector size; -EIO when the cipher
 * failed.
 */
int cmk_cipher_run(struct cmk_dev *dev, struct cmk_io *io, struct bio *bio, bool may_block)
{
	struct cmk_req *req = cmk_req_get(dev, may_block);
	int r;

	if (unlikely(!req))
		return -EAGAIN;
	cmk_req_init(req, io, bio);
	r = cmk_req_run(req);
	if (likely(r != -EINPROGRESS))
		cmk_req_put(dev, req);
	return r;
}

/**
 * cmk_cipher_init() - choose the implementation of the cipher and set up requests for it
 * @dev: the mapping; gets driver, reqsize, reqs and req_cache
 *
 * The mask is 0 on purpose: asking for a synchronous cipher would exclude the fast ones, which are
 * flagged asynchronous and run at once in task context. Keys are later set on the same
 * implementation, since the size of a request belongs to it.
 *
 * Return: 0 or -errno, -ENOENT when the kernel has no xts(aes).
 */
int cmk_cipher_init(struct cmk_dev *dev)
{
	struct crypto_skcipher *tfm = crypto_alloc_skcipher("xts(aes)", 0, 0);
	int r;

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	dev->reqsize = crypto_skcipher_reqsize(tfm);
	strscpy(dev->driver, crypto_tfm_alg_driver_name(crypto_skcipher_tfm(tfm)),
		sizeof(dev->driver));
	crypto_free_skcipher(tfm);

	r = mempool_init_kmalloc_pool(&dev->reqs, 1, sizeof(struct cmk_req) + dev->reqsize);
	if (r)
		return r;
	dev->req_cache = alloc_percpu(struct cmk_req *);
	if (!dev->req_cache) {
		mempool_exit(&dev->reqs);
		return -ENOMEM;
	}
	return 0;
}

/**
 * cmk_cipher_exit() - undo cmk_cipher_init()
 * @dev: the mapping, without a bio in flight; one that was never initialised is fine
 */
void cmk_cipher_exit(struct cmk_dev *dev)
{
	int cpu;

	if (!dev->req_cache)
		return;
	for_each_possible_cpu(cpu)
		kfree_sensitive(*per_cpu_ptr(dev->req_cache, cpu));
	free_percpu(dev->req_cache);
	dev->req_cache = NULL;
	mempool_exit(&dev->reqs);
}

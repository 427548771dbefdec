// SPDX-License-Identifier: GPL-2.0
/*
 * Bounce pages of writes. They are recycled per CPU, since a fresh page costs almost as much as
 * half a cipher call where the kernel zeroes its allocations; they hold ciphertext only. Behind the
 * cache are the page allocator, with a cap on the pages in flight, and each mapping's reserve.
 */
#include <linux/mm.h>
#include <linux/percpu_counter.h>

#include "cmk.h"

/* A CPU's cache: enough for a write of 1 MiB with its vector, and some. */
#define CMK_CACHE_PAGES		320

/* The share of memory, in percent, that all writes in flight may take. */
#define CMK_MEMORY_PERCENT	2

struct cmk_page_cache {
	unsigned int nr;
	struct page *page[CMK_CACHE_PAGES];
};

static DEFINE_PER_CPU(struct cmk_page_cache, cmk_page_cache);
static struct percpu_counter cmk_pages_in_flight;
static s64 cmk_pages_limit;

/* One page from this CPU's cache; interrupts are off. */
static struct page *cmk_cache_pop(struct cmk_page_cache *cache)
{
	return cache->nr ? cache->page[--cache->nr] : NULL;
}

static unsigned int cmk_cache_take(struct bio_vec *vec, unsigned int want)
{
	struct cmk_page_cache *cache;
	unsigned long flags;
	unsigned int n;

	local_irq_save(flags);
	cache = this_cpu_ptr(&cmk_page_cache);
	for (n = 0; n < want && cache->nr; n++)
		vec[n].bv_page = cmk_cache_pop(cache);
	local_irq_restore(flags);
	return n;
}

static void cmk_cache_give(struct bio_vec *vec, unsigned int nr)
{
	struct cmk_page_cache *cache;
	unsigned long flags;
	unsigned int n = 0;

	local_irq_save(flags);
	cache = this_cpu_ptr(&cmk_page_cache);
	while (n < nr && cache->nr < CMK_CACHE_PAGES)
		cache->page[cache->nr++] = vec[n++].bv_page;
	local_irq_restore(flags);
	while (n < nr)
		__free_page(vec[n++].bv_page);
}

static bool cmk_pages_over_limit(void)
{
	return percpu_counter_read_positive(&cmk_pages_in_flight) >= cmk_pages_limit;
}

/* The reserve's own allocation; over the limit the waiters share the reserve. */
static void *cmk_reserve_alloc(gfp_t gfp, void *unused)
{
	return cmk_pages_over_limit() ? NULL : alloc_page(gfp);
}

static void cmk_reserve_free(void *page, void *unused)
{
	__free_page(page);
}

/*
 * A vector of @nr pages lies in the io if it is one, else in a page of its own: 256 entries of 16
 * bytes.
 */
static void cmk_vec_set(struct cmk_io *io, struct page *page, unsigned int nr)
{
	BUILD_BUG_ON(BIO_MAX_VECS * sizeof(struct bio_vec) > PAGE_SIZE);

	io->nr_pages = nr;
	io->vec = page ? page_address(page) : &io->bvec;
}

static void cmk_vec_lengths(struct cmk_io *io, unsigned int bytes)
{
	unsigned int i;

	for (i = 0; i < io->nr_pages; i++) {
		io->vec[i].bv_len = min_t(unsigned int, bytes, PAGE_SIZE);
		io->vec[i].bv_offset = 0;
		bytes -= io->vec[i].bv_len;
	}
}

static bool cmk_pages_fill(struct bio_vec *vec, unsigned int nr)
{
	unsigned int have = cmk_cache_take(vec, nr);

	for (; unlikely(have < nr); have++) {
		vec[have].bv_page = alloc_page(GFP_NOWAIT | __GFP_NOWARN);
		if (!vec[have].bv_page) {
			cmk_cache_give(vec, have);
			return false;
		}
	}
	return true;
}

/**
 * cmk_pages_get() - bounce pages for a write, without sleeping
 * @dev: the mapping
 * @io: gets vec, whose lengths add up to @bytes
 * @bytes: size of the write, 1..BIO_MAX_VECS pages
 *
 * Return: true, or false when there is no memory or too much is in flight.
 */
bool cmk_pages_get(struct cmk_dev *dev, struct cmk_io *io, unsigned int bytes)
{
	unsigned int nr = DIV_ROUND_UP(bytes, PAGE_SIZE);
	struct bio_vec holder = {};

	if (unlikely(cmk_pages_over_limit()))
		return false;
	if (nr > 1 && !cmk_pages_fill(&holder, 1))
		return false;
	cmk_vec_set(io, holder.bv_page, nr);
	if (unlikely(!cmk_pages_fill(io->vec, nr))) {
		if (nr > 1)
			cmk_cache_give(&holder, 1);
		return false;
	}
	io->from_reserve = false;
	percpu_counter_add(&cmk_pages_in_flight, nr);
	cmk_vec_lengths(io, bytes);
	return true;
}

/**
 * cmk_pages_get_reserve() - bounce pages for a write that must make progress; may sleep
 * @dev: the mapping
 * @io: gets vec, whose lengths add up to @bytes
 * @bytes: size of the write, at most CMK_RESERVE_SECTORS
 *
 * One at a time draws on the reserve, so that two writes cannot each hold half of what they need.
 */
void cmk_pages_get_reserve(struct cmk_dev *dev, struct cmk_io *io, unsigned int bytes)
{
	unsigned int nr = DIV_ROUND_UP(bytes, PAGE_SIZE), i;

	mutex_lock(&dev->pages_lock);
	cmk_vec_set(io, nr > 1 ? mempool_alloc(&dev->pages, GFP_NOIO) : NULL, nr);
	for (i = 0; i < nr; i++)
		io->vec[i].bv_page = mempool_alloc(&dev->pages, GFP_NOIO);
	mutex_unlock(&dev->pages_lock);

	io->from_reserve = true;
	percpu_counter_add(&cmk_pages_in_flight, nr);
	cmk_vec_lengths(io, bytes);
}

/**
 * cmk_pages_put() - take a write's bounce pages back; any context
 * @dev: the mapping
 * @io: the write
 */
void cmk_pages_put(struct cmk_dev *dev, struct cmk_io *io)
{
	struct bio_vec holder = {
		.bv_page = io->vec == &io->bvec ? NULL : virt_to_page(io->vec),
	};
	unsigned int i;

	percpu_counter_sub(&cmk_pages_in_flight, io->nr_pages);
	if (likely(!io->from_reserve)) {
		cmk_cache_give(io->vec, io->nr_pages);
		if (holder.bv_page)
			cmk_cache_give(&holder, 1);
		return;
	}
	for (i = 0; i < io->nr_pages; i++)
		mempool_free(io->vec[i].bv_page, &dev->pages);
	if (holder.bv_page)
		mempool_free(holder.bv_page, &dev->pages);
}

/**
 * cmk_pages_init_dev() - set up a mapping's reserve
 * @dev: the mapping
 *
 * Return: 0 or -ENOMEM.
 */
int cmk_pages_init_dev(struct cmk_dev *dev)
{
	mutex_init(&dev->pages_lock);
	return mempool_init(&dev->pages, CMK_RESERVE_PAGES, cmk_reserve_alloc, cmk_reserve_free,
			    NULL);
}

/**
 * cmk_pages_init() - module init
 *
 * Return: 0 or -ENOMEM.
 */
int cmk_pages_init(void)
{
	cmk_pages_limit = max_t(s64, totalram_pages() * CMK_MEMORY_PERCENT / 100, BIO_MAX_VECS);
	return percpu_counter_init(&cmk_pages_in_flight, 0, GFP_KERNEL);
}

/** cmk_pages_exit() - module exit: all caches are emptied */
void cmk_pages_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct cmk_page_cache *cache = per_cpu_ptr(&cmk_page_cache, cpu);
		struct page *page;

		while ((page = cmk_cache_pop(cache)))
			__free_page(page);
	}
	percpu_counter_destroy(&cmk_pages_in_flight);
}

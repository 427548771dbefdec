// SPDX-License-Identifier: GPL-2.0
/*
 * Measures the cipher alone: what one call of xts(aes) on one encryption unit costs when nothing is
 * around it. That and dm-linear are the floor that dm-cmk is compared with. The result is the
 * module parameter `result`, which is there as soon as the module is loaded.
 */
#include <crypto/skcipher.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/scatterlist.h>

#define KEY_BYTES	64
#define CALLS		64	/* in a batch: shorter than the time between two ticks */
#define BATCHES		32

static unsigned int unit = 4096;
module_param(unit, uint, 0444);
MODULE_PARM_DESC(unit, "bytes of one encryption unit");

static char result[128];
module_param_string(result, result, sizeof(result), 0444);
MODULE_PARM_DESC(result, "driver, and nanoseconds of one call: encrypt, decrypt");

/* The shortest batch is the one that no timer interrupted. */
static int measure(struct skcipher_request *req, int (*call)(struct skcipher_request *),
		   struct scatterlist *src, struct scatterlist *dst, u64 *ns)
{
	unsigned int batch, i;
	__le64 iv[2];
	u64 start;
	int r;

	*ns = U64_MAX;
	for (batch = 0; batch < BATCHES; batch++) {
		start = ktime_get_ns();
		for (i = 0; i < CALLS; i++) {
			iv[0] = cpu_to_le64(i);
			iv[1] = 0;
			skcipher_request_set_crypt(req, src, dst, unit, iv);
			r = call(req);
			if (r)
				return r;
		}
		*ns = min(*ns, (ktime_get_ns() - start) / CALLS);
	}
	return 0;
}

static int measure_both(struct crypto_skcipher *tfm, struct skcipher_request *req)
{
	struct page *page = alloc_pages(GFP_KERNEL, 1);
	struct scatterlist src, dst;
	u64 encrypt, decrypt;
	int r;

	if (!page)
		return -ENOMEM;
	sg_init_table(&src, 1);
	sg_init_table(&dst, 1);
	sg_set_page(&src, page, unit, 0);
	sg_set_page(&dst, page + 1, unit, 0);
	r = measure(req, crypto_skcipher_encrypt, &src, &dst, &encrypt);
	if (!r)
		r = measure(req, crypto_skcipher_decrypt, &src, &src, &decrypt);
	if (!r)
		snprintf(result, sizeof(result), "%s %llu %llu",
			 crypto_tfm_alg_driver_name(crypto_skcipher_tfm(tfm)), encrypt, decrypt);
	__free_pages(page, 1);
	return r;
}

static int __init bench_cipher_init(void)
{
	struct skcipher_request *req;
	struct crypto_skcipher *tfm;
	u8 key[KEY_BYTES];
	int r = -EINVAL;

	if (!unit || unit > PAGE_SIZE)
		return r;
	tfm = crypto_alloc_skcipher("xts(aes)", 0, 0);
	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	get_random_bytes(key, sizeof(key));
	r = crypto_skcipher_setkey(tfm, key, sizeof(key));
	if (r)
		goto err_tfm;
	r = -ENOMEM;
	req = skcipher_request_alloc(tfm, GFP_KERNEL);
	if (!req)
		goto err_tfm;
	skcipher_request_set_callback(req, 0, NULL, NULL);
	r = measure_both(tfm, req);
	skcipher_request_free(req);
err_tfm:
	crypto_free_skcipher(tfm);
	return r;
}

static void __exit bench_cipher_exit(void)
{
}

module_init(bench_cipher_init);
module_exit(bench_cipher_exit);
MODULE_DESCRIPTION("Measures the cipher alone, for dm-cmk's benchmark");
MODULE_LICENSE("GPL");

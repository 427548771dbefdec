// SPDX-License-Identifier: GPL-2.0
/*
 * The cost of the bare cipher, for the bench: loading it encrypts and decrypts pages one unit at a
 * time and leaves one line in the kernel's log, nanoseconds a page.
 */
#include <linux/crypto.h>
#include <linux/gfp.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/scatterlist.h>
#include <crypto/skcipher.h>

#define ROUNDS 1000

static unsigned int unit = 4096;
module_param(unit, uint, 0444);
MODULE_PARM_DESC(unit, "bytes of one encryption unit");

static int page_through(struct skcipher_request *req, struct page *page, bool encrypt)
{
	struct scatterlist sg;
	__le64 iv[2];
	unsigned int at;
	int r = 0;

	sg_init_table(&sg, 1);
	for (at = 0; at < PAGE_SIZE && !r; at += unit) {
		iv[0] = cpu_to_le64(at);
		iv[1] = 0;
		sg_set_page(&sg, page, unit, at);
		skcipher_request_set_crypt(req, &sg, &sg, unit, iv);
		r = encrypt ? crypto_skcipher_encrypt(req) : crypto_skcipher_decrypt(req);
	}
	return r;
}

static int measure(struct skcipher_request *req, struct page *page, bool encrypt, u64 *ns)
{
	u64 start;
	int i, r;

	for (i = 0; i < 10; i++)
		page_through(req, page, encrypt);
	start = ktime_get_ns();
	for (i = 0, r = 0; i < ROUNDS && !r; i++)
		r = page_through(req, page, encrypt);
	*ns = (ktime_get_ns() - start) / ROUNDS;
	return r;
}

static int __init rawcipher_init(void)
{
	struct crypto_skcipher *tfm = crypto_alloc_skcipher("xts(aes)", 0, 0);
	struct skcipher_request *req;
	struct page *page;
	u64 enc = 0, dec = 0;
	u8 key[64];
	int r;

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	get_random_bytes(key, sizeof(key));
	req = skcipher_request_alloc(tfm, GFP_KERNEL);
	page = alloc_page(GFP_KERNEL);
	r = -ENOMEM;
	if (!req || !page)
		goto out;
	skcipher_request_set_callback(req, 0, NULL, NULL);
	r = crypto_skcipher_setkey(tfm, key, sizeof(key));
	if (!r)
		r = measure(req, page, true, &enc);
	if (!r)
		r = measure(req, page, false, &dec);
	pr_info("rawcipher: %s unit %u encrypt %llu decrypt %llu r %d\n",
		crypto_tfm_alg_driver_name(crypto_skcipher_tfm(tfm)), unit, enc, dec, r);
out:
	if (page)
		__free_page(page);
	skcipher_request_free(req);
	crypto_free_skcipher(tfm);
	return r;
}

static void __exit rawcipher_exit(void)
{
}

module_init(rawcipher_init);
module_exit(rawcipher_exit);
MODULE_DESCRIPTION("The cost of the bare cipher");
MODULE_LICENSE("GPL");

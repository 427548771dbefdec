// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The algorithms against published vectors, and RSA-OAEP against OpenSSL's private key operation.
 */
#include "unit.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "common/crypto.h"

static EVP_PKEY *make_key(unsigned int bits, struct cmk_public *pub)
{
	EVP_PKEY *key = EVP_RSA_gen(bits);
	BIGNUM *n = NULL, *e = NULL;

	assert_non_null(key);
	assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n), 1);
	assert_int_equal(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e), 1);
	pub->n_len = BN_bn2bin(n, pub->n);
	pub->e_len = BN_bn2bin(e, pub->e);
	BN_free(n);
	BN_free(e);
	return key;
}

static size_t decrypt(EVP_PKEY *key, const EVP_MD *md, const uint8_t *in, size_t len, uint8_t *out)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	size_t out_len = 512;

	assert_int_equal(EVP_PKEY_decrypt_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md), 1);
	if (EVP_PKEY_decrypt(ctx, out, &out_len, in, len) != 1)
		out_len = 0;
	EVP_PKEY_CTX_free(ctx);
	return out_len;
}

static void oaep(void **state)
{
	static const unsigned int sizes[] = { 2048, 3072, 4096 };
	uint8_t wrapped[512], out[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_cleanup_secret_ struct secret dek = SECRET_INIT;
		struct cmk_public pub = { 0 };
		EVP_PKEY *key = make_key(sizes[i], &pub);

		assert_int_equal(pub.n_len, sizes[i] / 8);
		assert_int_equal(crypto_random_secret(&dek, CMK_DEK_BYTES), 0);
		assert_int_equal(crypto_oaep_encrypt(&pub, &dek, wrapped), 0);
		assert_int_equal(decrypt(key, EVP_sha256(), wrapped, pub.n_len, out),
				 CMK_DEK_BYTES);
		assert_memory_equal(out, dek.bytes, CMK_DEK_BYTES);
		/* it is not SHA-1's OAEP */
		assert_int_equal(decrypt(key, EVP_sha1(), wrapped, pub.n_len, out), 0);
		EVP_PKEY_free(key);
	}
}

static void unfit_keys(void **state)
{
	_cleanup_secret_ struct secret msg = SECRET_INIT, longest = SECRET_INIT,
				       too_long = SECRET_INIT;
	struct cmk_public pub = { 0 }, bad;
	EVP_PKEY *key = make_key(2048, &pub);
	uint8_t out[512];

	(void)state;
	assert_int_equal(crypto_random_secret(&msg, 32), 0);
	assert_int_equal(crypto_random_secret(&longest, 256 - 66), 0);
	assert_int_equal(crypto_random_secret(&too_long, 256 - 65), 0);
	assert_int_equal(crypto_oaep_encrypt(&pub, &longest, out), 0);
	assert_int_equal(crypto_oaep_encrypt(&pub, &too_long, out), -EINVAL);
	bad = pub;
	bad.n_len = 255;
	assert_int_equal(crypto_oaep_encrypt(&bad, &msg, out), -EINVAL);
	bad = pub;
	bad.n[0] = 0;
	assert_int_equal(crypto_oaep_encrypt(&bad, &msg, out), -EINVAL);
	bad = pub;
	bad.n[255] ^= 1; /* even */
	assert_int_equal(crypto_oaep_encrypt(&bad, &msg, out), -EINVAL);
	bad = pub;
	bad.e_len = 0;
	assert_int_equal(crypto_oaep_encrypt(&bad, &msg, out), -EINVAL);
	bad = (struct cmk_public){ .n_len = pub.n_len, .e = { 1 }, .e_len = 1 };
	memcpy(bad.n, pub.n, pub.n_len);
	assert_int_equal(crypto_oaep_encrypt(&bad, &msg, out), -EINVAL);
	EVP_PKEY_free(key);
}

static size_t from_hex(const char *hex, uint8_t *out)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		unsigned int byte;

		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		out[i] = byte;
	}
	return n;
}

/* RFC 5869, A.3: the test case without salt and info. */
static void hkdf_vector(void **state)
{
	_cleanup_secret_ struct secret ikm = SECRET_INIT, okm = SECRET_INIT, other = SECRET_INIT;
	uint8_t in[22], want[42];

	(void)state;
	memset(in, 0x0b, sizeof(in));
	from_hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
		 "9d201395faa4b61a96c8",
		 want);
	assert_int_equal(secret_from(&ikm, in, sizeof(in)), 0);
	assert_int_equal(crypto_hkdf(&ikm, "", &okm, sizeof(want)), 0);
	assert_memory_equal(okm.bytes, want, sizeof(want));
	assert_int_equal(crypto_hkdf(&ikm, "dm-cmk token mac v1", &other, sizeof(want)), 0);
	assert_false(secret_equal(&okm, &other));
	/* what is not empty is not overwritten */
	assert_int_equal(crypto_hkdf(&ikm, "", &okm, 32), -EINVAL);
}

/* HKDF by its definition (RFC 5869, 2.2 and 2.3), from HMAC; with info, and over more than one
 * block. */
static void hkdf_definition(void **state)
{
	static const char info[] = "dm-cmk token mac v1";
	_cleanup_secret_ struct secret zero = SECRET_INIT, ikm = SECRET_INIT, prk = SECRET_INIT,
				       okm = SECRET_INIT;
	uint8_t mac[CMK_SHA256_BYTES], block[CMK_SHA256_BYTES + sizeof(info)];

	(void)state;
	assert_int_equal(secret_alloc(&zero, CMK_SHA256_BYTES), 0);
	assert_int_equal(crypto_random_secret(&ikm, 64), 0);
	assert_int_equal(crypto_hmac(&zero, ikm.bytes, ikm.len, mac), 0);
	assert_int_equal(secret_from(&prk, mac, sizeof(mac)), 0);
	assert_int_equal(crypto_hkdf(&ikm, info, &okm, 64), 0);
	memcpy(block, info, strlen(info));
	block[strlen(info)] = 1;
	assert_int_equal(crypto_hmac(&prk, block, strlen(info) + 1, mac), 0);
	assert_memory_equal(okm.bytes, mac, 32);
	memcpy(block, mac, 32);
	memcpy(block + 32, info, strlen(info));
	block[32 + strlen(info)] = 2;
	assert_int_equal(crypto_hmac(&prk, block, 32 + strlen(info) + 1, mac), 0);
	assert_memory_equal(okm.bytes + 32, mac, 32);
}

/* RFC 4231, test cases 1, 2 and 6. */
static void hmac(void **state)
{
	static const struct {
		const char *key, *data, *mac; /* data as text */
	} table[] = {
		{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "Hi There",
		  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
		{ "4a656665", "what do ya want for nothing?",
		  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ NULL, "Test Using Larger Than Block-Size Key - Hash Key First",
		  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		_cleanup_secret_ struct secret key = SECRET_INIT;
		uint8_t bytes[131], mac[32], want[32];
		size_t len = sizeof(bytes);

		memset(bytes, 0xaa, sizeof(bytes));
		if (table[i].key)
			len = from_hex(table[i].key, bytes);
		from_hex(table[i].mac, want);
		assert_int_equal(secret_from(&key, bytes, len), 0);
		assert_int_equal(crypto_hmac(&key, table[i].data, strlen(table[i].data), mac), 0);
		assert_true(crypto_equal(mac, want, 32));
		want[31] ^= 1;
		assert_false(crypto_equal(mac, want, 32));
	}
}

/* RFC 4648, 10, in the URL's alphabet and without padding; and 9's bytes for 62 and 63. */
static void base64url(void **state)
{
	static const struct {
		const char *bytes, *text;
	} table[] = {
		{ "", "" },
		{ "f", "Zg" },
		{ "fo", "Zm8" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg" },
		{ "fooba", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xbf", "-_-_" },
		{ "\x14\xfb\x9c\x03\xd9\x7e", "FPucA9l-" },
	};
	uint8_t out[64];
	char text[64];
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		size_t len = strlen(table[i].bytes);

		assert_int_equal(
			base64url_encode((const uint8_t *)table[i].bytes, len, text, sizeof(text)),
			strlen(table[i].text));
		assert_string_equal(text, table[i].text);
		assert_int_equal(base64url_decode(table[i].text, out, sizeof(out), &n), 0);
		assert_int_equal(n, len);
		assert_memory_equal(out, table[i].bytes, len);
	}
}

static void base64url_refuses(void **state)
{
	static const char *const bad[] = {
		"A",	"Zg==", "Zg=", "Zm9v YmFy", "Zm9v\n",	   "+_-_",
		"-_-/", "Zh",	"Zm9", "Z",	    "Zm9vYm\x80y", "Zm9v.",
	};
	char text[8];
	uint8_t out[64];
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (base64url_decode(bad[i], out, sizeof(out), &n) != -EINVAL)
			fail_msg("accepted: %s", bad[i]);
	assert_int_equal(base64url_decode("Zm9vYmFy", out, 5, &n), -ENOSPC);
	assert_int_equal(base64url_decode("Zm9vYmFy", out, 6, &n), 0);
	assert_int_equal(base64url_encode((const uint8_t *)"foobar", 6, text, 8), 0);
	assert_string_equal(text, "");
	/* every byte value but the 64 digits */
	for (int c = 1; c < 256; c++) {
		char one[3] = { 'A', (char)c, '\0' };
		bool digit = strchr("AQgw", c) != NULL; /* those that leave no bit over */

		assert_int_equal(base64url_decode(one, out, sizeof(out), &n), digit ? 0 : -EINVAL);
	}
}

static void guids(void **state)
{
	char a[37], b[37];

	(void)state;
	assert_int_equal(crypto_guid(a), 0);
	assert_int_equal(crypto_guid(b), 0);
	assert_int_equal(strlen(a), 36);
	assert_int_equal(a[14], '4');
	assert_non_null(strchr("89ab", a[19]));
	assert_int_equal(strspn(a, "0123456789abcdef-"), 36);
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oaep),
		cmocka_unit_test(unfit_keys),
		cmocka_unit_test(hkdf_vector),
		cmocka_unit_test(hkdf_definition),
		cmocka_unit_test(hmac),
		cmocka_unit_test(base64url),
		cmocka_unit_test(base64url_refuses),
		cmocka_unit_test(guids),
	};

	if (secret_process_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

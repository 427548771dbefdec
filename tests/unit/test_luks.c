// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The LUKS2 header on an image file: written, read back, opened by the DEK and by nothing else;
 * damaged, foreign and tampered headers. What needs a real block device is tested in a guest.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <libcryptsetup.h>

#include "common/luks.h"

#define MIB	   (1024 * 1024)
#define IMAGE_SIZE (32 * MIB)
#define VERSION	   "0123456789abcdef0123456789abcdef"

static char image[] = "/tmp/test_luks.XXXXXX";
static struct secret dek;

static int set_up(void **state)
{
	int fd;

	(void)state;
	if (secret_process_init() < 0 || crypto_random_secret(&dek, CMK_DEK_BYTES) < 0)
		return -1;
	fd = mkstemp(image);
	if (fd < 0)
		return -1;
	return close(fd);
}

static int tear_down(void **state)
{
	(void)state;
	secret_wipe(&dek);
	return unlink(image);
}

static void make_image(off_t size)
{
	assert_int_equal(truncate(image, 0), 0);
	assert_int_equal(truncate(image, size), 0);
}

static void make_token(struct cmk_token *t)
{
	struct cmk_error err = { 0 };

	memset(t, 0, sizeof(*t));
	t->slot = -1;
	t->mode = CMK_MODE_CUSTOMER;
	t->role = CMK_ROLE_PRIMARY;
	assert_int_equal(cmk_keyid_parse("https://contoso.vault.azure.net/keys/kek/" VERSION, NULL,
					 &t->kek, &err),
			 0);
	memset(t->public.n, 0xc3, 384);
	t->public.n_len = 384;
	memcpy(t->public.e, "\x01\x00\x01", 3);
	t->public.e_len = 3;
	assert_int_equal(cmk_identity_parse("managed", &t->identity, &err), 0);
	t->alg = CMK_ALG_RSA_OAEP_256;
	memset(t->wrapped, 0x5a, 384);
	t->wrapped_len = 384;
	t->created = 1767225600;
}

static void format(unsigned int sector_size, struct cmk_header *h)
{
	struct cmk_error err = { 0 };
	struct cmk_token t;

	make_image(IMAGE_SIZE);
	make_token(&t);
	if (cmk_luks_format(image, sector_size, "test", NULL, &dek, &t, h, &err) < 0)
		fail_msg("%s", err.text);
}

static void overwrite(off_t at, const void *p, size_t len)
{
	int fd = open(image, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, p, len, at), len);
	close(fd);
}

static void there_and_back(void **state)
{
	static const unsigned int sizes[] = { 512, 1024, 2048, 4096 };
	struct cmk_header h, again;
	struct cmk_error err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		format(sizes[i], &h);
		if (cmk_luks_load(image, NULL, &again, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(again.sector_size, sizes[i]);
		assert_int_equal(again.data_offset_sectors, 16 * MIB / 512);
		assert_int_equal(again.size_sectors, 16 * MIB / 512);
		assert_int_equal(again.iv_offset_sectors, 0);
		assert_int_equal(again.n_tokens, 1);
		assert_int_equal(again.tokens[0].slot, 0);
		assert_string_equal(again.uuid, h.uuid);
		assert_int_equal(strlen(again.uuid), 36);
		assert_string_equal(again.tokens[0].kek.version, VERSION);
		assert_int_equal(cmk_luks_check_dek(&again, &dek, &err), 0);
	}
}

/* What other programs see: a LUKS2 header of this subsystem with no keyslot at all. */
static void as_others_see_it(void **state)
{
	struct crypt_device *cd;
	struct cmk_header h;

	(void)state;
	format(4096, &h);
	assert_int_equal(crypt_init(&cd, image), 0);
	assert_int_equal(crypt_load(cd, CRYPT_LUKS2, NULL), 0);
	assert_string_equal(crypt_get_subsystem(cd), "cmk");
	assert_string_equal(crypt_get_label(cd), "test");
	assert_string_equal(crypt_get_cipher(cd), "aes");
	assert_string_equal(crypt_get_cipher_mode(cd), "xts-plain64");
	for (int slot = 0; slot < crypt_keyslot_max(CRYPT_LUKS2); slot++)
		assert_int_equal(crypt_keyslot_status(cd, slot), CRYPT_SLOT_INACTIVE);
	assert_true(crypt_volume_key_verify(cd, (const char *)dek.bytes, dek.len) >= 0);
	crypt_free(cd);
}

static void another_dek(void **state)
{
	_cleanup_secret_ struct secret other = SECRET_INIT, half = SECRET_INIT;
	struct cmk_error err = { 0 };
	struct cmk_header h;

	(void)state;
	format(4096, &h);
	assert_int_equal(crypto_random_secret(&other, CMK_DEK_BYTES), 0);
	assert_int_equal(cmk_luks_check_dek(&h, &other, &err), -EKEYREJECTED);
	assert_int_equal(err.exit, CMK_EXIT_HEADER);
	assert_int_equal(secret_from(&half, dek.bytes, CMK_DEK_BYTES / 2), 0);
	assert_int_equal(cmk_luks_check_dek(&h, &half, &err), -EKEYREJECTED);
}

/* A token that somebody without the DEK wrote: well formed, and pointing to another vault. */
static void tampered_token(void **state)
{
	struct cmk_error err = { 0 };
	struct crypt_device *cd;
	struct cmk_header h;
	char *json;

	(void)state;
	format(4096, &h);
	snprintf(h.tokens[0].kek.host, sizeof(h.tokens[0].kek.host), "evil.vault.azure.net");
	assert_int_equal(cmk_token_format(&h.tokens[0], &json), 0);
	assert_int_equal(crypt_init(&cd, image), 0);
	assert_int_equal(crypt_load(cd, CRYPT_LUKS2, NULL), 0);
	assert_int_equal(crypt_token_json_set(cd, 0, json), 0);
	crypt_free(cd);
	free(json);
	assert_int_equal(cmk_luks_load(image, NULL, &h, &err), 0);
	assert_int_equal(cmk_luks_check_dek(&h, &dek, &err), -EBADMSG);
	assert_int_equal(err.exit, CMK_EXIT_HEADER);
	assert_non_null(strstr(err.text, "slot 0: the token's MAC is wrong"));
}

static void malformed_token(void **state)
{
	struct cmk_error err = { 0 };
	struct crypt_device *cd;
	struct cmk_header h;

	(void)state;
	format(4096, &h);
	assert_int_equal(crypt_init(&cd, image), 0);
	assert_int_equal(crypt_load(cd, CRYPT_LUKS2, NULL), 0);
	assert_int_equal(crypt_token_json_set(cd, CRYPT_ANY_TOKEN,
					      "{\"type\":\"cmk\",\"keyslots\":[],\"version\":2}"),
			 1);
	crypt_free(cd);
	assert_int_equal(cmk_luks_load(image, NULL, &h, &err), -EINVAL);
	assert_int_equal(err.exit, CMK_EXIT_HEADER);
	assert_non_null(strstr(err.text, "slot 1: token: `version`"));
}

static void one_copy_damaged(void **state)
{
	struct cmk_error err = { 0 };
	struct cmk_header h;

	(void)state;
	for (off_t at = 0; at <= 0x4000; at += 0x4000) {
		format(4096, &h);
		overwrite(at + 4096, "garbage", 7);
		assert_int_equal(cmk_luks_load(image, NULL, &h, &err), 0);
		assert_int_equal(cmk_luks_check_dek(&h, &dek, &err), 0);
	}
}

static void both_copies_damaged(void **state)
{
	struct cmk_error err = { 0 };
	struct cmk_header h;

	(void)state;
	format(4096, &h);
	overwrite(4096, "garbage", 7);
	overwrite(0x4000 + 4096, "garbage", 7);
	assert_int_equal(cmk_luks_load(image, NULL, &h, &err), -EINVAL);
	assert_int_equal(err.exit, CMK_EXIT_HEADER);
	assert_non_null(strstr(err.text, "damaged in both"));
	assert_non_null(strstr(err.text, image));
}

static void no_header(void **state)
{
	struct cmk_error err = { 0 };
	struct cmk_header h;

	(void)state;
	make_image(IMAGE_SIZE);
	assert_int_equal(cmk_luks_load(image, NULL, &h, &err), -EINVAL);
	assert_int_equal(err.exit, CMK_EXIT_DEVICE);
	assert_non_null(strstr(err.text, "no LUKS2 header"));
	memset(&err, 0, sizeof(err));
	assert_int_equal(cmk_luks_load("/nonexistent/disk", NULL, &h, &err), -ENOTBLK);
	assert_int_equal(err.exit, CMK_EXIT_DEVICE);
	assert_non_null(strstr(err.text, "/nonexistent/disk"));
}

static void foreign_luks(void **state)
{
	struct crypt_params_luks2 params = { .sector_size = 512 };
	struct cmk_error err = { 0 };
	struct crypt_device *cd;
	struct cmk_header h;

	(void)state;
	make_image(IMAGE_SIZE);
	assert_int_equal(crypt_init(&cd, image), 0);
	assert_int_equal(
		crypt_format(cd, CRYPT_LUKS2, "aes", "xts-plain64", NULL, NULL, 64, &params), 0);
	crypt_free(cd);
	assert_int_equal(cmk_luks_load(image, NULL, &h, &err), -EINVAL);
	assert_int_equal(err.exit, CMK_EXIT_DEVICE);
	assert_non_null(strstr(err.text, "none of this project"));
}

static void shrunk_device(void **state)
{
	struct cmk_error err = { 0 };
	struct cmk_header h;

	(void)state;
	format(4096, &h);
	assert_int_equal(truncate(image, 16 * MIB), 0);
	assert_int_equal(cmk_luks_load(image, NULL, &h, &err), -EINVAL);
	assert_int_equal(err.exit, CMK_EXIT_HEADER);
	assert_int_equal(truncate(image, 16 * MIB + 4095), 0);
	assert_int_equal(cmk_luks_load(image, NULL, &h, &err), -EINVAL);
	assert_int_equal(truncate(image, 16 * MIB + 8191), 0);
	assert_int_equal(cmk_luks_load(image, NULL, &h, &err), 0);
	assert_int_equal(h.size_sectors, 8);
}

/* A format that is refused leaves what was there; one that fails halfway leaves no header. */
static void refused_format(void **state)
{
	struct cmk_error err = { 0 };
	struct cmk_header h, again;
	struct cmk_token t;

	(void)state;
	format(4096, &h);
	make_token(&t);
	assert_true(cmk_luks_format(image, 1000, NULL, NULL, &dek, &t, &again, &err) < 0);
	assert_non_null(strstr(err.text, image));
	memset(&err, 0, sizeof(err));
	assert_int_equal(cmk_luks_load(image, NULL, &again, &err), 0);
	assert_string_equal(again.uuid, h.uuid);

	/* the token is not one that can be read back */
	t.kek.version[0] = '\0';
	assert_int_equal(cmk_luks_format(image, 4096, NULL, NULL, &dek, &t, &again, &err), -EINVAL);
	memset(&err, 0, sizeof(err));
	assert_int_equal(cmk_luks_load(image, NULL, &again, &err), -EINVAL);
	assert_non_null(strstr(err.text, "no LUKS2 header"));

	make_image(MIB);
	memset(&err, 0, sizeof(err));
	make_token(&t);
	assert_true(cmk_luks_format(image, 4096, NULL, NULL, &dek, &t, &again, &err) < 0);
	assert_non_null(strstr(err.text, image));
}

static void resolve(void **state)
{
	struct cmk_error err = { 0 };
	char path[256];

	(void)state;
	assert_int_equal(cmk_luks_resolve(image, path, sizeof(path), &err), -ENOTBLK);
	memset(&err, 0, sizeof(err));
	assert_int_equal(cmk_luks_resolve("/nonexistent/disk", path, sizeof(path), &err), -ENODEV);
	assert_int_equal(err.exit, CMK_EXIT_DEVICE);
	memset(&err, 0, sizeof(err));
	assert_int_equal(cmk_luks_resolve("UUID=00000000-0000-4000-8000-000000000000", path,
					  sizeof(path), &err),
			 -ENODEV);
	assert_non_null(strstr(err.text, "UUID=00000000-0000-4000-8000-000000000000"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),      cmocka_unit_test(as_others_see_it),
		cmocka_unit_test(another_dek),	       cmocka_unit_test(tampered_token),
		cmocka_unit_test(malformed_token),     cmocka_unit_test(one_copy_damaged),
		cmocka_unit_test(both_copies_damaged), cmocka_unit_test(no_header),
		cmocka_unit_test(foreign_luks),	       cmocka_unit_test(shrunk_device),
		cmocka_unit_test(refused_format),      cmocka_unit_test(resolve),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

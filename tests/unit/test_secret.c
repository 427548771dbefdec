// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Secrets: in the secure heap, and gone from memory when they are wiped. */
#include "unit.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <openssl/crypto.h>

#include "common/secret.h"

static const uint8_t pattern[32] = "0123456789abcdef0123456789ABCDE";

static void process(void **state)
{
	struct rlimit core;

	(void)state;
	assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
	assert_int_equal(getrlimit(RLIMIT_CORE, &core), 0);
	assert_int_equal(core.rlim_max, 0);
	assert_int_equal(secret_process_init(), 0);
}

static void in_the_secure_heap(void **state)
{
	struct secret s = SECRET_INIT;

	(void)state;
	assert_int_equal(secret_alloc(&s, 64), 0);
	assert_true(CRYPTO_secure_allocated(s.bytes));
	for (size_t i = 0; i < s.len; i++)
		assert_int_equal(s.bytes[i], 0);
	assert_int_equal(secret_alloc(&s, 64), -EINVAL); /* not empty */
	secret_wipe(&s);
	assert_null(s.bytes);
	assert_int_equal(s.len, 0);
	secret_wipe(&s);
}

static void limits(void **state)
{
	struct secret s = SECRET_INIT;

	(void)state;
	assert_int_equal(secret_alloc(&s, 0), -EINVAL);
	assert_int_equal(secret_alloc(&s, CMK_SECRET_MAX_BYTES + 1), -EINVAL);
	assert_int_equal(secret_alloc(&s, CMK_SECRET_MAX_BYTES), 0);
	secret_wipe(&s);
}

/* The heap's memory stays mapped after the free, so that it can be looked at. */
static void wiped(void **state)
{
	struct secret s = SECRET_INIT;
	const uint8_t *volatile was;
	size_t left = 0;

	(void)state;
	assert_int_equal(secret_from(&s, pattern, sizeof(pattern)), 0);
	assert_memory_equal(s.bytes, pattern, sizeof(pattern));
	was = s.bytes;
	secret_wipe(&s);
	for (size_t i = 0; i < sizeof(pattern); i++)
		left += was[i] == pattern[i];
	/* the allocator's own links may stand there */
	assert_true(left < 4);
}

static void compared(void **state)
{
	_cleanup_secret_ struct secret a = SECRET_INIT, b = SECRET_INIT, c = SECRET_INIT;
	struct secret none = SECRET_INIT;

	(void)state;
	assert_int_equal(secret_from(&a, pattern, 32), 0);
	assert_int_equal(secret_from(&b, pattern, 32), 0);
	assert_int_equal(secret_from(&c, pattern, 31), 0);
	assert_true(secret_equal(&a, &b));
	assert_false(secret_equal(&a, &c));
	assert_false(secret_equal(&a, &none));
	assert_true(secret_equal(&none, &none));
	b.bytes[31] ^= 1;
	assert_false(secret_equal(&a, &b));
}

static void wiping_allocator(void **state)
{
	char *p = wiping_strdup("0123456789abcdef"), *q;

	(void)state;
	assert_non_null(p);
	/* grows, and keeps what it held */
	q = wiping_realloc(p, 100000);
	assert_non_null(q);
	assert_string_equal(q, "0123456789abcdef");
	q = wiping_realloc(q, 10);
	assert_memory_equal(q, "0123456789", 10);
	wiping_free(q);
	wiping_free(NULL);
	p = wiping_realloc(NULL, 10);
	assert_non_null(p);
	wiping_free(p);
	p = wiping_calloc(3, 7);
	for (int i = 0; i < 21; i++)
		assert_int_equal(p[i], 0);
	wiping_free(p);
}

/* A small block stays mapped after its free: looked at in its middle, away from the allocator's
 * links. */
static void wiping_free_wipes(void **state)
{
/* a sanitizer forbids to look at what was freed, and overwrites it itself */
#ifndef __SANITIZE_ADDRESS__
	volatile unsigned char *p = wiping_malloc(256);
	uintptr_t was = (uintptr_t)p;

	(void)state;
	for (size_t i = 0; i < 256; i++)
		p[i] = 0xa5;
	wiping_free((void *)p);
	p = (volatile unsigned char *)was;
	for (size_t i = 64; i < 192; i++)
		assert_int_equal(p[i], 0);
#else
	(void)state;
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(process),
		cmocka_unit_test(in_the_secure_heap),
		cmocka_unit_test(limits),
		cmocka_unit_test(wiped),
		cmocka_unit_test(compared),
		cmocka_unit_test(wiping_allocator),
		cmocka_unit_test(wiping_free_wipes),
	};

	if (secret_process_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

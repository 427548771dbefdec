// SPDX-License-Identifier: GPL-2.0
/*
 * Table lines and messages from a grammar with mistakes in it: each is accepted or refused, and the
 * kernel goes on. The guest's runner looks at the kernel's log afterwards. CMK_MALFORMED sets their
 * number.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dm.h"
#include "kselftest_harness.h"

#define SECTORS 2048ULL

static const char * const numbers[] = {
	"0", "1", "7", "8", "512", "4096", "65536", "4294967295", "4294967296",
	"18446744073709551615", "18446744073709551616", "99999999999999999999999999", "-1", "+1",
	"0x10", "010", "1e3", "1 ", "", "\xff", "%s%n", "604800000", "604800001",
};

static const char * const keys[] = {
	"-", ":64:cmk:t:m", ":64:cmk:t:m", ":64:cmk:t:m", ":32:cmk:t:m", ":64:logon:t:m", ":64:user:t:m",
	":64:cmk:", ":64:cmk", ":64:", ":64", ":", "::", ":::", ":64::t:m", "00112233445566778899aabb",
	":0:cmk:t:m", ":-64:cmk:t:m", ":64:cmk:t:m:", ":64:CMK:t:m", ":65536:cmk:t:m", "--",
};

static const char * const ciphers[] = {
	"aes-xts-plain64", "aes-xts-plain64", "aes-xts-plain64", "aes-xts-plain64",
	"aes-xts-plain", "aes-cbc-essiv:sha256", "capi:xts(aes)-plain64", "", "aes-xts-plain64x",
};

static const char * const devices[] = {
	T_RAM, T_RAM, T_RAM, T_RAM, "/dev/null", "/dev/nothing", "1:0", "1:", ":", "999:999", "/", "",
};

static const char * const opts[] = {
	"sector_size:512", "sector_size:4096", "sector_size:", "sector_size", "sector_size:513",
	"sector_size:1024:1024", "iv_large_sectors", "iv_large_sectors:", "allow_discards", "lease:5",
	"lease:0", "lease:604800001", "lease:-5", "on_inaccessible:queue", "on_inaccessible:error",
	"on_inaccessible:", "queue_timeout:5", "queue_timeout:99999999", "integrity:28:aead", ":", "x",
	"same_cpu_crypt", "lease:5:5", "LEASE:5",
};

static const char * const verbs[] = {
	"key", "lease", "revoke", "status", "set", "wipe", "", "keys", "revok", "lease:5", "\\", "\\ key",
};

#define PICK(list) (list[random() % (sizeof(list) / sizeof(list[0]))])

/* Change characters. */
static void noise(char *line)
{
	size_t len = strlen(line);

	while (len && random() % 3 == 0) {
		char *c = &line[random() % len];

		*c = random() % 2 ? *c ^ (1 << random() % 7) : random();
		if (!*c)
			*c = ' ';
	}
}

static void long_word(char *out, size_t size)
{
	size_t len = random() % size;

	memset(out, 'A' + random() % 26, len);
	out[len] = '\0';
}

/* Mostly what is right, so that what is wrong gets past the first checks. */
#define MOSTLY(right, list) (random() % 8 ? (right) : PICK(list))

static void make_table(char *line, size_t size)
{
	char word[200];
	int n = snprintf(line, size, "%s %s %s %s %s", MOSTLY("aes-xts-plain64", ciphers),
			 MOSTLY(":64:cmk:t:m", keys), MOSTLY("0", numbers),
			 MOSTLY(T_RAM, devices), MOSTLY("0", numbers));
	unsigned int count = random() % 4, i;

	if (random() % 8)
		n += snprintf(line + n, size - n, " %u", random() % 8 ? count : (unsigned int)random());
	for (i = 0; i < count; i++) {
		long_word(word, sizeof(word));
		n += snprintf(line + n, size - n, " %s", random() % 50 ? PICK(opts) : word);
	}
	if (random() % 4 == 0)
		noise(line);
}

static void make_message(char *line, size_t size)
{
	char word[600];
	int n = snprintf(line, size, "%s", PICK(verbs));
	unsigned int count = random() % 8 ? 1 : random() % 4, i;

	for (i = 0; i < count; i++) {
		long_word(word, sizeof(word));
		n += snprintf(line + n, size - n, " %s",
			      random() % 20 == 0 ? word :
			      random() % 2 ? PICK(numbers) : PICK(keys));
	}
	if (random() % 4 == 0)
		noise(line);
}

static unsigned int rounds(void)
{
	const char *n = getenv("CMK_MALFORMED");

	return n ? atoi(n) : 1500;
}

TEST(table_lines_are_accepted_or_refused)
{
	unsigned int i, accepted = 0;
	char line[T_LINE_MAX];

	t_remove_all();
	srandom(1);
	ASSERT_EQ(0, t_create("cmk", SECTORS, "cmk", "aes-xts-plain64 - 0 %s 0", T_RAM));
	for (i = 0; i < rounds(); i++) {
		if (i % 16 == 0)
			t_key("cmk", "t:m", 1, 64);
		make_table(line, sizeof(line));
		accepted += !t_reload("cmk", SECTORS, "cmk", "%s", line);
	}
	TH_LOG("%u lines, %u accepted", i, accepted);
	EXPECT_LT(0, accepted);
	EXPECT_GT(i / 2, accepted);
	ASSERT_EQ(0, t_reload("cmk", SECTORS, "cmk", "aes-xts-plain64 - 0 %s 0", T_RAM));
	EXPECT_TRUE(t_is("cmk", CMK_STATE_INACCESSIBLE, CMK_REASON_NO_KEY));
	t_remove_all();
}

TEST(messages_are_accepted_or_refused)
{
	unsigned int i, accepted = 0;
	char line[T_LINE_MAX];

	t_remove_all();
	srandom(2);
	ASSERT_EQ(0, t_create("cmk", SECTORS, "cmk", "aes-xts-plain64 - 0 %s 0", T_RAM));
	for (i = 0; i < rounds(); i++) {
		if (i % 16 == 0)
			t_key("cmk", "t:m", 1, 64);
		make_message(line, sizeof(line));
		accepted += !t_message("cmk", "%s", line);
	}
	TH_LOG("%u messages, %u accepted", i, accepted);
	EXPECT_LT(0, accepted);
	EXPECT_GT(i / 2, accepted);
	/* a message may have left a lease of a few milliseconds: begin anew */
	ASSERT_EQ(0, t_reload("cmk", SECTORS, "cmk", "aes-xts-plain64 - 0 %s 0", T_RAM));
	t_key("cmk", "t:m", 1, 64);
	EXPECT_EQ(0, t_message("cmk", "key :64:cmk:t:m"));
	EXPECT_TRUE(t_is("cmk", CMK_STATE_AVAILABLE, CMK_REASON_NONE));
	t_remove_all();
}

TEST_HARNESS_MAIN

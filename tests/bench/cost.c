// SPDX-License-Identifier: GPL-2.0
/*
 * What a mapping costs while nobody uses it: makes many of one kind on one lower device, and says
 * how much memory the kernel took for each, and how long making, revoking and removing all of them
 * took.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dm.h"

#define SECTORS	  2048
#define KEY_BYTES 64
#define SETTLE_MS 500 /* for what the kernel frees later */

struct kind {
	const char *name, *target, *params;
	const char *key; /* its type, or NULL */
	bool own;	 /* a key for each mapping, its number in the params */
};

#define CMK_PARAMS(key)	  "aes-xts-plain64 " key " 0 " T_RAM " 0"
#define CRYPT_PARAMS(key) "aes-xts-plain64 " key " 0 " T_RAM " 0 1 sector_size:4096"

static const struct kind kinds[] = {
	{ "linear", "linear", T_RAM " 0", NULL, false },
	{ "cmk-keyless", "cmk", CMK_PARAMS("-"), NULL, false },
	{ "cmk", "cmk", CMK_PARAMS(":64:cmk:cost"), "cmk", false },
	{ "cmk-own-keys", "cmk", CMK_PARAMS(":64:cmk:cost%u"), "cmk", true },
	{ "crypt4096", "crypt", CRYPT_PARAMS(":64:logon:cost:key"), "logon", false },
};

static void fail(const char *what, const char *name, int r)
{
	fprintf(stderr, "cost: %s %s: %s\n", what, name, strerror(-r));
	t_remove_all();
	exit(1);
}

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* Free memory of the machine, after the caches that can be dropped are. */
static long long free_kib(void)
{
	char line[128];
	long long kib = -1;
	FILE *f;

	t_sleep_ms(SETTLE_MS);
	f = fopen("/proc/sys/vm/drop_caches", "w");
	if (f) {
		fputs("3", f);
		fclose(f);
	}
	t_sleep_ms(SETTLE_MS);
	f = fopen("/proc/meminfo", "r");
	while (f && kib < 0 && fgets(line, sizeof(line), f))
		sscanf(line, "MemFree: %lld kB", &kib);
	if (f)
		fclose(f);
	return kib;
}

static const char *name_of(unsigned int i)
{
	static char name[T_NAME_MAX];

	snprintf(name, sizeof(name), "cost%u", i);
	return name;
}

static void add_key(const struct kind *kind, const char *description, unsigned int seed)
{
	if (t_key(kind->key, description, seed, KEY_BYTES) < 0)
		fail("add_key", description, -EDQUOT);
}

static void make(const struct kind *kind, unsigned int i)
{
	char params[T_LINE_MAX];
	const char *number = strstr(kind->params, "%u");
	int r;

	if (kind->own)
		add_key(kind, name_of(i), i);
	snprintf(params, sizeof(params), "%s", kind->params);
	if (number)
		snprintf(params + (number - kind->params),
			 sizeof(params) - (size_t)(number - kind->params), "%u%s", i, number + 2);
	r = t_create(name_of(i), SECTORS, kind->target, "%s", params);
	if (r)
		fail("create", name_of(i), r);
}

static void run(const struct kind *kind, unsigned int n)
{
	long long before, after;
	double t[4];
	unsigned int i;
	int r;

	if (kind->key && !kind->own)
		add_key(kind, strcmp(kind->key, "logon") ? "cost" : "cost:key", 1);
	make(kind, n); /* so that what is made once is there */
	before = free_kib();
	t[0] = now_ms();
	for (i = 0; i < n; i++)
		make(kind, i);
	t[1] = now_ms();
	after = free_kib();
	t[2] = now_ms();
	for (i = 0; !strcmp(kind->target, "cmk") && i < n; i++) {
		r = t_message(name_of(i), "revoke");
		if (r)
			fail("revoke", name_of(i), r);
	}
	t[3] = now_ms();
	printf("cost %s %u %.2f %.1f %.1f", kind->name, n, (double)(before - after) / n,
	       t[1] - t[0], t[3] - t[2]);
	t[0] = now_ms();
	for (i = 0; i <= n; i++) {
		r = t_remove(name_of(i));
		if (r)
			fail("remove", name_of(i), r);
	}
	printf(" %.1f\n", now_ms() - t[0]);
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 3 && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(argv[1], kinds[i].name))
			continue;
		run(&kinds[i], (unsigned int)strtoul(argv[2], NULL, 10));
		return 0;
	}
	fprintf(stderr, "usage: cost KIND COUNT\n"
			"prints: cost <kind> <count> <KiB each> <ms to make all> <to revoke> <to "
			"remove>\n");
	return 2;
}

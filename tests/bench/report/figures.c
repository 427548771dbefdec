// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The cells that the guest with counted instructions gives: instructions of an operation,
 * allocations, the cost of a mapping, and a revocation under load. Their goals stand here.
 */
#include <stdlib.h>
#include <string.h>
#include "bench.h"

#define UNIT_BYTES  4096
#define MAPPING_KIB 64
#define REVOKE_US   10000
#define CRYPT_LIMIT 1.00

static const struct {
	unsigned int bytes;
	const char *op, *name;
	double floor_limit;
} sizes[] = {
	{ 4096, "read", "4 KiB read", 1.05 },	 { 4096, "write", "4 KiB write", 1.08 },
	{ 65536, "read", "64 KiB read", 1.04 },	 { 65536, "write", "64 KiB write", 1.04 },
	{ 1048576, "read", "1 MiB read", 1.04 }, { 1048576, "write", "1 MiB write", 1.04 },
};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The line `<kind> <first> <op> <bytes>...`, or NULL. */
static const struct line *find(const struct lines *lines, const char *kind, const char *first,
			       const char *op, unsigned int bytes)
{
	for (size_t i = 0; i < lines->n; i++) {
		const struct line *l = &lines->at[i];

		if (l->n >= 5 && !strcmp(l->word[0], kind) && !strcmp(l->word[1], first) &&
		    !strcmp(l->word[2], op) && (unsigned int)line_number(l, 3) == bytes)
			return l;
	}
	return NULL;
}

static double instructions(const struct lines *lines, const char *config, const char *op,
			   unsigned int bytes)
{
	const struct line *l = find(lines, "instructions", config, op, bytes);

	return l ? line_number(l, 4) : NONE;
}

/* What one call of the cipher takes: `cipher <op> <unit> <driver> <instructions>`. */
static double cipher(const struct lines *lines, const char *op)
{
	for (size_t i = 0; i < lines->n; i++) {
		const struct line *l = &lines->at[i];

		if (l->n == 5 && !strcmp(l->word[0], "cipher") && !strcmp(l->word[1], op) &&
		    (unsigned int)line_number(l, 2) == UNIT_BYTES)
			return line_number(l, 4);
	}
	return NONE;
}

static void add_instructions(struct cells *cells, const struct lines *lines)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct cell *c = cells_add(cells, "instructions of an operation", sizes[i].name,
					   "instructions");
		double linear = instructions(lines, "linear", sizes[i].op, sizes[i].bytes);
		double unit = cipher(lines, sizes[i].op);

		for (enum config k = CONFIG_CRYPT512; k < CONFIG_COUNT; k++)
			c->value[k] =
				instructions(lines, config_names[k], sizes[i].op, sizes[i].bytes);
		if (linear >= 0 && unit >= 0)
			c->value[CONFIG_FLOOR] = linear + unit * (sizes[i].bytes / UNIT_BYTES);
		c->floor_limit = sizes[i].floor_limit;
		c->crypt_limit = CRYPT_LIMIT;
	}
}

/* `allocations <config> <op> <bytes> <operations> <slab objects> <pages>`: what is more than
 * dm-linear's. */
static double own_allocations(const struct lines *lines, const char *config, const char *op,
			      unsigned int bytes)
{
	const struct line *l = find(lines, "allocations", config, op, bytes);
	const struct line *linear = find(lines, "allocations", "linear", op, bytes);
	double operations, own;

	if (!l || !linear || line_number(l, 4) <= 0)
		return NONE;
	operations = line_number(l, 4);
	own = (line_number(l, 5) + line_number(l, 6) - line_number(linear, 5) -
	       line_number(linear, 6)) /
	      operations;
	/* a few objects of the guest's own in a whole run are not the operation's */
	return own < 0.005 ? 0 : own;
}

static void add_allocations(struct cells *cells, const struct lines *lines)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct cell *c = cells_add(
			cells, "slab and page allocations of an operation, over dm-linear's",
			sizes[i].name, "allocations");

		for (enum config k = CONFIG_CRYPT512; k < CONFIG_COUNT; k++)
			c->value[k] = own_allocations(lines, config_names[k], sizes[i].op,
						      sizes[i].bytes);
		c->limit = 0;
	}
}

static void add_cost(struct cells *cells, const struct lines *lines)
{
	static const struct {
		const char *kind, *name, *own;
	} kinds[] = {
		{ "cmk-keyless", "no key", "no key, over dm-linear" },
		{ "cmk-own-keys", "each its own key", "own key, over dm-linear" },
	};
	static const struct {
		const char *name;
		unsigned int word;
	} times[] = { { "make 1,000", 4 }, { "revoke 1,000", 5 }, { "remove 1,000", 6 } };
	const struct line *linear = NULL, *crypt = NULL, *keyed = NULL;
	struct cell *own;

	for (size_t i = 0; i < lines->n; i++) {
		const struct line *l = &lines->at[i];

		if (l->n < 7 || strcmp(l->word[0], "cost"))
			continue;
		if (!strcmp(l->word[1], "linear"))
			linear = l;
		else if (!strcmp(l->word[1], "crypt4096"))
			crypt = l;
		else if (!strcmp(l->word[1], "cmk-own-keys"))
			keyed = l;
	}
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct cell *c =
			cells_add(cells, "cost of an idle mapping", kinds[k].name, "KiB each");

		for (size_t i = 0; i < lines->n; i++) {
			const struct line *l = &lines->at[i];

			if (l->n >= 7 && !strcmp(l->word[0], "cost") &&
			    !strcmp(l->word[1], kinds[k].kind))
				c->value[CONFIG_CMK] = line_number(l, 3);
		}
		c->value[CONFIG_FLOOR] = linear ? line_number(linear, 3) : NONE;
		c->value[CONFIG_CRYPT4096] = crypt ? line_number(crypt, 3) : NONE;
		c->limit = MAPPING_KIB;
		own = cells_add(cells, "cost of an idle mapping", kinds[k].own, "KiB each");
		if (c->value[CONFIG_CMK] >= 0 && c->value[CONFIG_FLOOR] >= 0)
			own->value[CONFIG_CMK] = c->value[CONFIG_CMK] - c->value[CONFIG_FLOOR];
	}
	for (size_t k = 0; k < ARRAY_SIZE(times); k++) {
		struct cell *c = cells_add(cells, "cost of an idle mapping", times[k].name, "ms");

		c->value[CONFIG_CMK] = keyed ? line_number(keyed, times[k].word) : NONE;
		if (times[k].word != 5 && linear)
			c->value[CONFIG_FLOOR] = line_number(linear, times[k].word);
	}
}

/* The worst of all rounds. */
static void add_revocation(struct cells *cells, const struct lines *lines)
{
	struct cell *message = cells_add(cells, "revoke under load", "the message returns", "us");
	struct cell *key = cells_add(cells, "revoke under load", "the key is zeroized", "us");
	struct cell *depth =
		cells_add(cells, "revoke under load", "bios in flight (least)", "bios");

	for (size_t i = 0; i < lines->n; i++) {
		const struct line *l = &lines->at[i];
		double d = line_number(l, 1);

		if (l->n != 4 || strcmp(l->word[0], "drain"))
			continue;
		if (line_number(l, 2) > message->value[CONFIG_CMK])
			message->value[CONFIG_CMK] = line_number(l, 2);
		if (line_number(l, 3) > key->value[CONFIG_CMK])
			key->value[CONFIG_CMK] = line_number(l, 3);
		if (depth->value[CONFIG_CMK] < 0 || d < depth->value[CONFIG_CMK])
			depth->value[CONFIG_CMK] = d;
	}
	message->limit = REVOKE_US;
	key->limit = REVOKE_US;
}

void figures_make(struct cells *cells, const struct lines *lines)
{
	add_instructions(cells, lines);
	add_allocations(cells, lines);
	add_cost(cells, lines);
	add_revocation(cells, lines);
}

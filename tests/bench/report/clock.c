// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The cells of the wall clock: medians over the rounds in which the configurations took turns, and
 * how far the rounds' ratios lie apart, which is the noise that a ratio is judged with.
 */
#include <stdlib.h>
#include <string.h>
#include "bench.h"

#define ROUNDS_MAX 64

/* Columns of `clock <cell> <config> <round> <throughput> <p50> <p99> <p99.9>`. */
enum { WORD_CELL = 1, WORD_CONFIG, WORD_ROUND, WORD_RATE, WORD_P50, WORD_P99, WORD_P999, WORDS };

static const struct {
	const char *cell, *name, *unit;
} loads[] = {
	{ "randread-1", "random 4 KiB reads, depth 1", "operations/s" },
	{ "randread-32", "random 4 KiB reads, depth 32", "operations/s" },
	{ "randwrite-1", "random 4 KiB writes, depth 1", "operations/s" },
	{ "randwrite-32", "random 4 KiB writes, depth 32", "operations/s" },
	{ "read-1m", "sequential 1 MiB reads", "operations/s" },
	{ "write-1m", "sequential 1 MiB writes", "operations/s" },
	{ "mixed", "mixed with fsync on ext4", "operations/s" },
	{ "pgbench", "pgbench on ext4", "transactions/s" },
};

static const struct {
	const char *name;
	unsigned int word;
} latencies[] = { { "p50", WORD_P50 }, { "p99", WORD_P99 }, { "p99.9", WORD_P999 } };

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* What the rounds of a configuration gave, by round; NONE where one is missing. */
struct rounds {
	double at[ROUNDS_MAX];
};

static void rounds_of(struct rounds *rounds, const struct lines *lines, const char *cell,
		      const char *config, unsigned int word)
{
	for (size_t i = 0; i < ROUNDS_MAX; i++)
		rounds->at[i] = NONE;
	for (size_t i = 0; i < lines->n; i++) {
		const struct line *l = &lines->at[i];
		unsigned int round = (unsigned int)line_number(l, WORD_ROUND);

		if (l->n > word && !strcmp(l->word[0], "clock") &&
		    !strcmp(l->word[WORD_CELL], cell) && !strcmp(l->word[WORD_CONFIG], config) &&
		    round < ROUNDS_MAX)
			rounds->at[round] = line_number(l, word);
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The @q-quantile of those that are there. */
static double quantile(const struct rounds *rounds, double q)
{
	double sorted[ROUNDS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < ROUNDS_MAX; i++)
		if (rounds->at[i] >= 0)
			sorted[n++] = rounds->at[i];
	if (!n)
		return NONE;
	qsort(sorted, n, sizeof(sorted[0]), compare);
	return sorted[(size_t)(q * (double)(n - 1) + 0.5)];
}

/* Half of what lies between the quartiles of the ratios of dm-cmk to dm-crypt's best, round by
 * round. */
static double noise_of(const struct lines *lines, const char *cell, enum config best)
{
	struct rounds cmk, crypt, ratio;

	rounds_of(&cmk, lines, cell, config_names[CONFIG_CMK], WORD_RATE);
	rounds_of(&crypt, lines, cell, config_names[best], WORD_RATE);
	for (size_t i = 0; i < ROUNDS_MAX; i++)
		ratio.at[i] = cmk.at[i] >= 0 && crypt.at[i] > 0 ? cmk.at[i] / crypt.at[i] : NONE;
	return (quantile(&ratio, 0.75) - quantile(&ratio, 0.25)) / 2;
}

static struct cell *add(struct cells *cells, const struct lines *lines, size_t load,
			const char *group, const char *unit, unsigned int word)
{
	struct cell *c = cells_add(cells, group, loads[load].name, unit);
	struct rounds rounds;

	for (enum config k = CONFIG_CRYPT512; k < CONFIG_COUNT; k++) {
		rounds_of(&rounds, lines, loads[load].cell, config_names[k], word);
		c->value[k] = quantile(&rounds, 0.5);
	}
	return c;
}

void clock_make(struct cells *cells, const struct lines *lines)
{
	for (size_t i = 0; i < ARRAY_SIZE(loads); i++) {
		struct cell *c =
			add(cells, lines, i, "wall clock, throughput", loads[i].unit, WORD_RATE);
		enum config best;

		c->more_is_better = true;
		c->crypt_limit = 1.00;
		best = cell_best(c);
		if (best != CONFIG_COUNT)
			c->noise = noise_of(lines, loads[i].cell, best);
	}
	for (size_t k = 0; k < ARRAY_SIZE(latencies); k++) {
		char group[NAME_MAX_LEN];

		snprintf(group, sizeof(group), "wall clock, latency %s", latencies[k].name);
		for (size_t i = 0; i < ARRAY_SIZE(loads) - 1; i++) /* pgbench tells a mean only */
			add(cells, lines, i, group, "us", latencies[k].word);
	}
}

/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What the files of the benchmark's report share: the lines that the guests printed, and the cells
 * that are made of them and compared with what dm-cmk owes.
 */
#ifndef CMK_BENCH_H
#define CMK_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define NAME_MAX_LEN 64
#define WORDS_MAX    10
#define CELLS_MAX    128
#define NONE	     (-1.0)

/* One line of a guest: its words. */
struct line {
	char text[256];
	const char *word[WORDS_MAX];
	unsigned int n;
};

struct lines {
	struct line *at;
	size_t n;
};

enum config {
	CONFIG_FLOOR,
	CONFIG_CRYPT512,
	CONFIG_CRYPT4096,
	CONFIG_CRYPT4096NQ,
	CONFIG_CMK,
	CONFIG_COUNT,
};

extern const char *const config_names[CONFIG_COUNT];

/* One row of the table. Ratios are dm-cmk to the other; NONE where there is nothing to say. */
struct cell {
	char group[NAME_MAX_LEN], name[NAME_MAX_LEN], unit[NAME_MAX_LEN];
	double value[CONFIG_COUNT];
	bool more_is_better;
	double floor_limit; /* the goal: at most this ratio to the floor */
	double crypt_limit; /* at most (at least, if more is better) this ratio to dm-crypt's best
			     */
	double limit;	    /* at most this value */
	double noise; /* of the ratio to dm-crypt's best, as the rounds show it: 0.02 is 2 % */
};

struct cells {
	struct cell at[CELLS_MAX];
	size_t n;
};

/** lines_read() - append the lines of a file; -errno if it cannot be read */
int lines_read(struct lines *lines, const char *path);
/** lines_split() - into words, once all files are read */
void lines_split(struct lines *lines);
/** line_number() - the word @i of a line as a number, 0 if there is none */
double line_number(const struct line *line, unsigned int i);

/** cells_add() - a new cell with no values and no limits */
struct cell *cells_add(struct cells *cells, const char *group, const char *name, const char *unit);
/** cell_best() - dm-crypt's best configuration of a cell, or CONFIG_COUNT if none was measured */
enum config cell_best(const struct cell *cell);
/** cell_ratio() - dm-cmk's value to another's, NONE without both */
double cell_ratio(const struct cell *cell, enum config to);
/** cell_met() - is every limit of the cell kept? A cell without dm-cmk's value is not. */
bool cell_met(const struct cell *cell);

/** figures_make() - all cells from the guests' lines */
void figures_make(struct cells *cells, const struct lines *lines);
/** clock_make() - the cells of the wall clock */
void clock_make(struct cells *cells, const struct lines *lines);

/** table_print() - for people */
void table_print(const struct cells *cells);
/** json_write() - for programs; -errno */
int json_write(const struct cells *cells, const char *kernel, const char *path);
/** plot_write() - as SVG; -errno */
int plot_write(const struct cells *cells, const char *kernel, const char *path);

#endif

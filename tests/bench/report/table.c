// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The table for people: one row a cell, what was measured, its ratios, and whether the goal was
 * met.
 */
#include <string.h>
#include "bench.h"

static const char *number(double value)
{
	static char text[8][24];
	static unsigned int next;
	char *s = text[next++ % 8];

	if (value < 0)
		snprintf(s, sizeof(text[0]), "-");
	else if (value < 1000 && value != (double)(long long)value)
		snprintf(s, sizeof(text[0]), "%.2f", value);
	else
		snprintf(s, sizeof(text[0]), "%.0f", value);
	return s;
}

static const char *ratio(double value)
{
	static char text[4][24];
	static unsigned int next;
	char *s = text[next++ % 4];

	snprintf(s, sizeof(text[0]), value < 0 ? "-" : "%.3f", value);
	return s;
}

static void print_goal(const struct cell *cell)
{
	bool any = cell->limit >= 0 || cell->floor_limit >= 0 || cell->crypt_limit >= 0;

	if (!any)
		return;
	printf("  %s:", cell_met(cell) ? "met" : "MISSED");
	if (cell->limit >= 0)
		printf(" <= %s %s", number(cell->limit), cell->unit);
	if (cell->floor_limit >= 0)
		printf(" <= %.2f floor", cell->floor_limit);
	if (cell->crypt_limit >= 0)
		printf(" %s %.2f dm-crypt", cell->more_is_better ? ">=" : "<=", cell->crypt_limit);
	if (cell->noise > 0)
		printf(" +-%.3f", cell->noise);
}

static void print_cell(const struct cell *c)
{
	printf("%-30s %10s %10s %10s %10s %10s %7s %7s", c->name, number(c->value[CONFIG_FLOOR]),
	       number(c->value[CONFIG_CRYPT512]), number(c->value[CONFIG_CRYPT4096]),
	       number(c->value[CONFIG_CRYPT4096NQ]), number(c->value[CONFIG_CMK]),
	       ratio(cell_ratio(c, CONFIG_FLOOR)), ratio(cell_ratio(c, cell_best(c))));
	print_goal(c);
	printf("\n");
}

void table_print(const struct cells *cells)
{
	const char *group = "";

	for (size_t i = 0; i < cells->n; i++) {
		const struct cell *c = &cells->at[i];

		if (strcmp(group, c->group)) {
			group = c->group;
			printf("\n%s\n%-30s %10s %10s %10s %10s %10s %7s %7s\n", group, c->unit,
			       "floor", "crypt512", "crypt4096", "crypt4096nq", "dm-cmk", "/floor",
			       "/crypt");
		}
		print_cell(c);
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * A cell of the table: the values of one thing that was measured on all configurations, and its
 * limits.
 */
#include <stdlib.h>
#include <string.h>
#include "bench.h"

const char *const config_names[CONFIG_COUNT] = {
	[CONFIG_FLOOR] = "floor",
	[CONFIG_CRYPT512] = "crypt512",
	[CONFIG_CRYPT4096] = "crypt4096",
	[CONFIG_CRYPT4096NQ] = "crypt4096nq",
	[CONFIG_CMK] = "cmk",
};

struct cell *cells_add(struct cells *cells, const char *group, const char *name, const char *unit)
{
	struct cell *cell;

	if (cells->n == CELLS_MAX)
		abort();
	cell = &cells->at[cells->n++];
	memset(cell, 0, sizeof(*cell));
	snprintf(cell->group, sizeof(cell->group), "%s", group);
	snprintf(cell->name, sizeof(cell->name), "%s", name);
	snprintf(cell->unit, sizeof(cell->unit), "%s", unit);
	for (int i = 0; i < CONFIG_COUNT; i++)
		cell->value[i] = NONE;
	cell->floor_limit = NONE;
	cell->crypt_limit = NONE;
	cell->limit = NONE;
	return cell;
}

enum config cell_best(const struct cell *cell)
{
	enum config best = CONFIG_COUNT;

	for (enum config i = CONFIG_CRYPT512; i <= CONFIG_CRYPT4096NQ; i++) {
		if (cell->value[i] < 0)
			continue;
		if (best == CONFIG_COUNT ||
		    (cell->value[i] > cell->value[best]) == cell->more_is_better)
			best = i;
	}
	return best;
}

double cell_ratio(const struct cell *cell, enum config to)
{
	if (to >= CONFIG_COUNT || cell->value[to] <= 0 || cell->value[CONFIG_CMK] < 0)
		return NONE;
	return cell->value[CONFIG_CMK] / cell->value[to];
}

bool cell_met(const struct cell *cell)
{
	double best = cell_ratio(cell, cell_best(cell));

	if (cell->value[CONFIG_CMK] < 0)
		return false;
	if (cell->limit >= 0 && cell->value[CONFIG_CMK] > cell->limit)
		return false;
	if (cell->floor_limit >= 0) {
		double floor = cell_ratio(cell, CONFIG_FLOOR);

		if (floor < 0 || floor > cell->floor_limit)
			return false;
	}
	if (cell->crypt_limit < 0)
		return true;
	if (best < 0)
		return false;
	return cell->more_is_better ? best >= cell->crypt_limit - cell->noise
				    : best <= cell->crypt_limit + cell->noise;
}

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The results for programs: an object with the kernel and all cells.
 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include "bench.h"

static void put(cJSON *object, const char *name, double value)
{
	if (value >= 0)
		cJSON_AddNumberToObject(object, name, value);
}

static cJSON *cell_json(const struct cell *cell)
{
	cJSON *object = cJSON_CreateObject(), *values = cJSON_AddObjectToObject(object, "values");
	enum config best = cell_best(cell);

	cJSON_AddStringToObject(object, "group", cell->group);
	cJSON_AddStringToObject(object, "name", cell->name);
	cJSON_AddStringToObject(object, "unit", cell->unit);
	for (enum config i = CONFIG_FLOOR; i < CONFIG_COUNT; i++)
		put(values, config_names[i], cell->value[i]);
	put(object, "to_floor", cell_ratio(cell, CONFIG_FLOOR));
	put(object, "to_floor_limit", cell->floor_limit);
	put(object, "to_dm_crypt", cell_ratio(cell, best));
	put(object, "to_dm_crypt_limit", cell->crypt_limit);
	put(object, "limit", cell->limit);
	if (cell->noise > 0)
		put(object, "noise", cell->noise);
	if (best != CONFIG_COUNT)
		cJSON_AddStringToObject(object, "dm_crypt_best", config_names[best]);
	cJSON_AddBoolToObject(object, "met", cell_met(cell));
	return object;
}

int json_write(const struct cells *cells, const char *kernel, const char *path)
{
	cJSON *root = cJSON_CreateObject(), *array;
	char *text;
	FILE *f;
	int r = 0;

	cJSON_AddStringToObject(root, "kernel", kernel);
	array = cJSON_AddArrayToObject(root, "cells");
	for (size_t i = 0; i < cells->n; i++)
		cJSON_AddItemToArray(array, cell_json(&cells->at[i]));
	text = cJSON_Print(root);
	cJSON_Delete(root);
	if (!text)
		return -ENOMEM;
	f = fopen(path, "we");
	if (!f || fprintf(f, "%s\n", text) < 0)
		r = -errno;
	if (f && fclose(f) && !r)
		r = -errno;
	free(text);
	return r;
}

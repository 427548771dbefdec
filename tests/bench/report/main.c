// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The benchmark's report: reads what the guests printed, prints the table, writes the results and
 * the picture, and says by its exit code whether every goal was met.
 */
#include <stdlib.h>
#include <string.h>
#include "bench.h"

static int failed(const char *path, int r)
{
	fprintf(stderr, "bench-report: %s: %s\n", path, strerror(-r));
	return 1;
}

int main(int argc, char **argv)
{
	static struct cells cells;
	struct lines lines = { 0 };
	size_t met = 0, missed = 0;
	int r;

	if (argc < 5) {
		fprintf(stderr,
			"usage: bench-report KERNEL RESULTS.json PLOT.svg OUTPUT-OF-A-GUEST...\n");
		return 2;
	}
	for (int i = 4; i < argc; i++) {
		r = lines_read(&lines, argv[i]);
		if (r)
			return failed(argv[i], r);
	}
	lines_split(&lines);
	figures_make(&cells, &lines);
	clock_make(&cells, &lines);
	table_print(&cells);
	r = json_write(&cells, argv[1], argv[2]);
	if (r)
		return failed(argv[2], r);
	r = plot_write(&cells, argv[1], argv[3]);
	if (r)
		return failed(argv[3], r);
	for (size_t i = 0; i < cells.n; i++) {
		const struct cell *c = &cells.at[i];

		if (c->limit < 0 && c->floor_limit < 0 && c->crypt_limit < 0)
			continue;
		if (cell_met(c))
			met++;
		else
			missed++;
	}
	free(lines.at);
	printf("\ngoals: %zu met, %zu missed\n", met, missed);
	return missed > 0;
}

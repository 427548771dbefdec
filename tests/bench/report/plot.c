// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The picture: for every cell with something to compare, two bars, of dm-cmk against the floor and
 * against dm-crypt's best. A line marks 1.00; left of it dm-cmk takes less. Throughputs are turned
 * over so that this holds for them too.
 */
#include <errno.h>
#include <string.h>
#include "bench.h"

#define WIDTH 900
#define LEFT  300 /* of the axis of ratios */
#define RIGHT 840
#define TOP   70
#define ROW   30
#define BAR   10
#define MOST  1.5 /* ratio at the right end */

#define FLOOR_COLOUR "#9aa3ad"
#define CRYPT_COLOUR "#3a62c4"
#define BAD_COLOUR   "#c8373a"

static double x_of(double ratio)
{
	return LEFT + (RIGHT - LEFT) * (ratio > MOST ? MOST : ratio) / MOST;
}

static void bar(FILE *f, int y, double ratio, bool met, const char *colour)
{
	if (ratio < 0)
		return;
	fprintf(f,
		"<rect x='%d' y='%d' width='%.1f' height='%d' fill='%s'/>\n"
		"<text class='n' x='%.1f' y='%d'>%.3f</text>\n",
		LEFT, y, x_of(ratio) - LEFT, BAR, met ? colour : BAD_COLOUR, x_of(ratio) + 4,
		y + BAR - 1, ratio);
}

static double less_is_better(const struct cell *cell, double ratio)
{
	return cell->more_is_better && ratio > 0 ? 1 / ratio : ratio;
}

static void draw_axis(FILE *f, int bottom)
{
	for (double r = 0; r <= MOST; r += 0.25)
		fprintf(f,
			"<line x1='%.1f' y1='%d' x2='%.1f' y2='%d' stroke='%s'/>\n"
			"<text class='n' x='%.1f' y='%d' text-anchor='middle'>%.2f</text>\n",
			x_of(r), TOP - 8, x_of(r), bottom, r == 1 ? "#000" : "#e3e6ea", x_of(r),
			TOP - 12, r);
}

static bool drawn(const struct cell *c)
{
	return cell_ratio(c, cell_best(c)) >= 0;
}

int plot_write(const struct cells *cells, const char *kernel, const char *path)
{
	FILE *f = fopen(path, "we");
	int y = TOP, rows = 0;

	if (!f)
		return -errno;
	for (size_t i = 0; i < cells->n; i++)
		rows += drawn(&cells->at[i]);
	fprintf(f,
		"<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' "
		"font-family='sans-serif' "
		"font-size='12'>\n<style>.n{font-size:10px;fill:#444}</style>\n"
		"<rect width='100%%' height='100%%' fill='#fff'/>\n"
		"<text x='20' y='26' font-size='16'>dm-cmk on Linux %s: what it takes, as a ratio "
		"(less is better)</text>\n"
		"<text x='20' y='44' fill='%s'>to the floor: dm-linear and the cipher</text>"
		"<text x='260' y='44' fill='%s'>to dm-crypt's best configuration</text>"
		"<text x='490' y='44' fill='%s'>goal missed</text>\n",
		WIDTH, TOP + rows * ROW + 20, kernel, FLOOR_COLOUR, CRYPT_COLOUR, BAD_COLOUR);
	draw_axis(f, TOP + rows * ROW);
	for (size_t i = 0; i < cells->n; i++) {
		const struct cell *c = &cells->at[i];
		const char *latency = strstr(c->group, "latency ");

		if (!drawn(c))
			continue;
		fprintf(f, "<text x='%d' y='%d' text-anchor='end'>%s%s%s</text>\n", LEFT - 8,
			y + 14, c->name, latency ? ", " : "",
			latency ? latency + strlen("latency ") : "");
		bar(f, y, less_is_better(c, cell_ratio(c, CONFIG_FLOOR)), cell_met(c),
		    FLOOR_COLOUR);
		bar(f, y + BAR + 2, less_is_better(c, cell_ratio(c, cell_best(c))), cell_met(c),
		    CRYPT_COLOUR);
		y += ROW;
	}
	fprintf(f, "</svg>\n");
	return fclose(f) ? -errno : 0;
}

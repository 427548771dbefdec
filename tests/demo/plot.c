// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * Draws the demo's timeline as SVG: over one axis of time the states as the kernel and the agent
 * tell them, the lease that is left, the client's connections, and its commits; the story's steps
 * as numbered lines with a key below.
 */
#include <errno.h>
#include <math.h>
#include <string.h>
#include "timeline.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define WIDTH 1240
#define LEFT  150 /* of the axis of time */
#define RIGHT 1210
#define TOP   84
#define BAND  26 /* height of one row of states */
#define PANEL 120
#define GAP   34
#define LINE  19 /* of the key of steps */

static const struct {
	const char *state, *colour;
} colours[] = {
	{ "Available", "#2e9e5b" }, { "available", "#2e9e5b" },	   { "AtRisk", "#e8b021" },
	{ "Locking", "#e8762b" },   { "Inaccessible", "#c8373a" }, { "inaccessible", "#c8373a" },
	{ "Closed", "#9aa3ad" },    { "closed", "#9aa3ad" },	   { "NoAgent", "#dfe3e8" },
};

/* One curve of a panel: which events give it, and the value. */
struct curve {
	const char *title, *unit, *colour;
	enum kind kind;
	double (*value)(const struct event *e); /* negative: no value, a gap */
	bool steps;
};

static double lease_value(const struct event *e)
{
	return e->lease_ms < 0 ? -1 : (double)e->lease_ms / 1000;
}

static double connections_value(const struct event *e)
{
	return e->connections;
}

static double commits_value(const struct event *e)
{
	return (double)e->commits;
}

static const struct curve curves[] = {
	{ "lease left", "s", "#3a62c4", KIND_KERNEL, lease_value, false },
	{ "connections", "", "#7a4fb5", KIND_CLIENT, connections_value, true },
	{ "rows committed", "", "#15808a", KIND_CLIENT, commits_value, false },
};

static double x_of(const struct events *ev, int64_t t_ms)
{
	double span = (double)(ev->end_ms - ev->begin_ms);

	return LEFT + (RIGHT - LEFT) * (span > 0 ? (double)(t_ms - ev->begin_ms) / span : 0);
}

/* A round step that gives at most @n ticks up to @max. */
static double tick_step(double max, int n)
{
	double base = pow(10, floor(log10(max / n)));

	for (int m = 1; m <= 10; m = m == 2 ? 5 : m * 2)
		if (max / (base * m) <= n)
			return base * m;
	return base * 10;
}

static void put_text(FILE *f, const char *s)
{
	for (; *s; s++) {
		if (*s == '<' || *s == '>' || *s == '&')
			fprintf(f, "&#%d;", *s);
		else
			fputc(*s, f);
	}
}

static const char *colour_of(const char *state)
{
	for (size_t i = 0; i < ARRAY_SIZE(colours); i++)
		if (!strcmp(colours[i].state, state))
			return colours[i].colour;
	return "#555";
}

static void draw_band(FILE *f, const struct events *ev, enum kind kind, const char *title, int y)
{
	const struct event *since = NULL;

	fprintf(f, "<text x='%d' y='%d' text-anchor='end'>%s</text>\n", LEFT - 10, y + BAND - 9,
		title);
	for (size_t i = 0; i <= ev->n; i++) {
		const struct event *e = i < ev->n ? &ev->at[i] : NULL;

		if (e && (e->kind != kind || (since && !strcmp(since->text, e->text))))
			continue;
		if (since) {
			double x = x_of(ev, since->t_ms), to = e ? x_of(ev, e->t_ms) : RIGHT;

			fprintf(f,
				"<rect x='%.1f' y='%d' width='%.1f' height='%d' "
				"fill='%s'><title>%s %s, from %.2f s"
				"</title></rect>\n",
				x, y, to - x, BAND - 4, colour_of(since->text), since->text,
				since->reason, events_s(ev, since->t_ms));
		}
		since = e;
	}
}

static double curve_max(const struct events *ev, const struct curve *c)
{
	double max = 0;

	for (size_t i = 0; i < ev->n; i++)
		if (ev->at[i].kind == c->kind)
			max = fmax(max, c->value(&ev->at[i]));
	return max > 0 ? max : 1;
}

static void draw_line(FILE *f, const struct events *ev, const struct curve *c, int y, double max)
{
	double before = -1;
	bool open = false;

	for (size_t i = 0; i < ev->n; i++) {
		const struct event *e = &ev->at[i];
		double x = x_of(ev, e->t_ms), v, yv;

		if (e->kind != c->kind)
			continue;
		v = c->value(e);
		if (v < 0) {
			fprintf(f, "%s", open ? "'/>\n" : "");
			open = false;
			continue;
		}
		yv = y + PANEL - PANEL * v / max;
		if (!open)
			fprintf(f, "<path fill='none' stroke='%s' stroke-width='1.8' d='M%.1f %.1f",
				c->colour, x, yv);
		else if (c->steps)
			fprintf(f, "L%.1f %.1fL%.1f %.1f", x, y + PANEL - PANEL * before / max, x,
				yv);
		else
			fprintf(f, "L%.1f %.1f", x, yv);
		open = true;
		before = v;
	}
	fprintf(f, "%s", open ? "'/>\n" : "");
}

static void draw_panel(FILE *f, const struct events *ev, const struct curve *c, int y)
{
	double max = curve_max(ev, c), step = tick_step(max, 4);

	max = step * ceil(max / step);
	for (double v = 0; v <= max * 1.001; v += step) {
		double yv = y + PANEL - PANEL * v / max;

		fprintf(f, "<path stroke='#e3e6ea' d='M%d %.1fH%d'/>", LEFT, yv, RIGHT);
		fprintf(f, "<text x='%d' y='%.1f' text-anchor='end' class='small'>%g%s%s</text>\n",
			LEFT - 10, yv + 4, v, *c->unit ? " " : "", c->unit);
	}
	fprintf(f,
		"<text x='14' y='%d' fill='%s' font-weight='bold' transform='rotate(-90 24 %d)' "
		"text-anchor='middle'>%s</text>\n",
		y + PANEL / 2, c->colour, y + PANEL / 2, c->title);
	draw_line(f, ev, c, y, max);
}

static void draw_time(FILE *f, const struct events *ev, int top, int bottom)
{
	double span = events_s(ev, ev->end_ms), step = tick_step(span > 0 ? span : 1, 14);

	for (double t = 0; t <= span; t += step) {
		double x = x_of(ev, ev->begin_ms + (int64_t)(t * 1000));

		fprintf(f, "<path stroke='#f0f2f4' d='M%.1f %dV%d'/>", x, top, bottom);
		fprintf(f, "<text x='%.1f' y='%d' text-anchor='middle' class='small'>%g s</text>\n",
			x, bottom + 16, t);
	}
}

/* The steps: a numbered line each, and the numbers' texts below. Numbers too close to the last one
 * go a row higher. */
static void draw_steps(FILE *f, const struct events *ev, int top, int bottom)
{
	double last = -100;
	int number = 0, row = 0;

	for (size_t i = 0; i < ev->n; i++) {
		const struct event *e = &ev->at[i];
		double x = x_of(ev, e->t_ms);

		if (e->kind != KIND_STEP)
			continue;
		number++;
		row = x - last < 16 ? (row + 1) % 3 : 0;
		last = x;
		fprintf(f,
			"<path stroke='#30363d' stroke-width='0.8' stroke-dasharray='3 3' d='M%.1f "
			"%dV%d'/>",
			x, top - 2 - row * 15, bottom);
		fprintf(f,
			"<circle cx='%.1f' cy='%d' r='7.5' fill='#30363d'/><text x='%.1f' y='%d' "
			"class='number'>%d</text>",
			x, top - 9 - row * 15, x, top - 5 - row * 15, number);
		fprintf(f,
			"<text x='%d' y='%d' text-anchor='end'>%d</text><text x='%d' y='%d'>%.1f "
			"s</text>"
			"<text x='%d' y='%d'>",
			LEFT - 10, bottom + 34 + number * LINE, number, LEFT,
			bottom + 34 + number * LINE, events_s(ev, e->t_ms), LEFT + 70,
			bottom + 34 + number * LINE);
		put_text(f, e->text);
		fprintf(f, "</text>\n");
	}
}

static void draw_legend(FILE *f)
{
	static const char *const shown[] = { "Available",    "AtRisk", "Locking",
					     "Inaccessible", "Closed", "NoAgent" };
	int x = LEFT + 330;

	for (size_t i = 0; i < ARRAY_SIZE(shown); i++, x += 124)
		fprintf(f,
			"<rect x='%d' y='14' width='14' height='14' fill='%s'/><text x='%d' "
			"y='26'>%s</text>\n",
			x, colour_of(shown[i]), x + 20,
			strcmp(shown[i], "NoAgent") ? shown[i] : "no agent");
}

int plot_write(const struct events *ev, const char *file)
{
	int bottom = TOP + 2 * BAND + GAP + (int)ARRAY_SIZE(curves) * (PANEL + GAP) - GAP / 2,
	    steps = 0, y;
	FILE *f = fopen(file, "w");

	if (!f)
		return -errno;
	for (size_t i = 0; i < ev->n; i++)
		steps += ev->at[i].kind == KIND_STEP;
	fprintf(f,
		"<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' "
		"font-family='sans-serif' "
		"font-size='13'>\n<style>.small{font-size:11px;fill:#555}.number{font-size:10px;"
		"fill:#fff;"
		"text-anchor:middle}</style>\n<rect width='100%%' height='100%%' fill='#fff'/>\n",
		WIDTH, bottom + 60 + steps * LINE);
	fprintf(f,
		"<text x='%d' y='27' font-size='17' font-weight='bold'>dm-cmk: the kill switch, as "
		"measured</text>\n",
		14);
	draw_legend(f);
	draw_time(f, ev, TOP, bottom);
	draw_band(f, ev, KIND_KERNEL, "kernel", TOP);
	draw_band(f, ev, KIND_AGENT, "agent", TOP + BAND);
	y = TOP + 2 * BAND + GAP / 2;
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++, y += PANEL + GAP)
		draw_panel(f, ev, &curves[i], y);
	draw_steps(f, ev, TOP, bottom);
	fprintf(f, "</svg>\n");
	return fclose(f) ? -errno : 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* demo-report SVG EVENTS...: prints the timeline and the promises, draws the picture; exit code 1
 * if one was broken. */
#include <string.h>
#include "timeline.h"

int main(int argc, char **argv)
{
	struct events ev;
	int r, verdict;

	if (argc < 3) {
		fprintf(stderr, "usage: demo-report SVG EVENTS...\n");
		return 2;
	}
	r = events_load(&ev, argv + 2, argc - 2);
	if (r)
		return 2;
	verdict = report_print(&ev, stdout);
	r = plot_write(&ev, argv[1]);
	if (r)
		fprintf(stderr, "demo-report: %s: %s\n", argv[1], strerror(-r));
	events_free(&ev);
	return r ? 2 : verdict;
}

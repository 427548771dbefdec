// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Prints the demo's timeline: what the story did, what kernel, agent and client then showed, and
 * the promises. */
#include <string.h>
#include "timeline.h"

static void print_line(const struct events *ev, const struct event *e, FILE *out, const char *who,
		       const char *text)
{
	fprintf(out, "  %7.2f s  %-8s%s\n", events_s(ev, e->t_ms), who, text);
}

/* A change of state is worth a line; a sample like the one before is not. */
static void print_state(const struct events *ev, const struct event *e, const struct event *last,
			FILE *out, const char *who)
{
	char text[256];

	if (last && !strcmp(last->text, e->text) && !strcmp(last->reason, e->reason))
		return;
	snprintf(text, sizeof(text), "%s%s%s%s", e->text, *e->reason ? " (" : "", e->reason,
		 *e->reason ? ")" : "");
	print_line(ev, e, out, who, text);
}

static void print_client(const struct events *ev, const struct event *e, const struct event *last,
			 FILE *out)
{
	char text[128];

	if (last && last->connections == e->connections)
		return;
	snprintf(text, sizeof(text), "%d connections, %lld rows acknowledged so far",
		 e->connections, (long long)e->commits);
	print_line(ev, e, out, "client", text);
}

static void print_timeline(const struct events *ev, FILE *out)
{
	const struct event *last[KINDS] = { NULL };

	for (size_t i = 0; i < ev->n; i++) {
		const struct event *e = &ev->at[i];

		switch (e->kind) {
		case KIND_STEP:
			print_line(ev, e, out, ">>", e->text);
			break;
		case KIND_KERNEL:
			print_state(ev, e, last[e->kind], out, "kernel");
			break;
		case KIND_AGENT:
			print_state(ev, e, last[e->kind], out, "agent");
			break;
		case KIND_CLIENT:
			print_client(ev, e, last[e->kind], out);
			break;
		default:
			break;
		}
		last[e->kind] = e;
	}
}

int report_print(const struct events *ev, FILE *out)
{
	size_t kept = 0, broken = 0;
	bool ended = false;

	fprintf(out, "\nTimeline\n");
	print_timeline(ev, out);
	fprintf(out, "\nPromises\n");
	for (size_t i = 0; i < ev->n; i++) {
		const struct event *e = &ev->at[i];

		ended = ended || e->kind == KIND_END;
		if (e->kind != KIND_PROMISE)
			continue;
		fprintf(out, "  %-7s %-66s promised: %-24s measured: %s\n",
			e->kept ? "kept" : "BROKEN", e->text, e->expected, e->measured);
		*(e->kept ? &kept : &broken) += 1;
	}
	if (!ended)
		fprintf(out, "\nThe story ended before its end.\n");
	fprintf(out, "\n%zu promises kept, %zu broken\n", kept, broken);
	return broken || !kept || !ended;
}

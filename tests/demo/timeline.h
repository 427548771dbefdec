/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The demo's events, and what is made of them: the printed timeline with the promises, and the
 *picture.
 *
 * Events come as JSON lines, in any order. `t` is CLOCK_BOOTTIME of the guest in milliseconds.
 *	{"t":T,"kind":"step","text":...}	what the story does
 *	{"t":T,"kind":"promise","text":...,"expected":...,"measured":...,"kept":true|false}
 *	{"t":T,"kind":"kernel","state":...,"reason":...,"lease_ms":N|null,"generation":N}	the
 *target's status line
 *	{"t":T,"kind":"agent","state":...,"reason":...}		the agent's word, when it changes;
 *"NoAgent" without one
 *	{"t":T,"kind":"client","connections":N,"commits":N,"refused":N}		the client's
 *counters
 *	{"t":T,"kind":"end"}			the story was told to its end
 */
#ifndef TIMELINE_H
#define TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum kind { KIND_STEP, KIND_PROMISE, KIND_KERNEL, KIND_AGENT, KIND_CLIENT, KIND_END, KINDS };

struct event {
	int64_t t_ms;
	enum kind kind;
	size_t order;		   /* in the files, to keep the order of equal times */
	char *text;		   /* of step and promise; the state of kernel and agent */
	char *reason;		   /* kernel, agent */
	char *expected, *measured; /* promise */
	bool kept;		   /* promise */
	int64_t lease_ms;	   /* kernel; -1: none */
	int connections;	   /* client */
	int64_t commits;	   /* client */
};

struct events {
	struct event *at;
	size_t n;
	int64_t begin_ms, end_ms;
};

/**
 * events_load() - read event files and order them by time.
 * @files: their names. Lines that are no event are an error.
 *
 * Return: 0 or -errno, with a message on standard error.
 */
int events_load(struct events *ev, char **files, int n);
void events_free(struct events *ev);

/**
 * report_print() - print the timeline and the promises.
 *
 * Return: 0 if the story came to its end and every promise was kept, else 1.
 */
int report_print(const struct events *ev, FILE *out);

/**
 * plot_write() - draw state, lease, connections and commits over time as SVG.
 *
 * Return: 0 or -errno.
 */
int plot_write(const struct events *ev, const char *file);

/* Seconds since the first event. */
static inline double events_s(const struct events *ev, int64_t t_ms)
{
	return (double)(t_ms - ev->begin_ms) / 1000;
}

#endif

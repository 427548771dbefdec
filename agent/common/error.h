/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * How a failure travels to the one layer that prints it. A function that can fail for a reason that
 * a person must read takes a struct cmk_error, fills it once, and returns -errno.
 */
#ifndef CMK_ERROR_H
#define CMK_ERROR_H

#include "base.h"

/* Exit codes of cmkctl; 0 to 5 are cryptsetup's. */
enum cmk_exit {
	CMK_EXIT_DONE = 0,
	CMK_EXIT_USAGE = 1,
	CMK_EXIT_PERMISSION = 2,
	CMK_EXIT_MEMORY = 3,
	CMK_EXIT_DEVICE = 4,
	CMK_EXIT_BUSY = 5,
	CMK_EXIT_REVOKED = 10,
	CMK_EXIT_UNREACHABLE = 11,
	CMK_EXIT_DENIED = 12,
	CMK_EXIT_HEADER = 13,	/* damaged or tampered with */
	CMK_EXIT_ROTATION = 14, /* unfinished */
	CMK_EXIT_MODULE = 15,	/* dm-cmk.ko is missing */
	CMK_EXIT_KEK = 16,	/* the KEK does not meet the requirements */
};

struct cmk_error {
	enum cmk_exit exit;
	char text[768];	  /* what failed, on what, why */
	char remedy[512]; /* what to do; may be empty */
};

/**
 * cmk_error_set() - record a failure, if none is recorded yet (the first one is the cause).
 * @err: where to; may be NULL.
 * @exit: the exit code that cmkctl ends with.
 * @r: the negative errno that is returned, so that a caller can write `return cmk_error_set(...)`.
 * @remedy: what a person can do about it, or NULL.
 * @fmt: what failed, on what, and why. Never a secret.
 *
 * Return: @r.
 */
int cmk_error_set(struct cmk_error *err, enum cmk_exit exit, int r, const char *remedy,
		  const char *fmt, ...) _printf_(5, 6);

/**
 * cmk_error_print() - print "PROGRAM: TEXT" and, on a second line, the remedy, to standard error.
 * @program: the name that the line starts with.
 * @err: a recorded failure.
 */
void cmk_error_print(const char *program, const struct cmk_error *err);

#endif

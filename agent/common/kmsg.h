/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The kernel's own words. A device-mapper ioctl that fails returns a number; why is said in the
 * kernel's log only.
 */
#ifndef CMK_KMSG_H
#define CMK_KMSG_H

#include "base.h"

/* Where the log ends now. Return: a descriptor, or -1 (then there will be no words). */
int cmk_kmsg_mark(void);

/**
 * cmk_kmsg_find() - the last record since the mark that has @word in it.
 * @fd: from cmk_kmsg_mark().
 * @word: for example ": cmk: ".
 * @text: filled with what follows @word, or made empty. Return: @text.
 */
char *cmk_kmsg_find(int fd, const char *word, char *text, size_t len);

#endif

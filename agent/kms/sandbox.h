/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* What cmk-kms gives up before its first byte from the network. */
#ifndef CMK_KMS_SANDBOX_H
#define CMK_KMS_SANDBOX_H

#include "common/base.h"

/**
 * sandbox_enter() - no capabilities, no new privileges, limits on memory and descriptors, a filter
 * of system calls.
 *
 * For the process and all threads it makes later; before there are any. @what: on failure, the step
 * that failed. Return: 0 or -errno.
 */
int sandbox_enter(const char **what) _must_check_;

#endif

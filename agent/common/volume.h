/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What can be done to one volume with its KEK, for cmkctl and for the agent's jobs alike: blocking,
 * one step after the other, nothing half-made left behind.
 */
#ifndef CMK_VOLUME_H
#define CMK_VOLUME_H

#include "config.h"
#include "dm.h"
#include "luks.h"
#include "verdict.h"
#include "worker.h"

/* The token that the volume is opened with, or NULL with @err. */
const struct cmk_token *cmk_volume_token(const struct cmk_header *h, struct cmk_error *err);

/**
 * cmk_volume_unwrap() - get the DEK: check the pins, judge the KEK's attributes, unwrap, check
 * digest and MAC.
 * @j: the verdict on the KEK; CMK_VALID on success. @proved_ms: boottime before the request that
 * proved it.
 * @dek: the caller's to wipe.
 *
 * Return: 0 or -errno; @err carries the exit code (10, 11, 12 by the verdict; 13 for a bad header).
 */
int cmk_volume_unwrap(const struct cmk_config *cfg, struct cmk_worker *w,
		      const struct cmk_header *h, struct cmk_judgement *j, int64_t *proved_ms,
		      struct secret *dek, struct cmk_error *err) _must_check_;

/**
 * cmk_volume_activate() - unwrap, then create the mapping @name, or load the key into it if it
 * exists.
 *
 * The kernel's lease is set to what is left of @opts' lease_ms (or, where 0, of the
 * configuration's) counted from the proof. Return: 0 or -errno with @err; -EALREADY if the volume
 * is Available under this name.
 */
int cmk_volume_activate(const struct cmk_config *cfg, struct cmk_worker *w, const char *name,
			const char *device, const struct cmk_volume_config *opts,
			struct cmk_judgement *j, struct cmk_error *err) _must_check_;

#endif

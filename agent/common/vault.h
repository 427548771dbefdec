/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* One question to the vault, asked through cmk-kms and waited for: for cmkctl and for the agent's
 * jobs. */
#ifndef CMK_VAULT_H
#define CMK_VAULT_H

#include "config.h"
#include "token.h"
#include "verdict.h"
#include "worker.h"

/**
 * cmk_vault_get() - GET a key, and judge the answer, but not what it says about the key.
 * @id: versioned, or not: then the current version. Must be pinned by the configuration.
 * @an: the answer; it has no output to wipe.
 * @j: the verdict on the exchange.
 *
 * Return: 0 or -errno; @err carries the exit code and the remedy of the verdict.
 */
int cmk_vault_get(const struct cmk_config *cfg, struct cmk_worker *w, const struct cmk_keyid *id,
		  const struct cmk_identity *identity, struct cmk_kms_answer *an,
		  struct cmk_judgement *j, struct cmk_error *err) _must_check_;

/**
 * cmk_vault_judge_key() - judge the attributes that cmk_vault_get() brought.
 *
 * By the service's clock where the answer told it: ours may be wrong. Return: as cmk_vault_get().
 */
int cmk_vault_judge_key(const struct cmk_kms_answer *an, struct cmk_judgement *j,
			struct cmk_error *err) _must_check_;

/* The time by the service's clock, or else by ours, in Unix seconds. */
int64_t cmk_vault_time(const struct cmk_kms_answer *an);

/**
 * cmk_vault_unwrap() - have the vault unwrap a token's copy of the DEK.
 * @sent_ms: boottime before the request was sent: the time of the proof.
 * @dek: an empty secret; the caller's to wipe. Not yet held against the volume.
 *
 * Return: as cmk_vault_get().
 */
int cmk_vault_unwrap(const struct cmk_config *cfg, struct cmk_worker *w, const struct cmk_token *t,
		     int64_t *sent_ms, struct secret *dek, struct cmk_judgement *j,
		     struct cmk_error *err) _must_check_;

/* The host's region by IMDS, or an empty text. */
void cmk_vault_host_region(const struct cmk_config *cfg, struct cmk_worker *w, char *region,
			   size_t len);

#endif

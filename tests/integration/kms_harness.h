/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* What tests of the real cmk-kms share: one worker, one KEK, and the test vault's control. */
#ifndef CMK_KMS_HARNESS_H
#define CMK_KMS_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/worker.h"

#define TOTAL_MS 2000
#define CALL_MS	 (CMK_OP_TIMEOUTS * TOTAL_MS + 1000)
#define KEK	 "https://contoso.vault.azure.net/keys/kek"

extern struct cmk_config config;
extern struct cmk_worker *worker;

/* Run vaultctl with @args. */
void set_vault(const char *args);

/* How many requests the test vault has seen, by vaultctl's options @what. */
int count(const char *what);

/* A request about the key at @url, by the system-assigned identity. */
struct cmk_kms_request request(enum cmk_op op, const char *url);

/* Send it and judge the answer. */
void ask(struct cmk_kms_request *rq, struct cmk_kms_answer *an, struct cmk_judgement *j);

/* A key's GET. */
struct cmk_kms_answer get_key(const char *url, struct cmk_judgement *j);

/* The unwrap of a new random value; whether it came back. */
bool prove(const char *url, bool fresh, struct cmk_judgement *j);

/* A new worker instead of the one there is. */
void spawn(void);

/* Of the group: keys in the vault, a worker. */
int setup(void **state);
int teardown(void **state);

/* Tests in kms_causes.c. */
void test_causes(void **state);
void test_retry_after(void **state);
void test_identities(void **state);
void test_claims(void **state);
void test_attributes(void **state);

#endif

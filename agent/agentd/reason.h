/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Reasons that come from the host, beside those that come from a vault (common/verdict.h). Pure. */
#ifndef CMK_AGENT_REASON_H
#define CMK_AGENT_REASON_H

#include "common/verdict.h"

#define REASON_OPERATOR_LOCK	 "OperatorLock"
#define REASON_LEASE_EXPIRED	 "LeaseExpired"
#define REASON_HEADER_UNREADABLE "HeaderUnreadable"

/* The name for the kernel's word; a word that only the agent knows is its own name. */
const char *reason_from_kernel(const char *word);

/* Does a volume locked for this reason stay locked until a person unlocks it? So does what was done
 * by hand. */
bool reason_is_sticky(const char *name);

/* One sentence each: what it means, and what a person can do. Never NULL. */
const char *reason_text(const char *name);
const char *reason_remedy(const char *name);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* What the files of the state machine share: policy.c, policy_kernel.c, policy_probe.c. Pure. */
#ifndef CMK_POLICY_INTERNAL_H
#define CMK_POLICY_INTERNAL_H

#include "policy.h"
#include "reason.h"
#include "times.h"

/* The loop revokes this long before the lease's end, so that the kernel keeps the true reason. */
#define REVOKE_MARGIN_MS 250

/* policy.c */
void policy_copy(char *to, size_t room, const char *from);
/* Set the reason. Return: CMK_DO_REPORT if people see a difference. */
unsigned int policy_because(struct cmk_policy *p, const char *reason, const char *detail);
/* Change the state, if the table allows it. Return: CMK_DO_REPORT if it changed. */
unsigned int policy_move(struct cmk_policy *p, enum cmk_state to, int64_t now_ms);
bool policy_is_open(const struct cmk_policy *p);
/* Down with it: in order, or with the kernel's revoke first. Return: the actions. */
unsigned int policy_lock(struct cmk_policy *p, const char *reason, const char *detail,
			 bool immediate, int64_t now_ms);

/* policy_kernel.c, policy_probe.c: handlers, as in the table of policy.c */
unsigned int policy_on_kernel(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms);
unsigned int policy_on_probe(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms);
/* policy_probe.c: a lock begins; does it follow an unlock too closely? */
void policy_count_lock(struct cmk_policy *p, int64_t now_ms);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The state machine of one volume: takes events and the time, gives actions. Pure: no I/O, no clock. The allowed
 * transitions stand in one array in policy.c.
 */
#ifndef CMK_POLICY_H
#define CMK_POLICY_H

#include "../common/verdict.h"

enum cmk_state {
	CMK_STATE_CLOSED,
	CMK_STATE_AVAILABLE_,
	CMK_STATE_AT_RISK,     /* valid key in the kernel, lease not renewed by the last probe */
	CMK_STATE_LOCKING,
	CMK_STATE_INACCESSIBLE_,
	CMK_STATE_UNLOCKING,   /* shown to people as Inaccessible, with "unlocking" */
	CMK_STATES,
};

enum cmk_event_type {
	CMK_EVENT_KERNEL,      /* what the kernel's status line said */
	CMK_EVENT_PROBE,       /* a confirmed or single judgement, see confirmed */
	CMK_EVENT_LOCKED,      /* the lock job ended (ok or not: the kernel has revoked) */
	CMK_EVENT_UNLOCKED,    /* the unlock job ended; ok */
	CMK_EVENT_OPERATOR_LOCK,
	CMK_EVENT_OPERATOR_UNLOCK,
	CMK_EVENT_TIMER,
	CMK_EVENT_GONE,        /* the mapping was removed */
};

struct cmk_event {
	enum cmk_event_type type;
	bool available;		/* KERNEL */
	const char *kernel_reason;
	int64_t lease_left_ms;	/* KERNEL; -1: none */
	const struct cmk_judgement *judgement; /* PROBE */
	bool confirmed;		/* PROBE: a second probe said the same */
	int64_t proved_ms;	/* PROBE valid: boottime before the request was sent */
	bool ok;		/* LOCKED, UNLOCKED */
};

/* What to do now; several may be set. */
enum cmk_action {
	CMK_DO_RENEW = 1 << 0,	   /* kernel lease: renew_ms */
	CMK_DO_LOCK = 1 << 1,	   /* start the lock job */
	CMK_DO_REVOKE = 1 << 2,	   /* kernel revoke at once, from the loop: budget or lease is at its end */
	CMK_DO_UNLOCK = 1 << 3,	   /* start the unlock job */
	CMK_DO_PROBE = 1 << 4,	   /* probe now (unlock wants a fresh verdict) */
	CMK_DO_REPORT = 1 << 5,	   /* the state or the reason changed: log, status */
};

struct cmk_policy_params {
	int64_t lease_ms;
	int64_t lock_budget_ms;
	bool immediate;
	int64_t retry_unlock_ms; /* wait after a failed unlock */
};

struct cmk_policy {
	struct cmk_policy_params params;
	enum cmk_state state;
	enum cmk_reason reason;
	bool operator_locked;
	char detail[512];
	int64_t since_ms;	/* boottime of the last change of state */
	int64_t lease_end_ms;	/* boottime; INT64_MAX without a lease */
	int64_t timer_ms;	/* when CMK_EVENT_TIMER is wanted next; INT64_MAX: never */
	int64_t renew_ms;	/* with CMK_DO_RENEW */
};

void cmk_policy_init(struct cmk_policy *p, const struct cmk_policy_params *params, int64_t now_ms);

/* Return: a set of enum cmk_action. */
unsigned int cmk_policy_event(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms);

const char *cmk_state_name(enum cmk_state s); /* "Available", "AtRisk", "Locking", "Inaccessible", "Closed" */

#endif

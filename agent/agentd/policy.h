/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The state machine of one volume: takes events and the time, gives actions. Pure: no I/O, no
 * clock. The allowed transitions stand in one array in policy.c.
 */
#ifndef CMK_POLICY_H
#define CMK_POLICY_H

#include "common/verdict.h"

enum cmk_state {
	CMK_VOLUME_CLOSED,
	CMK_VOLUME_AVAILABLE,
	CMK_VOLUME_AT_RISK,	 /* key in the kernel, lease not renewed by the last probe */
	CMK_VOLUME_LOCKING,	 /* orderly lock under way, key still in the kernel */
	CMK_VOLUME_INACCESSIBLE, /* no key in the kernel; a job may still be cleaning up */
	CMK_VOLUME_UNLOCKING, /* the unlock job has not loaded the key yet; shown as Inaccessible */
	CMK_VOLUME_STATES,
};

/* The job that works on the volume; there is at most one. */
enum cmk_policy_job {
	CMK_JOB_NONE,
	CMK_JOB_LOCK,	/* takes the services and the mount down, revokes */
	CMK_JOB_UNLOCK, /* loads the key and brings mount and services up, or the latter alone */
};

enum cmk_event_type {
	CMK_EVENT_KERNEL,   /* what the kernel's status line says */
	CMK_EVENT_PROBE,    /* a verdict on the KEK, or that there can be none (header, pin) */
	CMK_EVENT_LOCKED,   /* the lock job ended, well or not */
	CMK_EVENT_UNLOCKED, /* the unlock job ended */
	CMK_EVENT_OPERATOR_LOCK,
	CMK_EVENT_OPERATOR_UNLOCK,
	CMK_EVENT_START, /* mount and start the services, if the volume is open */
	CMK_EVENT_TIMER,
	CMK_EVENT_GONE, /* the mapping was removed, or is no longer watched */
	CMK_EVENTS,
};

struct cmk_event {
	enum cmk_event_type type;
	bool available;		  /* KERNEL; UNLOCKED: the key is in the kernel */
	const char *reason;	  /* KERNEL: the kernel's word; PROBE: the reason's name */
	int64_t lease_left_ms;	  /* KERNEL; -1: none */
	enum cmk_verdict verdict; /* PROBE */
	const char *detail;	  /* PROBE: for people; may be NULL */
	bool confirmed;		  /* PROBE: a second probe has said the same */
	int64_t proved_ms;	  /* PROBE valid: boottime before the request was sent */
	bool ok;		  /* UNLOCKED */
	const char *error;	  /* LOCKED, UNLOCKED: what did not work, NULL if all did */
	bool immediate; /* OPERATOR_LOCK: the kernel's revoke first, whatever is configured */
	bool sticky;	/* KERNEL: a lock by hand is on record besides the kernel's word */
};

/* What to do now; several may be set, and are carried out in this order. */
enum cmk_action {
	CMK_DO_RENEW = 1 << 0,	/* kernel lease: renew_ms */
	CMK_DO_REVOKE = 1 << 1, /* kernel revoke from the loop, with lock_reason */
	CMK_DO_LOCK = 1 << 2,	/* end an unlock job if one runs, start the lock job */
	CMK_DO_UNLOCK = 1 << 3, /* start the unlock job */
	CMK_DO_START = 1 << 4,	/* start the unlock job's second half: mount and services */
	CMK_DO_PROBE = 1 << 5,	/* a fresh verdict is wanted now */
	CMK_DO_REPORT = 1 << 6, /* the state or the reason changed: log, status */
};

struct cmk_policy_params {
	int64_t lease_ms;
	int64_t lock_budget_ms; /* already limited by cmk_policy_budget() */
	int64_t confirm_ms; /* between the valid verdicts that a flapping volume must have before it
			       opens */
	int64_t retry_ms;   /* first wait after a failure; doubles to retry_max_ms */
	int64_t retry_max_ms;
	bool immediate;
};

#define CMK_REASON_BYTES 40
#define CMK_DETAIL_BYTES 512
#define CMK_ERROR_BYTES	 768

struct cmk_policy {
	struct cmk_policy_params params;
	enum cmk_state state;
	enum cmk_policy_job job;
	char reason[CMK_REASON_BYTES];	    /* "OK" or why */
	char detail[CMK_DETAIL_BYTES];	    /* the service's own words */
	char error[CMK_ERROR_BYTES];	    /* the last step of a job that failed; empty if none */
	char lock_reason[CMK_REASON_BYTES]; /* the word for the kernel's revoke */
	bool operator_locked;		    /* locked by hand: stays so until unlocked by hand */
	int64_t since_ms;		    /* boottime of the last change of state */
	int64_t lease_end_ms;		    /* boottime; INT64_MAX without a lease */
	int64_t timer_ms; /* when CMK_EVENT_TIMER is wanted next; INT64_MAX: never */
	int64_t renew_ms; /* with CMK_DO_RENEW */
	/* internal */
	char last_reason[CMK_REASON_BYTES]; /* of the last verdict */
	bool probed;			    /* a verdict has come since the volume was adopted */
	bool missed_valid;		    /* a valid verdict came while a lock job ran */
	int64_t revoke_at_ms;		    /* Locking: when the loop revokes */
	int64_t retry_at_ms;		    /* Inaccessible: no unlock before */
	int64_t start_at_ms;		    /* Available: when to try mount and services again */
	int64_t backoff_ms;
	int64_t unlocked_ms; /* boottime of the last unlock, 0: none */
	unsigned int flaps;  /* flapping level */
	unsigned int valids; /* valid verdicts in a row while Inaccessible */
};

/**
 * cmk_policy_budget() - how long before the lease's end an orderly lock begins, in milliseconds.
 * @budget_ms: as configured. @lease_ms: the volume's. @interval_ms: the probe interval.
 *
 * A budget that would make an ordinary wait for the next probe look like an outage is cut: one and
 * a half probe intervals stay free, and never less than three quarters of a lease that is too short
 * for that.
 */
int64_t cmk_policy_budget(int64_t budget_ms, int64_t lease_ms, int64_t interval_ms);

/**
 * cmk_policy_init() - a volume that is not there yet: Closed.
 * @params: copied; may be replaced in the policy later (a new configuration).
 * @now_ms: boottime.
 */
void cmk_policy_init(struct cmk_policy *p, const struct cmk_policy_params *params, int64_t now_ms);

/**
 * cmk_policy_event() - take one event, change the state, and say what to do.
 * @ev: what happened; its strings are copied.
 * @now_ms: boottime.
 *
 * Return: a set of enum cmk_action.
 */
unsigned int cmk_policy_event(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms);

/* "Available", "AtRisk", "Locking", "Inaccessible", "Closed": what people see. */
const char *cmk_state_name(enum cmk_state s);

#endif

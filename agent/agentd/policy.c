// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The state machine of one volume. Every change of state goes through move(), which asks the table of allowed
 * transitions; every handler ends in rearm(), the one place that knows when time itself is an event.
 */
#include <stdio.h>
#include <string.h>

#include "policy.h"
#include "reason.h"
#include "times.h"

/* The loop revokes this long before the lease's end, so that the kernel keeps the true reason. */
#define REVOKE_MARGIN_MS 250
/* A lock that follows an unlock within so many leases counts as flapping. */
#define FLAP_LEASES	 2
#define FLAPS_MAX	 3 /* then 2^3 valid verdicts in a row, confirm_ms apart, bring the volume back */

static const bool allowed[CMK_VOLUME_STATES][CMK_VOLUME_STATES] = {
	[CMK_VOLUME_CLOSED] = {
		[CMK_VOLUME_AVAILABLE] = true,
		[CMK_VOLUME_INACCESSIBLE] = true,
	},
	[CMK_VOLUME_AVAILABLE] = {
		[CMK_VOLUME_AT_RISK] = true,
		[CMK_VOLUME_LOCKING] = true,
		[CMK_VOLUME_INACCESSIBLE] = true,
		[CMK_VOLUME_CLOSED] = true,
	},
	[CMK_VOLUME_AT_RISK] = {
		[CMK_VOLUME_AVAILABLE] = true,
		[CMK_VOLUME_LOCKING] = true,
		[CMK_VOLUME_INACCESSIBLE] = true,
		[CMK_VOLUME_CLOSED] = true,
	},
	[CMK_VOLUME_LOCKING] = {
		[CMK_VOLUME_INACCESSIBLE] = true,
		[CMK_VOLUME_CLOSED] = true,
	},
	[CMK_VOLUME_INACCESSIBLE] = {
		[CMK_VOLUME_UNLOCKING] = true,
		[CMK_VOLUME_AVAILABLE] = true, /* somebody else loaded the key: cmkctl open */
		[CMK_VOLUME_CLOSED] = true,
	},
	[CMK_VOLUME_UNLOCKING] = {
		[CMK_VOLUME_AVAILABLE] = true,
		[CMK_VOLUME_INACCESSIBLE] = true,
		[CMK_VOLUME_LOCKING] = true,
		[CMK_VOLUME_CLOSED] = true,
	},
};

static const char *const state_names[CMK_VOLUME_STATES] = {
	[CMK_VOLUME_CLOSED] = "Closed",
	[CMK_VOLUME_AVAILABLE] = "Available",
	[CMK_VOLUME_AT_RISK] = "AtRisk",
	[CMK_VOLUME_LOCKING] = "Locking",
	[CMK_VOLUME_INACCESSIBLE] = "Inaccessible",
	[CMK_VOLUME_UNLOCKING] = "Inaccessible",
};

const char *cmk_state_name(enum cmk_state s)
{
	return state_names[s];
}

int64_t cmk_policy_budget(int64_t budget_ms, int64_t lease_ms, int64_t interval_ms)
{
	int64_t most = later(lease_ms - interval_ms - interval_ms / 2, lease_ms / 4);

	return sooner(budget_ms, most);
}

void cmk_policy_init(struct cmk_policy *p, const struct cmk_policy_params *params, int64_t now_ms)
{
	*p = (struct cmk_policy){
		.params = *params,
		.reason = "OK",
		.since_ms = now_ms,
		.lease_end_ms = INT64_MAX,
		.timer_ms = INT64_MAX,
		.start_at_ms = INT64_MAX,
		.backoff_ms = params->retry_ms,
	};
}

static void copy(char *to, size_t room, const char *from)
{
	snprintf(to, room, "%s", from ? from : "");
}

/* Return: CMK_DO_REPORT if people see a difference. */
static unsigned int because(struct cmk_policy *p, const char *reason, const char *detail)
{
	bool changed = strcmp(p->reason, reason) != 0;

	copy(p->reason, sizeof(p->reason), reason);
	copy(p->detail, sizeof(p->detail), detail);
	return changed ? CMK_DO_REPORT : 0;
}

static unsigned int move(struct cmk_policy *p, enum cmk_state to, int64_t now_ms)
{
	if (p->state == to || !allowed[p->state][to])
		return 0;
	p->state = to;
	p->since_ms = now_ms;
	return CMK_DO_REPORT;
}

static bool is_open(const struct cmk_policy *p)
{
	return p->state == CMK_VOLUME_AVAILABLE || p->state == CMK_VOLUME_AT_RISK;
}

static bool is_lost(enum cmk_verdict v)
{
	return v == CMK_REVOKED || v == CMK_DENIED;
}

/* When an open volume that is not renewed must begin to lock. */
static int64_t lock_at(const struct cmk_policy *p)
{
	int64_t at;

	if (p->lease_end_ms == INT64_MAX)
		return INT64_MAX;
	at = p->lease_end_ms - (p->params.immediate ? REVOKE_MARGIN_MS : p->params.lock_budget_ms);
	/* A volume adopted late in its lease gets half of what is left for its first probe. */
	if (!p->probed)
		at = later(at, p->since_ms + (p->lease_end_ms - p->since_ms) / 2);
	return at;
}

static void rearm(struct cmk_policy *p)
{
	switch (p->state) {
	case CMK_VOLUME_AVAILABLE:
	case CMK_VOLUME_AT_RISK:
		p->timer_ms = lock_at(p);
		if (p->job == CMK_JOB_NONE)
			p->timer_ms = sooner(p->timer_ms, p->start_at_ms);
		break;
	case CMK_VOLUME_LOCKING:
		p->timer_ms = p->revoke_at_ms;
		break;
	case CMK_VOLUME_INACCESSIBLE:
		p->timer_ms = p->retry_at_ms ? p->retry_at_ms : INT64_MAX;
		break;
	default:
		p->timer_ms = INT64_MAX;
	}
}

static int64_t back_off(struct cmk_policy *p, int64_t now_ms)
{
	int64_t at = now_ms + p->backoff_ms;

	p->backoff_ms = sooner(p->backoff_ms * 2, p->params.retry_max_ms);
	return at;
}

static void count_flap(struct cmk_policy *p, int64_t now_ms)
{
	if (p->unlocked_ms && now_ms - p->unlocked_ms < FLAP_LEASES * p->params.lease_ms)
		p->flaps = (unsigned int)sooner(p->flaps + 1, FLAPS_MAX);
	else
		p->flaps = 0;
	p->valids = 0;
}

/* Down with it: in order, or with the kernel's revoke first. */
static unsigned int start_lock(struct cmk_policy *p, const char *reason, const char *detail, bool immediate,
			       int64_t now_ms)
{
	unsigned int todo = CMK_DO_LOCK | CMK_DO_REPORT;

	copy(p->lock_reason, sizeof(p->lock_reason), reason);
	because(p, reason, detail);
	count_flap(p, now_ms);
	p->error[0] = '\0';
	p->missed_valid = false;
	p->start_at_ms = INT64_MAX;
	p->retry_at_ms = 0;
	p->job = CMK_JOB_LOCK;
	if (immediate) {
		move(p, CMK_VOLUME_INACCESSIBLE, now_ms);
		return todo | CMK_DO_REVOKE;
	}
	move(p, CMK_VOLUME_LOCKING, now_ms);
	p->revoke_at_ms = now_ms + p->params.lock_budget_ms;
	if (p->lease_end_ms != INT64_MAX)
		p->revoke_at_ms = sooner(p->revoke_at_ms, p->lease_end_ms - REVOKE_MARGIN_MS);
	return todo;
}

/* The kernel has no key any more, and it was not this state machine's doing: services and mount are dead weight. */
static unsigned int found_locked(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms)
{
	const char *name = reason_from_kernel(ev->reason);

	p->operator_locked = ev->sticky || reason_is_sticky(name);
	copy(p->lock_reason, sizeof(p->lock_reason), name);
	count_flap(p, now_ms);
	because(p, name, NULL);
	move(p, CMK_VOLUME_INACCESSIBLE, now_ms);
	p->retry_at_ms = 0;
	p->missed_valid = false;
	p->start_at_ms = INT64_MAX;
	p->job = CMK_JOB_LOCK;
	return CMK_DO_LOCK | CMK_DO_PROBE | CMK_DO_REPORT;
}

static unsigned int on_kernel_inaccessible(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms)
{
	p->lease_end_ms = INT64_MAX;
	switch (p->state) {
	case CMK_VOLUME_CLOSED:
	case CMK_VOLUME_AVAILABLE:
	case CMK_VOLUME_AT_RISK:
		return found_locked(p, ev, now_ms);
	case CMK_VOLUME_LOCKING:
		return move(p, CMK_VOLUME_INACCESSIBLE, now_ms);
	default:
		return 0;
	}
}

static unsigned int on_kernel(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms)
{
	unsigned int todo = 0;

	if (!ev->available)
		return on_kernel_inaccessible(p, ev, now_ms);
	p->lease_end_ms = ev->lease_left_ms < 0 ? INT64_MAX : now_ms + ev->lease_left_ms;
	switch (p->state) {
	case CMK_VOLUME_CLOSED:
		todo = CMK_DO_PROBE;
		break;
	case CMK_VOLUME_INACCESSIBLE:
		p->operator_locked = false;
		break;
	case CMK_VOLUME_UNLOCKING:
		break;
	default:
		return 0;
	}
	p->unlocked_ms = p->state == CMK_VOLUME_CLOSED ? 0 : now_ms;
	because(p, "OK", NULL);
	todo |= move(p, CMK_VOLUME_AVAILABLE, now_ms);
	/* Whoever opened it without a lease gets one: the promise holds for every volume that is watched. */
	if (ev->lease_left_ms < 0) {
		p->renew_ms = p->params.lease_ms;
		p->lease_end_ms = now_ms + p->renew_ms;
		todo |= CMK_DO_RENEW;
	}
	return todo;
}

static unsigned int probe_open(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms)
{
	unsigned int todo;

	if (ev->verdict == CMK_VALID) {
		todo = because(p, "OK", NULL) | move(p, CMK_VOLUME_AVAILABLE, now_ms);
		p->renew_ms = p->params.lease_ms - (now_ms - ev->proved_ms);
		if (p->renew_ms <= 0)
			return todo; /* the answer took longer than the lease: it proves nothing now */
		p->lease_end_ms = now_ms + p->renew_ms;
		return todo | CMK_DO_RENEW;
	}
	if (is_lost(ev->verdict) && ev->confirmed)
		return start_lock(p, ev->reason, ev->detail, p->params.immediate, now_ms);
	todo = because(p, ev->reason, ev->detail);
	return todo | move(p, CMK_VOLUME_AT_RISK, now_ms);
}

static unsigned int probe_inaccessible(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms)
{
	if (ev->verdict != CMK_VALID) {
		if (ev->verdict != CMK_UNKNOWN)
			p->valids = 0;
		/* An outage does not explain why a volume was locked, unless it was locked by hand until now. */
		if (p->operator_locked || (ev->verdict == CMK_UNKNOWN && !reason_is_sticky(p->reason)))
			return 0;
		return because(p, ev->reason, ev->detail);
	}
	p->valids++;
	if (p->operator_locked)
		return 0;
	if (p->job != CMK_JOB_NONE) {
		p->missed_valid = true;
		return 0;
	}
	if (now_ms < p->retry_at_ms)
		return 0;
	if (p->valids < 1u << p->flaps) {
		p->retry_at_ms = now_ms + p->params.confirm_ms;
		return 0;
	}
	p->retry_at_ms = 0;
	p->job = CMK_JOB_UNLOCK;
	return move(p, CMK_VOLUME_UNLOCKING, now_ms) | CMK_DO_UNLOCK;
}

static unsigned int on_probe(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms)
{
	p->probed = true;
	copy(p->last_reason, sizeof(p->last_reason), ev->reason);
	if (is_open(p))
		return probe_open(p, ev, now_ms);
	if (p->state == CMK_VOLUME_INACCESSIBLE)
		return probe_inaccessible(p, ev, now_ms);
	if (p->state == CMK_VOLUME_LOCKING && ev->verdict == CMK_VALID)
		p->missed_valid = true;
	return 0;
}

static unsigned int on_locked(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms)
{
	unsigned int todo = 0;

	if (p->job == CMK_JOB_LOCK)
		p->job = CMK_JOB_NONE;
	copy(p->error, sizeof(p->error), ev->error);
	if (p->state == CMK_VOLUME_LOCKING) {
		p->lease_end_ms = INT64_MAX;
		todo |= CMK_DO_REVOKE | move(p, CMK_VOLUME_INACCESSIBLE, now_ms);
	}
	if (p->missed_valid && !p->operator_locked)
		todo |= CMK_DO_PROBE;
	p->missed_valid = false;
	return todo;
}

static unsigned int on_unlocked(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms)
{
	unsigned int todo = 0;

	if (p->job == CMK_JOB_UNLOCK)
		p->job = CMK_JOB_NONE;
	copy(p->error, sizeof(p->error), ev->error);
	if (p->state == CMK_VOLUME_UNLOCKING && !ev->available) {
		todo = move(p, CMK_VOLUME_INACCESSIBLE, now_ms);
		p->retry_at_ms = back_off(p, now_ms);
		return todo;
	}
	if (p->state == CMK_VOLUME_UNLOCKING) {
		p->unlocked_ms = now_ms;
		because(p, "OK", NULL);
		todo = move(p, CMK_VOLUME_AVAILABLE, now_ms) | CMK_DO_PROBE;
	}
	if (ev->ok) {
		p->start_at_ms = INT64_MAX;
		p->backoff_ms = p->params.retry_ms;
	} else {
		p->start_at_ms = back_off(p, now_ms);
	}
	return todo | CMK_DO_REPORT;
}

static unsigned int on_operator_lock(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms)
{
	if (p->state == CMK_VOLUME_CLOSED)
		return 0;
	p->operator_locked = true;
	if (is_open(p) || p->state == CMK_VOLUME_UNLOCKING)
		return start_lock(p, REASON_OPERATOR_LOCK, NULL, p->params.immediate || ev->immediate, now_ms);
	return because(p, REASON_OPERATOR_LOCK, NULL);
}

static unsigned int on_operator_unlock(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms)
{
	(void)ev;
	(void)now_ms;
	p->operator_locked = false;
	p->flaps = 0;
	p->valids = 0;
	p->retry_at_ms = 0;
	p->backoff_ms = p->params.retry_ms;
	return CMK_DO_PROBE;
}

static unsigned int on_start(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms)
{
	(void)ev;
	(void)now_ms;
	if (!is_open(p) || p->job != CMK_JOB_NONE)
		return 0;
	p->start_at_ms = INT64_MAX;
	p->job = CMK_JOB_UNLOCK;
	return CMK_DO_START;
}

static unsigned int on_timer(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms)
{
	bool told = p->last_reason[0] && strcmp(p->last_reason, "OK") != 0;

	if (is_open(p) && now_ms >= lock_at(p))
		return start_lock(p, told ? p->last_reason : REASON_LEASE_EXPIRED, p->detail, p->params.immediate,
				  now_ms);
	if (is_open(p) && now_ms >= p->start_at_ms)
		return on_start(p, ev, now_ms);
	if (p->state == CMK_VOLUME_LOCKING && now_ms >= p->revoke_at_ms) {
		p->lease_end_ms = INT64_MAX;
		return move(p, CMK_VOLUME_INACCESSIBLE, now_ms) | CMK_DO_REVOKE;
	}
	if (p->state == CMK_VOLUME_INACCESSIBLE && p->retry_at_ms && now_ms >= p->retry_at_ms) {
		p->retry_at_ms = 0;
		return CMK_DO_PROBE;
	}
	return 0;
}

static unsigned int on_gone(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms)
{
	(void)ev;
	p->lease_end_ms = INT64_MAX;
	p->operator_locked = false;
	because(p, "OK", NULL);
	return move(p, CMK_VOLUME_CLOSED, now_ms);
}

static unsigned int (*const handlers[CMK_EVENTS])(struct cmk_policy *p, const struct cmk_event *ev,
						  int64_t now_ms) = {
	[CMK_EVENT_KERNEL] = on_kernel,
	[CMK_EVENT_PROBE] = on_probe,
	[CMK_EVENT_LOCKED] = on_locked,
	[CMK_EVENT_UNLOCKED] = on_unlocked,
	[CMK_EVENT_OPERATOR_LOCK] = on_operator_lock,
	[CMK_EVENT_OPERATOR_UNLOCK] = on_operator_unlock,
	[CMK_EVENT_START] = on_start,
	[CMK_EVENT_TIMER] = on_timer,
	[CMK_EVENT_GONE] = on_gone,
};

unsigned int cmk_policy_event(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms)
{
	unsigned int todo = handlers[ev->type](p, ev, now_ms);

	rearm(p);
	return todo;
}

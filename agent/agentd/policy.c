// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The state machine of one volume. Every change of state goes through policy_move(), which asks the
 * table of allowed transitions; after every handler comes rearm(), the one place that knows when
 * time itself is an event.
 */
#include <stdio.h>
#include <string.h>

#include "policy_internal.h"

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

void policy_copy(char *to, size_t room, const char *from)
{
	if (to != from) /* the detail at hand may be the one to keep */
		snprintf(to, room, "%s", from ? from : "");
}

unsigned int policy_because(struct cmk_policy *p, const char *reason, const char *detail)
{
	bool changed = strcmp(p->reason, reason) != 0;

	policy_copy(p->reason, sizeof(p->reason), reason);
	policy_copy(p->detail, sizeof(p->detail), detail);
	return changed ? CMK_DO_REPORT : 0;
}

unsigned int policy_move(struct cmk_policy *p, enum cmk_state to, int64_t now_ms)
{
	if (p->state == to || !allowed[p->state][to])
		return 0;
	p->state = to;
	p->since_ms = now_ms;
	return CMK_DO_REPORT;
}

bool policy_is_open(const struct cmk_policy *p)
{
	return p->state == CMK_VOLUME_AVAILABLE || p->state == CMK_VOLUME_AT_RISK;
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

unsigned int policy_lock(struct cmk_policy *p, const char *reason, const char *detail,
			 bool immediate, int64_t now_ms)
{
	unsigned int todo = CMK_DO_LOCK | CMK_DO_REPORT;

	policy_copy(p->lock_reason, sizeof(p->lock_reason), reason);
	policy_because(p, reason, detail);
	policy_count_lock(p, now_ms);
	p->error[0] = '\0';
	p->missed_valid = false;
	p->start_at_ms = INT64_MAX;
	p->retry_at_ms = 0;
	p->job = CMK_JOB_LOCK;
	if (immediate) {
		policy_move(p, CMK_VOLUME_INACCESSIBLE, now_ms);
		return todo | CMK_DO_REVOKE;
	}
	policy_move(p, CMK_VOLUME_LOCKING, now_ms);
	p->revoke_at_ms = now_ms + p->params.lock_budget_ms;
	if (p->lease_end_ms != INT64_MAX)
		p->revoke_at_ms = sooner(p->revoke_at_ms, p->lease_end_ms - REVOKE_MARGIN_MS);
	return todo;
}

static unsigned int on_locked(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms)
{
	unsigned int todo = 0;

	if (p->job == CMK_JOB_LOCK)
		p->job = CMK_JOB_NONE;
	policy_copy(p->error, sizeof(p->error), ev->error);
	if (p->state == CMK_VOLUME_LOCKING) {
		p->lease_end_ms = INT64_MAX;
		todo |= CMK_DO_REVOKE | policy_move(p, CMK_VOLUME_INACCESSIBLE, now_ms);
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
	policy_copy(p->error, sizeof(p->error), ev->error);
	if (p->state == CMK_VOLUME_UNLOCKING && !ev->available) {
		todo = policy_move(p, CMK_VOLUME_INACCESSIBLE, now_ms);
		p->retry_at_ms = back_off(p, now_ms);
		return todo;
	}
	if (p->state == CMK_VOLUME_UNLOCKING) {
		p->unlocked_ms = now_ms;
		policy_because(p, "OK", NULL);
		todo = policy_move(p, CMK_VOLUME_AVAILABLE, now_ms) | CMK_DO_PROBE;
	}
	if (ev->ok) {
		p->start_at_ms = INT64_MAX;
		p->backoff_ms = p->params.retry_ms;
	} else {
		p->start_at_ms = back_off(p, now_ms);
	}
	return todo | CMK_DO_REPORT;
}

static unsigned int on_operator_lock(struct cmk_policy *p, const struct cmk_event *ev,
				     int64_t now_ms)
{
	if (p->state == CMK_VOLUME_CLOSED)
		return 0;
	p->operator_locked = true;
	if (policy_is_open(p) || p->state == CMK_VOLUME_UNLOCKING)
		return policy_lock(p, REASON_OPERATOR_LOCK, NULL,
				   p->params.immediate || ev->immediate, now_ms);
	return policy_because(p, REASON_OPERATOR_LOCK, NULL);
}

static unsigned int on_operator_unlock(struct cmk_policy *p, const struct cmk_event *ev,
				       int64_t now_ms)
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
	if (!policy_is_open(p) || p->job != CMK_JOB_NONE)
		return 0;
	p->start_at_ms = INT64_MAX;
	p->job = CMK_JOB_UNLOCK;
	return CMK_DO_START;
}

static unsigned int on_timer(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms)
{
	bool told = p->last_reason[0] && strcmp(p->last_reason, "OK") != 0;

	if (policy_is_open(p) && now_ms >= lock_at(p))
		return policy_lock(p, told ? p->last_reason : REASON_LEASE_EXPIRED, p->detail,
				   p->params.immediate, now_ms);
	if (policy_is_open(p) && now_ms >= p->start_at_ms)
		return on_start(p, ev, now_ms);
	if (p->state == CMK_VOLUME_LOCKING && now_ms >= p->revoke_at_ms) {
		p->lease_end_ms = INT64_MAX;
		return policy_move(p, CMK_VOLUME_INACCESSIBLE, now_ms) | CMK_DO_REVOKE;
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
	policy_because(p, "OK", NULL);
	return policy_move(p, CMK_VOLUME_CLOSED, now_ms);
}

static unsigned int (*const handlers[CMK_EVENTS])(struct cmk_policy *p, const struct cmk_event *ev,
						  int64_t now_ms) = {
	[CMK_EVENT_KERNEL] = policy_on_kernel,
	[CMK_EVENT_PROBE] = policy_on_probe,
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

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The state machine: what a verdict on the KEK brings about, and how flapping is held down. */
#include <string.h>

#include "policy_internal.h"

/* A lock that follows an unlock within so many leases counts as flapping. */
#define FLAP_LEASES 2
/*
 * Flapping level 0 and 1: one valid verdict brings a volume back; then 2, 4, 8, ... in a row. Locks
 * in short order, which may have causes of their own, raise it up to the first of these, valid
 * verdicts that did not last up to the second.
 */
#define FLAPS_BY_LOCKS 3
#define FLAPS_MAX      7

static bool is_lost(enum cmk_verdict v)
{
	return v == CMK_REVOKED || v == CMK_DENIED;
}

void policy_count_lock(struct cmk_policy *p, int64_t now_ms)
{
	if (!p->unlocked_ms || now_ms - p->unlocked_ms >= FLAP_LEASES * p->params.lease_ms)
		p->flaps = 0;
	else if (p->flaps < FLAPS_BY_LOCKS)
		p->flaps++;
	p->valids = 0;
}

static unsigned int valids_needed(const struct cmk_policy *p)
{
	return p->flaps < 2 ? 1 : 1u << (p->flaps - 1);
}

static unsigned int probe_open(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms)
{
	unsigned int todo;

	if (ev->verdict == CMK_VALID) {
		todo = policy_because(p, "OK", NULL) | policy_move(p, CMK_VOLUME_AVAILABLE, now_ms);
		p->renew_ms = p->params.lease_ms - (now_ms - ev->proved_ms);
		if (p->renew_ms <= 0)
			return todo; /* longer than the lease ago: it proves nothing now */
		p->lease_end_ms = now_ms + p->renew_ms;
		return todo | CMK_DO_RENEW;
	}
	if (is_lost(ev->verdict) && ev->confirmed)
		return policy_lock(p, ev->reason, ev->detail, p->params.immediate, now_ms);
	todo = policy_because(p, ev->reason, ev->detail);
	return todo | policy_move(p, CMK_VOLUME_AT_RISK, now_ms);
}

static unsigned int probe_inaccessible(struct cmk_policy *p, const struct cmk_event *ev,
				       int64_t now_ms)
{
	if (ev->verdict != CMK_VALID) {
		if (is_lost(ev->verdict)) {
			if (p->valids && p->flaps < FLAPS_MAX)
				p->flaps++;
			p->valids = 0;
		}
		/* An outage does not explain why a volume was locked, unless it was locked by hand
		 * until now. */
		if (p->operator_locked ||
		    (ev->verdict == CMK_UNKNOWN && !reason_is_sticky(p->reason)))
			return 0;
		return policy_because(p, ev->reason, ev->detail);
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
	if (p->valids < valids_needed(p)) {
		p->retry_at_ms = now_ms + p->params.confirm_ms;
		return 0;
	}
	p->retry_at_ms = 0;
	p->job = CMK_JOB_UNLOCK;
	return policy_move(p, CMK_VOLUME_UNLOCKING, now_ms) | CMK_DO_UNLOCK;
}

unsigned int policy_on_probe(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms)
{
	p->probed = true;
	policy_copy(p->last_reason, sizeof(p->last_reason), ev->reason);
	if (policy_is_open(p))
		return probe_open(p, ev, now_ms);
	if (p->state == CMK_VOLUME_INACCESSIBLE)
		return probe_inaccessible(p, ev, now_ms);
	if (p->state == CMK_VOLUME_LOCKING && ev->verdict == CMK_VALID)
		p->missed_valid = true;
	return 0;
}

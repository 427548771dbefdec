// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The state machine: what the kernel says about a volume, and what follows when it was not our
 * doing. */
#include "policy_internal.h"

/* The kernel has no key any more, and it was not this state machine's doing: services and mount are
 * dead weight. */
static unsigned int found_locked(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms)
{
	const char *name = reason_from_kernel(ev->reason);

	p->operator_locked = ev->sticky || reason_is_sticky(name);
	policy_copy(p->lock_reason, sizeof(p->lock_reason), name);
	policy_count_lock(p, now_ms);
	policy_because(p, name, NULL);
	policy_move(p, CMK_VOLUME_INACCESSIBLE, now_ms);
	p->retry_at_ms = 0;
	p->missed_valid = false;
	p->start_at_ms = INT64_MAX;
	p->job = CMK_JOB_LOCK;
	return CMK_DO_LOCK | CMK_DO_PROBE | CMK_DO_REPORT;
}

static unsigned int on_kernel_inaccessible(struct cmk_policy *p, const struct cmk_event *ev,
					   int64_t now_ms)
{
	p->lease_end_ms = INT64_MAX;
	switch (p->state) {
	case CMK_VOLUME_CLOSED:
	case CMK_VOLUME_AVAILABLE:
	case CMK_VOLUME_AT_RISK:
		return found_locked(p, ev, now_ms);
	case CMK_VOLUME_LOCKING:
		return policy_move(p, CMK_VOLUME_INACCESSIBLE, now_ms);
	default:
		return 0;
	}
}

unsigned int policy_on_kernel(struct cmk_policy *p, const struct cmk_event *ev, int64_t now_ms)
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
		/* An unlock job that was ended for this lock had its key on the way already. */
		if (p->job == CMK_JOB_LOCK)
			return CMK_DO_REVOKE;
		p->operator_locked = false;
		break;
	case CMK_VOLUME_UNLOCKING:
		break;
	default:
		return 0;
	}
	p->unlocked_ms = p->state == CMK_VOLUME_CLOSED ? 0 : now_ms;
	policy_because(p, "OK", NULL);
	todo |= policy_move(p, CMK_VOLUME_AVAILABLE, now_ms);
	/* Whoever opened it without a lease gets one: the promise holds for every volume that is
	 * watched. */
	if (ev->lease_left_ms < 0) {
		p->renew_ms = p->params.lease_ms;
		p->lease_end_ms = now_ms + p->renew_ms;
		todo |= CMK_DO_RENEW;
	}
	return todo;
}

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* The state machine of a volume, in simulated time: what each verdict, each kernel event and each
 * hour brings about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agentd/policy.h"
#include "agentd/reason.h"

#define S	 1000
#define LEASE	 (600 * S)
#define BUDGET	 (60 * S)
#define INTERVAL (60 * S)
#define START	 (1000 * S)

/* One volume and its clock; @todo is what the last event asked for. */
struct world {
	struct cmk_policy p;
	int64_t now;
	unsigned int todo;
};

static struct world make(bool immediate)
{
	struct cmk_policy_params params = {
		.lease_ms = LEASE,
		.lock_budget_ms = BUDGET,
		.immediate = immediate,
		.confirm_ms = 5 * S,
		.retry_ms = 5 * S,
		.retry_max_ms = INTERVAL,
	};
	struct world w = { .now = START };

	cmk_policy_init(&w.p, &params, w.now);
	return w;
}

static void event(struct world *w, struct cmk_event ev)
{
	w->todo = cmk_policy_event(&w->p, &ev, w->now);
}

static void simple(struct world *w, enum cmk_event_type type)
{
	event(w, (struct cmk_event){ .type = type });
}

static void kernel(struct world *w, bool available, const char *reason, int64_t left)
{
	event(w, (struct cmk_event){ .type = CMK_EVENT_KERNEL,
				     .available = available,
				     .reason = reason,
				     .lease_left_ms = left });
}

static void probe(struct world *w, enum cmk_verdict v, const char *reason, bool confirmed)
{
	event(w, (struct cmk_event){ .type = CMK_EVENT_PROBE,
				     .verdict = v,
				     .reason = reason,
				     .confirmed = confirmed,
				     .detail = "what the service said",
				     .proved_ms = w->now - 40 });
}

static void valid(struct world *w)
{
	probe(w, CMK_VALID, "OK", false);
}

static void locked(struct world *w)
{
	kernel(w, false, w->p.lock_reason, -1);
	simple(w, CMK_EVENT_LOCKED);
}

static void unlocked(struct world *w, bool ok)
{
	if (ok)
		kernel(w, true, "-", LEASE);
	event(w, (struct cmk_event){ .type = CMK_EVENT_UNLOCKED,
				     .ok = ok,
				     .available = ok,
				     .error = ok ? NULL : "it did not work" });
}

static struct world open_world(bool immediate)
{
	struct world w = make(immediate);

	kernel(&w, true, "-", LEASE);
	valid(&w);
	return w;
}

/* Let time pass to @to, with every timer that the policy asked for. Returns all that it wanted
 * done. */
static unsigned int run_until(struct world *w, int64_t to)
{
	unsigned int all = 0;

	while (w->p.timer_ms <= to) {
		w->now = w->p.timer_ms;
		simple(w, CMK_EVENT_TIMER);
		all |= w->todo;
	}
	w->now = to;
	return all;
}

static void adopts_open_volume(void **state)
{
	struct world w = make(false);

	(void)state;
	assert_int_equal(w.p.state, CMK_VOLUME_CLOSED);
	kernel(&w, true, "-", 500 * S);
	assert_int_equal(w.p.state, CMK_VOLUME_AVAILABLE);
	assert_true(w.todo & CMK_DO_PROBE);
	assert_false(w.todo & (CMK_DO_RENEW | CMK_DO_START | CMK_DO_LOCK));
	assert_true(w.p.lease_end_ms == w.now + 500 * S);
}

static void gives_a_lease_to_one_without(void **state)
{
	struct world w = make(false);

	(void)state;
	kernel(&w, true, "-", -1);
	assert_true(w.todo & CMK_DO_RENEW);
	assert_int_equal(w.p.renew_ms, LEASE);
}

static void renews_from_the_proof_on(void **state)
{
	struct world w = open_world(false);

	(void)state;
	w.now += 60 * S;
	event(&w, (struct cmk_event){ .type = CMK_EVENT_PROBE,
				      .verdict = CMK_VALID,
				      .reason = "OK",
				      .proved_ms = w.now - 7 * S });
	assert_true(w.todo & CMK_DO_RENEW);
	assert_int_equal(w.p.renew_ms, LEASE - 7 * S);
	/* An answer that took longer than the lease proves nothing now. */
	event(&w, (struct cmk_event){ .type = CMK_EVENT_PROBE,
				      .verdict = CMK_VALID,
				      .reason = "OK",
				      .proved_ms = w.now - LEASE });
	assert_false(w.todo & CMK_DO_RENEW);
}

static void only_valid_renews(void **state)
{
	static const enum cmk_verdict others[] = { CMK_REVOKED, CMK_DENIED, CMK_UNKNOWN,
						   CMK_MISCONFIGURED };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct world w = open_world(false);

		probe(&w, others[i], "Whatever", false);
		assert_false(w.todo & CMK_DO_RENEW);
		assert_int_equal(w.p.state, CMK_VOLUME_AT_RISK);
		assert_string_equal(w.p.reason, "Whatever");
	}
}

static void loss_needs_confirmation(void **state)
{
	static const enum cmk_verdict losses[] = { CMK_REVOKED, CMK_DENIED };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(losses); i++) {
		struct world w = open_world(false);

		probe(&w, losses[i], "KeyDisabled", false);
		assert_int_equal(w.p.state, CMK_VOLUME_AT_RISK);
		assert_false(w.todo & (CMK_DO_LOCK | CMK_DO_REVOKE));
		w.now += 5 * S;
		probe(&w, losses[i], "KeyDisabled", true);
		assert_int_equal(w.p.state, CMK_VOLUME_LOCKING);
		assert_true(w.todo & CMK_DO_LOCK);
		assert_false(w.todo & CMK_DO_REVOKE);
		assert_string_equal(w.p.lock_reason, "KeyDisabled");
	}
}

static void neither_outage_nor_misconfiguration_locks(void **state)
{
	static const enum cmk_verdict others[] = { CMK_UNKNOWN, CMK_MISCONFIGURED };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct world w = open_world(false);

		for (int n = 0; n < 8; n++) {
			assert_int_equal(run_until(&w, w.now + INTERVAL), 0);
			probe(&w, others[i], "Unreachable", true);
			assert_int_equal(w.p.state, CMK_VOLUME_AT_RISK);
			assert_false(w.todo & (CMK_DO_LOCK | CMK_DO_REVOKE));
		}
	}
}

static void short_outage_leaves_no_trace(void **state)
{
	struct world w = open_world(false);

	(void)state;
	/* Shorter than the lease less its budget: the vault is back after eight minutes. */
	for (int n = 0; n < 8; n++) {
		assert_int_equal(run_until(&w, w.now + INTERVAL), 0);
		probe(&w, CMK_UNKNOWN, "Throttled", false);
	}
	valid(&w);
	assert_int_equal(w.p.state, CMK_VOLUME_AVAILABLE);
	assert_string_equal(w.p.reason, "OK");
	assert_true(w.todo & CMK_DO_RENEW);
	assert_true(w.p.timer_ms > w.now + LEASE - BUDGET - S);
}

static void long_outage_locks_in_order_before_the_deadline(void **state)
{
	struct world w = open_world(false);
	int64_t end = w.p.lease_end_ms;
	unsigned int all;

	(void)state;
	w.now += INTERVAL;
	probe(&w, CMK_UNKNOWN, "Unreachable", false);
	assert_int_equal(run_until(&w, end - BUDGET - 1), 0);
	all = run_until(&w, end - BUDGET);
	assert_true(all & CMK_DO_LOCK);
	assert_false(all & CMK_DO_REVOKE);
	assert_int_equal(w.p.state, CMK_VOLUME_LOCKING);
	assert_string_equal(w.p.lock_reason, "Unreachable");
	assert_string_equal(w.p.detail, "what the service said");
	/* The job hangs: the loop takes the key before the kernel's deadline. */
	all = run_until(&w, end - 1);
	assert_true(all & CMK_DO_REVOKE);
	assert_int_equal(w.p.state, CMK_VOLUME_INACCESSIBLE);
	assert_int_equal(w.p.job, CMK_JOB_LOCK);
}

static void lock_is_bounded_by_its_budget(void **state)
{
	struct world w = open_world(false);
	int64_t begin;

	(void)state;
	probe(&w, CMK_REVOKED, "KeyNotFound", true);
	begin = w.now;
	assert_int_equal(run_until(&w, begin + BUDGET - 1), 0);
	assert_int_equal(w.p.state, CMK_VOLUME_LOCKING);
	assert_true(run_until(&w, begin + BUDGET) & CMK_DO_REVOKE);
	assert_int_equal(w.p.state, CMK_VOLUME_INACCESSIBLE);
}

static void immediate_revokes_first(void **state)
{
	struct world w = open_world(true);

	(void)state;
	probe(&w, CMK_REVOKED, "KeyDisabled", true);
	assert_true(w.todo & CMK_DO_REVOKE);
	assert_true(w.todo & CMK_DO_LOCK);
	assert_int_equal(w.p.state, CMK_VOLUME_INACCESSIBLE);
	/* and needs no budget before its lease ends */
	w = open_world(true);
	assert_true(w.p.timer_ms > w.p.lease_end_ms - S);
}

static void comes_back_with_the_key(void **state)
{
	struct world w = open_world(false);

	(void)state;
	probe(&w, CMK_REVOKED, "KeyDisabled", true);
	locked(&w);
	assert_int_equal(w.p.state, CMK_VOLUME_INACCESSIBLE);
	assert_int_equal(w.p.job, CMK_JOB_NONE);
	w.now += INTERVAL;
	probe(&w, CMK_REVOKED, "KeyDisabled", true);
	assert_int_equal(w.todo, 0);
	w.now += INTERVAL;
	valid(&w);
	assert_true(w.todo & CMK_DO_UNLOCK);
	assert_int_equal(w.p.state, CMK_VOLUME_UNLOCKING);
	assert_string_equal(cmk_state_name(w.p.state), "Inaccessible");
	kernel(&w, true, "-", LEASE);
	assert_int_equal(w.p.state, CMK_VOLUME_AVAILABLE);
	/* The services are still coming up, and the lease is renewed meanwhile. */
	w.now += INTERVAL;
	valid(&w);
	assert_true(w.todo & CMK_DO_RENEW);
	unlocked(&w, true);
	assert_int_equal(w.p.state, CMK_VOLUME_AVAILABLE);
	assert_int_equal(w.p.job, CMK_JOB_NONE);
}

static void valid_during_a_lock_is_not_forgotten(void **state)
{
	struct world w = open_world(false);

	(void)state;
	probe(&w, CMK_REVOKED, "KeyDisabled", true);
	valid(&w);
	assert_int_equal(w.p.state, CMK_VOLUME_LOCKING);
	assert_false(w.todo & (CMK_DO_UNLOCK | CMK_DO_RENEW));
	kernel(&w, false, "KeyDisabled", -1);
	simple(&w, CMK_EVENT_LOCKED);
	assert_true(w.todo & CMK_DO_PROBE);
	valid(&w);
	assert_true(w.todo & CMK_DO_UNLOCK);
}

static void lock_job_that_did_not_revoke_is_made_good(void **state)
{
	struct world w = open_world(false);

	(void)state;
	probe(&w, CMK_REVOKED, "KeyDisabled", true);
	event(&w, (struct cmk_event){ .type = CMK_EVENT_LOCKED, .error = "it died" });
	assert_true(w.todo & CMK_DO_REVOKE);
	assert_int_equal(w.p.state, CMK_VOLUME_INACCESSIBLE);
	assert_string_equal(w.p.error, "it died");
}

static void failed_unlock_backs_off(void **state)
{
	struct world w = open_world(false);
	int64_t wait = 5 * S;

	(void)state;
	probe(&w, CMK_REVOKED, "KeyDisabled", true);
	locked(&w);
	w.now += LEASE * 3;
	for (int n = 0; n < 6; n++) {
		valid(&w);
		assert_true(w.todo & CMK_DO_UNLOCK);
		unlocked(&w, false);
		assert_int_equal(w.p.state, CMK_VOLUME_INACCESSIBLE);
		assert_string_equal(w.p.error, "it did not work");
		valid(&w);
		assert_false(w.todo & CMK_DO_UNLOCK);
		assert_int_equal(run_until(&w, w.now + wait - 1), 0);
		assert_true(run_until(&w, w.now + 1) & CMK_DO_PROBE);
		wait = wait * 2 < INTERVAL ? wait * 2 : INTERVAL;
	}
}

static void failed_services_are_tried_again_and_keep_the_volume_open(void **state)
{
	struct world w = open_world(false);

	(void)state;
	simple(&w, CMK_EVENT_START);
	assert_true(w.todo & CMK_DO_START);
	event(&w, (struct cmk_event){
			  .type = CMK_EVENT_UNLOCKED, .available = true, .error = "cannot mount" });
	assert_int_equal(w.p.state, CMK_VOLUME_AVAILABLE);
	assert_string_equal(w.p.error, "cannot mount");
	assert_true(run_until(&w, w.now + 5 * S) & CMK_DO_START);
	event(&w, (struct cmk_event){ .type = CMK_EVENT_UNLOCKED, .available = true, .ok = true });
	assert_string_equal(w.p.error, "");
	assert_false(run_until(&w, w.now + 300 * S) & CMK_DO_START);
}

static void lock_interrupts_an_unlock(void **state)
{
	struct world w = open_world(false);

	(void)state;
	probe(&w, CMK_REVOKED, "KeyDisabled", true);
	locked(&w);
	valid(&w);
	kernel(&w, true, "-", LEASE);
	assert_int_equal(w.p.job, CMK_JOB_UNLOCK);
	probe(&w, CMK_REVOKED, "KeyDisabled", true);
	assert_true(w.todo & CMK_DO_LOCK);
	assert_int_equal(w.p.job, CMK_JOB_LOCK);
}

static void kernel_side_lock_takes_the_services_down(void **state)
{
	static const struct {
		const char *word, *reason;
		bool sticky;
	} words[] = {
		{ "lease-expired", "LeaseExpired", false },
		{ "key-revoked", "KeyRevoked", true },
		{ "revoked", "Revoked", true },
		{ "hibernation", "Hibernation", false },
		{ "no-key", "NoKey", false },
		{ "OperatorLock", "OperatorLock", true },
		{ "KeyDisabled", "KeyDisabled", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct world w = open_world(false);

		kernel(&w, false, words[i].word, -1);
		assert_int_equal(w.p.state, CMK_VOLUME_INACCESSIBLE);
		assert_string_equal(w.p.reason, words[i].reason);
		assert_true(w.todo & CMK_DO_LOCK);
		assert_true(w.todo & CMK_DO_PROBE);
		assert_false(w.todo & CMK_DO_REVOKE);
		simple(&w, CMK_EVENT_LOCKED);
		valid(&w);
		assert_int_equal(!!(w.todo & CMK_DO_UNLOCK), !words[i].sticky);
	}
}

static void operator_lock_sticks(void **state)
{
	struct world w = open_world(false);

	(void)state;
	simple(&w, CMK_EVENT_OPERATOR_LOCK);
	assert_int_equal(w.p.state, CMK_VOLUME_LOCKING);
	assert_string_equal(w.p.lock_reason, "OperatorLock");
	locked(&w);
	for (int n = 0; n < 5; n++) {
		valid(&w);
		assert_int_equal(w.todo, 0);
	}
	/* A new agent finds it so in the kernel's word. */
	w = make(false);
	kernel(&w, false, "OperatorLock", -1);
	simple(&w, CMK_EVENT_LOCKED);
	valid(&w);
	assert_false(w.todo & CMK_DO_UNLOCK);
	assert_string_equal(w.p.reason, "OperatorLock");
	simple(&w, CMK_EVENT_OPERATOR_UNLOCK);
	assert_true(w.todo & CMK_DO_PROBE);
	valid(&w);
	assert_true(w.todo & CMK_DO_UNLOCK);
}

static void operator_lock_of_a_locked_volume_sticks(void **state)
{
	struct world w = open_world(false);

	(void)state;
	probe(&w, CMK_REVOKED, "KeyDisabled", true);
	locked(&w);
	simple(&w, CMK_EVENT_OPERATOR_LOCK);
	assert_string_equal(w.p.reason, "OperatorLock");
	valid(&w);
	assert_false(w.todo & CMK_DO_UNLOCK);
	/* The kernel keeps its first word; the other record of it does. */
	w = make(false);
	event(&w, (struct cmk_event){ .type = CMK_EVENT_KERNEL,
				      .reason = "KeyDisabled",
				      .lease_left_ms = -1,
				      .sticky = true });
	simple(&w, CMK_EVENT_LOCKED);
	valid(&w);
	assert_false(w.todo & CMK_DO_UNLOCK);
}

static void late_adoption_waits_for_its_first_probe(void **state)
{
	struct world w = make(false);
	int64_t end;

	(void)state;
	kernel(&w, true, "-", 20 * S); /* well within the budget */
	end = w.now + 20 * S;
	assert_int_equal(run_until(&w, w.now + 9 * S), 0);
	valid(&w);
	assert_true(w.todo & CMK_DO_RENEW);
	assert_int_equal(run_until(&w, end + S), 0);

	w = make(false);
	kernel(&w, true, "-", 20 * S);
	end = w.now + 20 * S;
	assert_true(run_until(&w, end - 5 * S) & CMK_DO_LOCK);
	assert_string_equal(w.p.lock_reason, "LeaseExpired");
}

static void reason_follows_the_cause_while_locked(void **state)
{
	struct world w = open_world(false);

	(void)state;
	kernel(&w, false, "lease-expired", -1);
	simple(&w, CMK_EVENT_LOCKED);
	probe(&w, CMK_UNKNOWN, "Unreachable", false);
	assert_string_equal(w.p.reason, "LeaseExpired");
	probe(&w, CMK_REVOKED, "KeyDisabled", false);
	assert_string_equal(w.p.reason, "KeyDisabled");
	assert_true(w.todo & CMK_DO_REPORT);
	probe(&w, CMK_REVOKED, "KeyDisabled", true);
	assert_false(w.todo & CMK_DO_REPORT);
}

/* Locks and unlocks of a day in which every verdict is a coin's toss. */
static void flapping_does_not_bounce_services(void **state)
{
	struct world w = open_world(false);
	unsigned int locks = 0, seed = 1;
	bool before = false, lost;

	(void)state;
	while (w.now < START + 24 * 3600 * S) {
		/* the next probe: as the policy asks for it, or with the interval */
		if (w.p.state == CMK_VOLUME_INACCESSIBLE && w.p.timer_ms < w.now + INTERVAL)
			run_until(&w, w.p.timer_ms);
		else
			run_until(&w, w.now + INTERVAL);
		seed = seed * 1103515245u + 12345u;
		lost = seed >> 16 & 1;
		probe(&w, lost ? CMK_REVOKED : CMK_VALID, lost ? "KeyDisabled" : "OK",
		      lost && before);
		before = lost;
		if (w.todo & CMK_DO_LOCK) {
			locks++;
			locked(&w);
		}
		if (w.todo & CMK_DO_UNLOCK)
			unlocked(&w, true);
	}
	/* Without the growing demand for valid verdicts it would be about 240. */
	assert_in_range(locks, 1, 6);

	/* One verdict of each kind in turn never locks: no loss is confirmed. */
	w = open_world(false);
	for (int minute = 0; minute < 24 * 60; minute++) {
		run_until(&w, w.now + INTERVAL);
		probe(&w, minute & 1 ? CMK_REVOKED : CMK_VALID, minute & 1 ? "KeyDisabled" : "OK",
		      false);
		assert_false(w.todo & CMK_DO_LOCK);
	}
}

/* Causes that follow each other closely, each of them steady: the way back takes at most four valid
 * verdicts. */
static void causes_in_a_row_come_back_soon(void **state)
{
	struct world w = open_world(false);
	int valids;

	(void)state;
	for (int n = 0; n < 20; n++) {
		probe(&w, CMK_REVOKED, "KeyDisabled", true);
		locked(&w);
		probe(&w, CMK_REVOKED, "KeyDisabled", true);
		for (valids = 1; valid(&w), !(w.todo & CMK_DO_UNLOCK); valids++)
			assert_true(run_until(&w, w.now + 5 * S) & CMK_DO_PROBE);
		assert_in_range(valids, 1, n < 2 ? 1 : 4);
		unlocked(&w, true);
	}
}

static void a_single_loss_comes_back_at_once(void **state)
{
	struct world w = open_world(false);

	(void)state;
	for (int n = 0; n < 3; n++) {
		w.now += 3 * LEASE; /* long after the last time: not flapping */
		kernel(&w, true, "-", LEASE);
		probe(&w, CMK_REVOKED, "KeyDisabled", true);
		locked(&w);
		valid(&w);
		assert_true(w.todo & CMK_DO_UNLOCK);
		unlocked(&w, true);
	}
}

static void opened_by_another_hand(void **state)
{
	struct world w = open_world(false);

	(void)state;
	simple(&w, CMK_EVENT_OPERATOR_LOCK);
	locked(&w);
	kernel(&w, true, "-", 300 * S);
	assert_int_equal(w.p.state, CMK_VOLUME_AVAILABLE);
	assert_false(w.p.operator_locked);
	assert_string_equal(w.p.reason, "OK");
}

static void key_on_its_way_into_a_lock_is_taken_back(void **state)
{
	struct world w = open_world(true);

	(void)state;
	probe(&w, CMK_REVOKED, "KeyDisabled", true);
	locked(&w);
	valid(&w);
	assert_true(w.todo & CMK_DO_UNLOCK);
	simple(&w, CMK_EVENT_OPERATOR_LOCK);
	assert_true(w.todo & CMK_DO_REVOKE);
	kernel(&w, true, "-", LEASE);
	assert_true(w.todo & CMK_DO_REVOKE);
	assert_int_equal(w.p.state, CMK_VOLUME_INACCESSIBLE);
	assert_true(w.p.operator_locked);
}

static void gone_from_every_state(void **state)
{
	(void)state;
	for (enum cmk_state s = CMK_VOLUME_AVAILABLE; s < CMK_VOLUME_STATES; s++) {
		struct world w = make(false);

		w.p.state = s;
		simple(&w, CMK_EVENT_GONE);
		assert_int_equal(w.p.state, CMK_VOLUME_CLOSED);
		assert_true(w.p.timer_ms == INT64_MAX);
	}
}

/* Whatever comes in whatever order, the state stays one of the table's, and no transition is
 * forbidden. */
static void random_walk_keeps_the_promise(void **state)
{
	static const char *const words[] = { "lease-expired", "KeyDisabled", "OperatorLock",
					     "no-key" };
	struct world w = make(false);
	unsigned int seed = 7;

	(void)state;
	for (int n = 0; n < 200000; n++) {
		struct cmk_event ev = { 0 };
		enum cmk_state before = w.p.state;

		seed = seed * 1103515245u + 12345u;
		ev.type = (seed >> 8) % CMK_EVENT_GONE;
		ev.available = seed >> 12 & 1;
		ev.ok = ev.available && seed >> 13 & 1;
		ev.confirmed = seed >> 14 & 1;
		ev.verdict = (seed >> 15) % 5;
		ev.reason = ev.type == CMK_EVENT_PROBE ? "KeyDisabled" : words[seed >> 17 & 3];
		ev.lease_left_ms = (seed >> 18 & 1) ? -1 : (int64_t)(seed >> 10 & 0xffff);
		ev.proved_ms = w.now - (seed >> 12 & 0xfff);
		w.now += seed >> 19 & 0x3fff;
		event(&w, ev);
		assert_true(w.p.state < CMK_VOLUME_STATES);
		if (w.todo & CMK_DO_RENEW)
			assert_in_range(w.p.renew_ms, 1, LEASE);
		if (w.todo & CMK_DO_UNLOCK)
			assert_true(before == CMK_VOLUME_INACCESSIBLE && ev.verdict == CMK_VALID);
		/* A renewal for a probe is one for a valid verdict on an open volume. */
		if (ev.type == CMK_EVENT_PROBE && w.todo & CMK_DO_RENEW)
			assert_true(ev.verdict == CMK_VALID && before != CMK_VOLUME_INACCESSIBLE);
		if (w.p.state == CMK_VOLUME_LOCKING)
			assert_true(w.p.timer_ms <= w.p.since_ms + BUDGET);
	}
}

static void budget_is_cut_to_fit(void **state)
{
	(void)state;
	assert_int_equal(cmk_policy_budget(60 * S, 600 * S, 60 * S), 60 * S);
	assert_int_equal(cmk_policy_budget(500 * S, 600 * S, 60 * S),
			 510 * S > 500 * S ? 500 * S : 0);
	/* lease of two intervals: the wait for the next probe is no outage */
	assert_int_equal(cmk_policy_budget(15 * S, 20 * S, 10 * S), 5 * S);
	assert_int_equal(cmk_policy_budget(60 * S, 60 * S, 60 * S), 15 * S);
}

static void every_reason_has_a_remedy(void **state)
{
	static const char *const names[] = { "OperatorLock",	 "LeaseExpired", "KeyRevoked",
					     "Revoked",		 "NoKey",	 "Hibernation",
					     "HeaderUnreadable", "KeyDisabled",	 "Unreachable" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_true(strlen(reason_text(names[i])) > 0);
		assert_true(strlen(reason_remedy(names[i])) > 0);
	}
	assert_string_equal(reason_remedy("NoSuchReason"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adopts_open_volume),
		cmocka_unit_test(gives_a_lease_to_one_without),
		cmocka_unit_test(renews_from_the_proof_on),
		cmocka_unit_test(only_valid_renews),
		cmocka_unit_test(loss_needs_confirmation),
		cmocka_unit_test(neither_outage_nor_misconfiguration_locks),
		cmocka_unit_test(short_outage_leaves_no_trace),
		cmocka_unit_test(long_outage_locks_in_order_before_the_deadline),
		cmocka_unit_test(lock_is_bounded_by_its_budget),
		cmocka_unit_test(immediate_revokes_first),
		cmocka_unit_test(comes_back_with_the_key),
		cmocka_unit_test(valid_during_a_lock_is_not_forgotten),
		cmocka_unit_test(lock_job_that_did_not_revoke_is_made_good),
		cmocka_unit_test(failed_unlock_backs_off),
		cmocka_unit_test(failed_services_are_tried_again_and_keep_the_volume_open),
		cmocka_unit_test(lock_interrupts_an_unlock),
		cmocka_unit_test(kernel_side_lock_takes_the_services_down),
		cmocka_unit_test(operator_lock_sticks),
		cmocka_unit_test(operator_lock_of_a_locked_volume_sticks),
		cmocka_unit_test(late_adoption_waits_for_its_first_probe),
		cmocka_unit_test(reason_follows_the_cause_while_locked),
		cmocka_unit_test(flapping_does_not_bounce_services),
		cmocka_unit_test(causes_in_a_row_come_back_soon),
		cmocka_unit_test(a_single_loss_comes_back_at_once),
		cmocka_unit_test(opened_by_another_hand),
		cmocka_unit_test(key_on_its_way_into_a_lock_is_taken_back),
		cmocka_unit_test(gone_from_every_state),
		cmocka_unit_test(random_walk_keeps_the_promise),
		cmocka_unit_test(budget_is_cut_to_fit),
		cmocka_unit_test(every_reason_has_a_remedy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# The lease: what is shorter locks nothing, what is longer locks in time, and no dead agent changes that.
# shellcheck source=tests/integration/lib.sh
. /cmk/tests/lib.sh

# stay_dead: the agent is not to come back by itself when it is killed
stay_dead()
{
	printf '[Service]\nRestart=no\n' >"/run/systemd/system/$AGENT.d/stay-dead.conf"
	systemctl daemon-reload
}

# untouched PID GENERATION: the volume was never locked
untouched()
{
	[ "$(writer_pid)" = "$1" ] && [ "$(kernel_field 3)" = "$2" ] && kernel_is available
}

lease_was_renewed() { [ "$(kernel_field 4)" -gt $(((LEASE_S - PROBE_S * 2) * 1000)) ]; }

short_outage_locks_nothing()
{
	local pid generation
	pid=$(writer_pid) generation=$(kernel_field 3)
	vaultctl hang --on all >/dev/null
	sleep $((LEASE_S - BUDGET_S - PROBE_S - 2))
	expect "untouched during the outage" untouched "$pid" "$generation" || return
	expect "the outage was one" not lease_was_renewed || return
	vaultctl clear >/dev/null
	within 12000 "the lease is renewed after it" lease_was_renewed || return
	expect "untouched after it" untouched "$pid" "$generation"
}

long_outage_locks_in_order_before_the_deadline()
{
	local deadline
	vaultctl hang --on all >/dev/null
	sleep 3
	deadline=$(($(now_ms) + $(kernel_field 4)))
	within $((LEASE_S * 1000)) "locked" locked || return
	expect "before the deadline" test "$(now_ms)" -le "$deadline" || return
	expect "the unit stopped in order" test "$(systemctl show -P Result "$UNIT")" = success || return
	vaultctl clear >/dev/null
	within 25000 "back by itself" open_and_well
}

killed_agent_leaves_the_lease_to_the_kernel()
{
	local deadline off
	stay_dead
	systemctl kill -s KILL "$AGENT"
	wait_for 5 not systemctl is-active -q "$AGENT"
	deadline=$(($(now_ms) + $(kernel_field 4)))
	within $(((LEASE_S + 2) * 1000)) "locked by the kernel" kernel_is inaccessible || return
	off=$(($(now_ms) - deadline))
	expect "at the deadline, not $off ms off" test ${off#-} -le 1000 || return
	expect "the reason is the lease" test "$(kernel_field 2)" = lease-expired || return
	expect "reading fails" not read_mapped || return
	systemctl start "$AGENT"
	within 30000 "the agent that returns unlocks" open_and_well
}

stopped_agent_leaves_the_lease_to_the_kernel()
{
	local deadline off pid
	pid=$(systemctl show -P MainPID "$AGENT")
	stay_dead
	kill -STOP "$pid"
	sleep 0.5
	deadline=$(($(now_ms) + $(kernel_field 4)))
	within $(((LEASE_S + 2) * 1000)) "locked by the kernel" kernel_is inaccessible || return
	off=$(($(now_ms) - deadline))
	expect "at the deadline, not $off ms off" test ${off#-} -le 1000 || return
	kill -CONT "$pid"
	within 30000 "it unlocks when it runs again" open_and_well
}

restarted_agent_adopts()
{
	local pid generation
	pid=$(writer_pid) generation=$(kernel_field 3)
	systemctl restart "$AGENT"
	within 10000 "adopted" open_and_well || return
	sleep $((PROBE_S * 2))
	expect "untouched" untouched "$pid" "$generation" || return
	expect "and leased" lease_was_renewed
}

# other_worker PID: there is a worker, and not that one
other_worker() { [ -n "$(pgrep -x cmk-kms)" ] && [ "$(pgrep -x cmk-kms)" != "$1" ]; }

killed_worker_is_replaced()
{
	local pid generation worker
	pid=$(writer_pid) generation=$(kernel_field 3)
	worker=$(pgrep -x cmk-kms)
	expect "there is a worker" test -n "$worker" || return
	pkill -KILL -x cmk-kms
	within 10000 "there is another one" other_worker "$worker" || return
	sleep $((PROBE_S * 2))
	expect "untouched" untouched "$pid" "$generation" || return
	within 10000 "and leased" lease_was_renewed
}

# A worker that does not answer costs the time of an operation with all its exchanges, so the lease is longer here.
stopped_worker_is_replaced()
{
	local pid generation TIMEOUT_S=2 LEASE_S=40
	world_config "$CONF" "mount = $MOUNT" "units = $UNIT"
	systemctl restart "$AGENT"
	within 15000 "the longer lease" lease_was_renewed || return
	pid=$(writer_pid) generation=$(kernel_field 3)
	pkill -STOP -x cmk-kms
	within $((LEASE_S * 1000)) "another one renews the lease" renewed_since "$(now_ms)" || return
	expect "untouched" untouched "$pid" "$generation"
}

# renewed_since MS: the kernel's lease ends later than one that was given at that time
renewed_since() { [ $(($(now_ms) + $(kernel_field 4) - LEASE_S * 1000)) -gt "$1" ]; }

lying_vault_renews_nothing()
{
	local fault t0
	for fault in wrong-answer replay garbage truncate; do
		vaultctl "$fault" >/dev/null
		sleep 1
		t0=$(now_ms)
		sleep $((PROBE_S * 2))
		expect "$fault renews no lease" not renewed_since "$t0" || return
		expect "$fault locks nothing" kernel_is available || return
		vaultctl clear >/dev/null
		within 12000 "the truth does, after $fault" renewed_since "$(now_ms)" || return
	done
}

tests short_outage_locks_nothing long_outage_locks_in_order_before_the_deadline \
	killed_agent_leaves_the_lease_to_the_kernel stopped_agent_leaves_the_lease_to_the_kernel \
	restarted_agent_adopts killed_worker_is_replaced stopped_worker_is_replaced lying_vault_renews_nothing

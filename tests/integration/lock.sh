#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# A revocation locks in order, its end unlocks by itself, and nothing is lost.
# shellcheck source=tests/integration/lib.sh
. /cmk/tests/lib.sh

precious() { [ "$(cat "$MOUNT/file")" = precious ]; }

opens_mounts_and_closes()
{
	expect "the file is there" precious || return
	expect "reading works" read_mapped || return
	expect "status tells the KEK" test "$(agent_field kek)" = "$(cat "$work/kek")" || return
	expect "close" cmkctl close "$VOLUME" >/dev/null || return
	expect "the unit stopped" not systemctl is-active -q "$UNIT" || return
	expect "unmounted" not mountpoint -q "$MOUNT" || return
	expect "the mapping is gone" not dmsetup info "$VOLUME" >/dev/null 2>&1 || return
	expect "its state is Closed" agent_is Closed
}

# revoked_and_back REASON TAKE GIVE: the two are what the owner does
revoked_and_back()
{
	$2 >/dev/null || { fail "vaultctl: $2"; return; }
	within "$LOCK_MS" "locked" locked || return
	expect "the reason is $1" reason_is "$1" || return
	expect "since when is told" test -n "$(agent_field since)" || return
	expect "what to do is told" test -n "$(agent_field remedy)" || return
	expect "the unit stopped" not systemctl is-active -q "$UNIT" || return
	expect "reading fails" not read_mapped || return
	expect "with ENODEV" grep -q 'No such device' "$work/dd" || return
	$3 >/dev/null || { fail "vaultctl: $3"; return; }
	within "$((PROBE_S * 1100 + 10000))" "back by itself" open_and_well || return
	expect "nothing was lost" precious
}

disabled_key_locks_and_enabled_unlocks()
{
	revoked_and_back KeyDisabled "vaultctl disable $KEK_NAME" "vaultctl enable $KEK_NAME"
}

deleted_key_locks_and_recovered_unlocks()
{
	revoked_and_back KeyNotFound "vaultctl delete $KEK_NAME --now" "vaultctl recover $KEK_NAME --now"
}

removed_role_locks_and_restored_unlocks()
{
	revoked_and_back ForbiddenByRbac "vaultctl role remove" "vaultctl role restore"
}

firewall_locks_and_its_end_unlocks()
{
	revoked_and_back ForbiddenByFirewall "vaultctl firewall on" "vaultctl firewall off"
}

expired_key_locks_although_the_vault_unwraps()
{
	revoked_and_back KeyExpired "vaultctl expire $KEK_NAME" "vaultctl no-dates $KEK_NAME"
}

operators_lock_stays_until_unlock()
{
	expect "lock" cmkctl lock "$VOLUME" >/dev/null || return
	expect "locked" locked || return
	sleep $((PROBE_S * 3))
	expect "still locked after valid probes" locked || return
	expect "the reason is the operator's" reason_is OperatorLock || return
	expect "unlock" cmkctl unlock "$VOLUME" >/dev/null || return
	within 10000 "open again" open_and_well
}

# a process that the agent knows nothing of sits in the mount
busy_filesystem_does_not_keep_the_key()
{
	(cd "$MOUNT" && exec sleep 60) &
	local holder=$!
	vaultctl disable "$KEK_NAME" >/dev/null
	within "$((LOCK_MS + BUDGET_S * 1000))" "the kernel let go of the key" kernel_is inaccessible || return
	expect "reading fails" not read_mapped || return
	kill "$holder" 2>/dev/null
	vaultctl enable "$KEK_NAME" >/dev/null
	within 25000 "back by itself" open_and_well
}

tests opens_mounts_and_closes disabled_key_locks_and_enabled_unlocks deleted_key_locks_and_recovered_unlocks \
	removed_role_locks_and_restored_unlocks firewall_locks_and_its_end_unlocks \
	expired_key_locks_although_the_vault_unwraps operators_lock_stays_until_unlock \
	busy_filesystem_does_not_keep_the_key

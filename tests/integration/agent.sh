#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# cmk-agent with the real module, worker, systemd and test vault, in a guest whose disk may be lost: each promise of
# Documentation/agent.md once, by what a user can observe. Prints TAP. Run by `make check-agent`.
set -uo pipefail
# shellcheck source=tests/guest/world.sh
. /cmk/world.sh

# shellcheck disable=SC2034 # world_config reads them
BUDGET_S=8
PROBE_S=3
CONFIRM_S=1
LEASE_S=30
SECOND=second
POINT=/srv/data
WRITER=cmk-test-writer.service
n=0

# check NAME COMMAND...: one test
check()
{
	local name=$1
	shift
	n=$((n + 1))
	if "$@" >/run/check 2>&1; then
		echo "ok $n - $name"
		return
	fi
	echo "not ok $n - $name"
	{
		echo "$*"
		cat /run/check
		cmkctl status
		dmsetup status
		journalctl -u "$AGENT" -n 15 --no-pager -o short-monotonic
	} 2>&1 | sed 's/^/# /'
}

not() { ! "$@"; }
field_is() { [ "$(agent_field "$1")" = "$2" ]; }
kernel_reason() { [ "$(kernel_field 2)" = "$1" ]; }
# counter NAME VALUE: of the kernel's status line
counter() { dmsetup status "$VOLUME" | grep -q " $1:$2\>"; }
invocation() { systemctl show -P InvocationID "$WRITER"; }
agent_pid() { systemctl show -P MainPID "$AGENT"; }
worker_pid() { cmkctl status --json | jq -r '.agent.worker_pid'; }
serves() { systemctl is-active -q "$WRITER" && mountpoint -q "$POINT"; }
# down BEGIN: the writer was stopped by systemd, and not by losing its disk
stopped_in_order() { journalctl -u "$WRITER" --since "@$1" --no-pager | grep -q 'Stopped' &&
	! journalctl -u "$WRITER" --since "@$1" --no-pager | grep -qE 'Failed|No such device|Input/output'; }
is_down() { agent_is Inaccessible && field_is job '' && not mountpoint -q "$POINT" &&
	not systemctl is-active -q "$WRITER"; }
is_up() { agent_is Available && serves; }
logged() { journalctl -u "$AGENT" --since "@$1" --no-pager | grep -q -e "$2"; }
# ask LINE: one line to the control socket, as any program would
ask() { perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(Peer => "/run/cmk/agent.sock") or die;
	print $s "$ARGV[0]\n"; print while <$s>' "$1"; }
refused() { ask "$1" | jq -e --arg w "$2" '.exit > 0 and (.error | test($w))'; }

prepare()
{
	local loop
	world_cloud || vaultctl ping --wait 120 || return
	install -D -m 0644 /run/testvault/ca.pem /etc/cmk/test-ca.pem
	vaultctl create-key "$KEK_NAME" --size 2048 >/dev/null || return
	truncate -s 64M /run/second.img
	loop=$(losetup -f --show /run/second.img)
	world_config "$CONF" "mount = $POINT" "units = $WRITER"
	printf '[volume %s]\ndevice = %s\n' "$SECOND" "$loop" >>"$CONF"
	mkdir -p "$POINT"
	cat >"/run/systemd/system/$WRITER" <<-END
		[Service]
		ExecStart=/bin/bash -c 'cd $POINT || exit; while date >>log && sync log; do sleep 0.2; done'
	END
	systemctl daemon-reload
	modprobe dm-cmk && systemctl start "$AGENT" &&
		cmkctl format --yes "$DISK" --kek "https://$VAULT/keys/$KEK_NAME" &&
		cmkctl format --yes "$loop" --kek "https://$VAULT/keys/$KEK_NAME" &&
		cmkctl open "$VOLUME" --no-start && cmkctl open "$SECOND" --no-start && mkfs.ext4 -q "$MAPPED"
}

one_probe_for_two_volumes()
{
	local from probes unwraps
	from=$(vaultctl log | jq -s 'map(.id) | max')
	probes=$(cmkctl status --json | jq .agent.probes)
	sleep 9
	probes=$(($(cmkctl status --json | jq .agent.probes) - probes))
	unwraps=$(vaultctl count --on unwrap --since "$from")
	echo "$probes probes, $unwraps unwraps"
	[ "$probes" -ge 2 ] && [ "$unwraps" -le $((probes + 1)) ] && [ "$unwraps" -ge $((probes - 1)) ]
}

# the test vault's sockets show that it would be seen
no_socket()
{
	ss -Hanp -A inet >/run/sockets && grep -q '"cmk-testvault"' /run/sockets &&
		not grep '"cmk-agent' /run/sockets
}

# lease_holds SECONDS: the kernel's lease never falls below the rest that a missed renewal would leave
lease_holds()
{
	local i left
	for ((i = 0; i < $1; i++)); do
		left=$(kernel_field 4)
		[ "$left" -gt $(((LEASE_S - 3 * PROBE_S) * 1000)) ] || { echo "$left ms left"; return 1; }
		sleep 1
	done
}

ordinary_life()
{
	check "unlock mounts and starts the unit" cmkctl unlock "$VOLUME"
	check "... which serves" is_up
	check "the lease is renewed" lease_holds 8
	check "two volumes of one KEK share its probes" one_probe_for_two_volumes
	check "systemd is told the state" eval "systemctl show -P StatusText $AGENT | grep -q '2 volumes: 2 Available'"
	check "root's process has no network socket" no_socket
	check "what is no JSON is refused" refused hello JSON
	check "an unknown operation is refused" refused '{"op":"frobnicate"}' op
	check "an unknown flag is refused" refused "{\"op\":\"lock\",\"volume\":\"$VOLUME\",\"imediate\":true}" immediate
	check "an unknown volume is refused" refused '{"op":"lock","volume":"nosuch"}' nosuch
	check "... and nothing came of it" is_up
}

revocation()
{
	local t0
	t0=$(date +%s)
	vaultctl disable "$KEK_NAME"
	check "KEK disabled: locked within a probe, its confirmation and 10 s" \
		wait_for $((PROBE_S + CONFIRM_S + 10)) agent_is Inaccessible
	check "... services and mount down" wait_for 10 is_down
	check "... in order" stopped_in_order "$t0"
	check "... reason KeyDisabled in status and kernel" eval 'field_is reason KeyDisabled && kernel_reason KeyDisabled'
	check "... with a remedy" eval '[ -n "$(agent_field remedy)" ]'
	check "unlock says that the key is revoked" eval "cmkctl unlock $VOLUME; [ \$? = 10 ]"
	vaultctl enable "$KEK_NAME"
	check "KEK enabled: back by itself within a probe and 10 s" wait_for $((PROBE_S + 10)) is_up
}

outages()
{
	local before
	before=$(invocation)
	vaultctl hang --on all >/dev/null
	check "vault hangs: AtRisk, with the deadline" wait_for 20 eval 'agent_is AtRisk && [ -n "$(agent_field deadline)" ]'
	check "... and serves on" serves
	vaultctl clear >/dev/null
	check "vault back within the lease: Available" wait_for 15 agent_is Available
	check "... and nothing was restarted" [ "$(invocation)" = "$before" ]
	vaultctl wrong-answer >/dev/null
	check "a vault without the key renews nothing" wait_for 15 field_is reason ProofFailed
	vaultctl clear >/dev/null
	check "... and the true one does again" wait_for 15 agent_is Available
	before=$(date +%s)
	vaultctl hang --on all >/dev/null
	check "long outage: locked" wait_for $((LEASE_S + 5)) agent_is Inaccessible
	check "... in order, before the lease ended" eval "wait_for 10 is_down && stopped_in_order $before && counter lease_ends 0"
	check "... for being unreachable" kernel_reason Unreachable
	vaultctl clear >/dev/null
	check "vault back: back by itself" wait_for $((PROBE_S + 15)) is_up
}

by_hand()
{
	check "lock answers when it is done" eval "cmkctl lock $VOLUME && is_down && kernel_reason OperatorLock"
	systemctl restart "$AGENT"
	sleep $((PROBE_S * 2))
	check "a lock by hand is sticky over a restart" is_down
	check "unlock lifts it" eval "cmkctl unlock $VOLUME && is_up"
	check "lock --immediate" eval "cmkctl lock --immediate $VOLUME && is_down && cmkctl unlock $VOLUME && is_up"
	dmsetup message "$VOLUME" 0 revoke
	check "a revoke message by hand is seen, and sticky" eval "wait_for 15 is_down && sleep $((PROBE_S * 2)) && is_down"
	check "... until unlock" eval "cmkctl unlock $VOLUME && is_up"
}

# close_is_refused HOLDER
close_is_refused()
{
	local rc=0
	cmkctl close "$VOLUME" >/run/close 2>&1 || rc=$?
	cat /run/close
	[ $rc = 5 ] && grep -qF "$1" /run/close
}

busy_filesystem()
{
	local holder
	tail -f "$POINT/log" >/dev/null &
	holder=$!
	check "close of a busy volume is refused, its holder named" close_is_refused "tail($holder)"
	check "... and the unit runs again" wait_for 20 is_up
	vaultctl disable "$KEK_NAME"
	check "busy filesystem: the key goes all the same, the holder is named" \
		wait_for 30 eval "is_down && agent_field error | grep -q 'tail($holder)'"
	check "... and reads fail" not head -c 1 "/proc/$holder/fd/3"
	vaultctl enable "$KEK_NAME"
	kill "$holder"
	wait "$holder" 2>/dev/null
	check "the holder is gone: back by itself" wait_for 60 is_up
}

deaths()
{
	local before
	before=$(invocation)
	kill -KILL "$(worker_pid)"
	check "worker killed: replaced, no lease lost" lease_holds 8
	kill -KILL "$(agent_pid)"
	check "agent killed: the next one adopts, and renews" eval "wait_for 20 agent_is Available && lease_holds 5"
	check "... and nothing was restarted" [ "$(invocation)" = "$before" ]

	cmkctl lock "$VOLUME" >/dev/null
	cmkctl unlock "$VOLUME" >/dev/null 2>&1 &
	wait_for 20 kernel_is available
	kill -KILL "$(agent_pid)"
	check "agent killed in the middle of an unlock: the next one ends it" wait_for 40 is_up

	mkdir -p "/run/systemd/system/$WRITER.d"
	printf '[Service]\nTimeoutStopSec=90\nExecStop=/bin/sleep 80\n' >"/run/systemd/system/$WRITER.d/slow.conf"
	systemctl daemon-reload
	vaultctl disable "$KEK_NAME"
	wait_for 15 agent_is Locking
	check "agent stopped while a unit does not stop: the lock is carried to its end" \
		eval "timeout 60 systemctl stop $AGENT && kernel_reason KeyDisabled"
	rm -r "/run/systemd/system/$WRITER.d"
	systemctl daemon-reload
	vaultctl enable "$KEK_NAME"
	systemctl start "$AGENT"
	check "... and the next one unlocks" wait_for 40 is_up

	vaultctl hang --on all >/dev/null
	kill -STOP "$(agent_pid)"
	check "agent stopped dead, vault hung: the kernel's lease ends it" \
		eval "wait_for $((LEASE_S + 5)) kernel_is inaccessible && kernel_reason lease-expired"
	vaultctl clear >/dev/null
	check "the watchdog brings another agent, which unlocks" wait_for 90 is_up
}

configuration()
{
	local t0
	t0=$(date +%s)
	cp "$CONF" /run/good.conf
	echo 'nonsense = 1' >>"$CONF"
	systemctl reload "$AGENT"
	check "a bad configuration is told" wait_for 5 logged "$t0" 'nonsense.*former configuration stays'
	cp /run/good.conf "$CONF" # cmkctl would refuse the bad one too
	check "... and the former one stays in force" eval "[ '$(agent_pid)' = \"\$(agent_pid)\" ] && is_up"
	sed 's/^vaults = .*/vaults = other.vault.azure.net/' /run/good.conf >"$CONF"
	systemctl reload "$AGENT"
	check "a vault that is no longer pinned proves nothing" wait_for 10 field_is reason NotPinned
	check "... and serves on meanwhile" serves
	cp /run/good.conf "$CONF"
	systemctl reload "$AGENT"
	check "pinned again" wait_for 10 is_up
	check "close" eval "cmkctl close $VOLUME && not test -e $MAPPED && cmkctl close $SECOND"
	check "... leaves nothing beside the socket" eval "[ \"\$(ls /run/cmk)\" = agent.sock ]"
}

check "two volumes are formatted and opened" prepare
if [ -e "$MAPPED" ]; then
	ordinary_life
	revocation
	outages
	by_hand
	busy_filesystem
	deaths
	configuration
fi
echo "1..$n"

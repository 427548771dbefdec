# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# What the integration tests share: TAP, and one volume that each test finds open, mounted, with a unit at work on it.
# A test is a function; `tests NAME...` runs them, each from the same beginning. To be sourced by bash in the guest.
# shellcheck shell=bash disable=SC2034

# world_config, in the subshell of a test that wants other times, reads these
PROBE_S=2 CONFIRM_S=1 LEASE_S=16 BUDGET_S=6
# a probe interval with its jitter and the confirming probe, and time for the steps of a lock on a slow machine
LOCK_MS=$((PROBE_S * 1100 + CONFIRM_S * 1000 + 10000))
# shellcheck source=tests/guest/world.sh
. /cmk/world.sh

MOUNT=/mnt/volume
UNIT=cmk-writer.service
KEK=https://$VAULT/keys/$KEK_NAME
work=/run/integration

fail() { echo "# $*"; return 1; }

# expect TEXT COMMAND...: fails the test, with TEXT, when the command fails
expect()
{
	local text=$1
	shift
	"$@" || { fail "$text"; describe; return 1; }
}

# within MS TEXT COMMAND...: the same, for what must become true in time
within()
{
	local ms=$1 text=$2 t0
	shift 2
	t0=$(now_ms)
	wait_for $(((ms + 999) / 1000)) "$@" || { fail "$text: not within $ms ms"; describe; return 1; }
	echo "# $text: after $(($(now_ms) - t0)) ms"
}

describe()
{
	dmsetup status "$VOLUME" 2>&1 | sed 's/^/#   kernel: /'
	cmkctl status "$VOLUME" 2>&1 | sed 's/^/#   /'
	journalctl -u "$AGENT" -n 12 -o cat --no-pager | grep -v 'valid (OK)' | sed 's/^/#   agent: /'
}

# not COMMAND...: a negation that can stand as a word
not() { ! "$@"; }

reason_is() { [ "$(agent_field reason)" = "$1" ]; }
open_and_well() { agent_is Available && mountpoint -q "$MOUNT" && systemctl is-active -q "$UNIT"; }
locked() { agent_is Inaccessible && kernel_is inaccessible && not mountpoint -q "$MOUNT"; }

# read_mapped: a direct read of the mapped device, past every cache
read_mapped() { dd if="$MAPPED" of=/dev/null bs=4096 count=1 iflag=direct 2>"$work/dd"; }

# writer_pid: the process of the unit on the volume; another one if it was ever stopped
writer_pid() { systemctl show -P MainPID "$UNIT"; }

# clear_up: no agent, no mapping, no fault, and the owner gives everything
clear_up()
{
	systemctl stop "$AGENT" "$UNIT" 2>/dev/null
	systemctl reset-failed "$AGENT" "$UNIT" 2>/dev/null
	! mountpoint -q "$MOUNT" || umount -l "$MOUNT"
	! dmsetup info "$VOLUME" >/dev/null 2>&1 || dmsetup remove --retry "$VOLUME"
	vaultctl clear >/dev/null
	vaultctl recover "$KEK_NAME" --now >/dev/null 2>&1
	{ vaultctl enable "$KEK_NAME" && vaultctl role restore; } >/dev/null
}

# suite_begin: the world, and a formatted volume with a filesystem, once
suite_begin()
{
	mkdir -p "$work" "$MOUNT" "/run/systemd/system/$AGENT.d"
	world_cloud && modprobe dm-cmk || return
	vaultctl create-key "$KEK_NAME" --size 2048 >"$work/kek" || return
	world_config "$CONF"
	cat >"/run/systemd/system/$UNIT" <<-END
		[Service]
		Type=exec
		ExecStart=/bin/sh -c 'exec 9>>$MOUNT/rows; while :; do echo row >&9; sleep 1; done'
	END
	systemctl daemon-reload
	cmkctl format "$DISK" --kek "$KEK" --yes --force >/dev/null && cmkctl open "$VOLUME" >/dev/null 2>&1 || return
	mke2fs -q -t ext4 "$MAPPED" && mount "$MAPPED" "$MOUNT" || return
	echo precious >"$MOUNT/file"
	umount "$MOUNT" && cmkctl close "$VOLUME" >/dev/null || return
	dd if="$DISK" of="$work/header" bs=1M count=16 2>/dev/null
}

# test_begin: whatever the last test left behind is put right
test_begin()
{
	clear_up || return
	dd if="$work/header" of="$DISK" bs=1M conv=notrunc,fsync 2>/dev/null
	rm -f "/run/systemd/system/$AGENT.d/"*
	systemctl daemon-reload
	world_config "$CONF" "mount = $MOUNT" "units = $UNIT"
	systemctl start "$AGENT" && cmkctl open "$VOLUME" >/dev/null || return
	wait_for 20 open_and_well
}

# tests NAME...: runs the functions of these names
tests()
{
	local name n=0 failed=0
	echo "1..$#"
	expect "the world could not be made" suite_begin || { echo "not ok 1 $1"; exit 1; }
	for name; do
		n=$((n + 1))
		if expect "the test's beginning" test_begin && "$name"; then
			echo "ok $n $name"
		else
			echo "not ok $n $name"
			failed=$((failed + 1))
		fi
	done
	clear_up
	exit $((failed > 0))
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# Bad input to a running agent, and what nobody may ever see: the key, outside the kernel.
# shellcheck source=tests/integration/lib.sh
. /cmk/tests/lib.sh

wrong_configuration_is_refused_whole()
{
	systemctl stop "$AGENT"
	local line
	for line in 'probe_intervall = 3s' 'lease = 1s' 'probe_interval = never' 'nonsense'; do
		world_config "$CONF" "mount = $MOUNT"
		sed -i "0,/\[agent\]/s//[agent]\n$line/" "$CONF"
		timeout 10 cmk-agent >"$work/out" 2>&1
		expect "'$line' ends with 1" test $? = 1 || return
		expect "'$line': the error names file and line" grep -q "$CONF:2" "$work/out" || { cat "$work/out"; return 1; }
	done
}

wrong_configuration_at_reload_keeps_the_old_one()
{
	local pid
	pid=$(writer_pid)
	sed -i 's/^lease = .*/lease = nonsense/' "$CONF"
	systemctl reload "$AGENT" 2>/dev/null
	sleep $((PROBE_S * 2))
	expect "the agent runs on" systemctl is-active -q "$AGENT" || return
	expect "the volume too" kernel_is available || return
	expect "its unit too" test "$(writer_pid)" = "$pid" || return
	expect "cmkctl says what is wrong, and where" eval "cmkctl status 2>&1 | grep -q '$CONF:4'" || return
	expect "the error is logged" eval "journalctl -u $AGENT -o cat | grep -q '$CONF:4'"
}

# a word changed in the token by someone who can write to the disk
tampered_token_does_not_open()
{
	cryptsetup token export --token-id 0 "$DISK" >"$work/token"
	jq -c '.created += 1' "$work/token" >"$work/tampered"
	cryptsetup token import --token-id 0 --token-replace --json-file "$work/tampered" "$DISK" || return
	cmkctl lock "$VOLUME" >/dev/null
	cmkctl unlock "$VOLUME" >"$work/out" 2>&1
	expect "unlock ends with 13" test $? = 13 || { cat "$work/out"; return 1; }
	expect "still locked" kernel_is inaccessible || return
	cryptsetup token import --token-id 0 --token-replace --json-file "$work/token" "$DISK" || return
	expect "the true token opens" cmkctl unlock "$VOLUME" >/dev/null
}

garbage_on_the_control_socket_is_refused()
{
	local word
	for word in 'nonsense' '{}' '{"op":"format"}' '{"op":"lock","volume":"../../etc"}' '{"op":"status"' '[[[[[['; do
		printf '%s\n' "$word" | socat -t 3 - UNIX-CONNECT:/run/cmk/agent.sock >"$work/out"
		expect "'$word' gets an error" jq -e '.error | length > 0' "$work/out" >/dev/null || return
	done
	head -c 100000 /dev/zero | tr '\0' 'x' | socat -t 3 - UNIX-CONNECT:/run/cmk/agent.sock >/dev/null 2>&1
	expect "the agent runs on" open_and_well || return
	expect "nobody else may connect" not setpriv --reuid=nobody --clear-groups socat -u OPEN:/dev/null \
		UNIX-CONNECT:/run/cmk/agent.sock 2>/dev/null
}

# needles FILE: the DEK and its halves, as hex and as base64, one a line
needles()
{
	local hex
	hex=$(od -An -v -tx1 "$1" | tr -d ' \n')
	printf '%s\n' "${hex:0:64}" "${hex:64}"
	base64 -w0 "$1" | cut -c 1-40
	base64 -w0 "$1" | tr '+/' '-_' | cut -c 1-40
}

key_is_nowhere_to_be_read()
{
	local token
	expect "the DEK, to look for" export_dek "$work" || return
	needles "$work/dek" >"$work/needles"
	cmkctl lock "$VOLUME" >/dev/null; cmkctl unlock "$VOLUME" >/dev/null
	{
		dmsetup table --showkeys
		journalctl -o export
		dmesg
		cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ
		cat /proc/keys
		cmkctl status --json; cmkctl dump "$VOLUME" --json
		find /run/cmk /etc/cmk -type f -exec cat {} +
	} 2>/dev/null >"$work/haystack"
	expect "something was searched" test "$(stat -c %s "$work/haystack")" -gt 10000 || return
	expect "no DEK" not grep -a -i -q -F -f "$work/needles" "$work/haystack" || return
	token=$(jq -r .access_token "$work/imds.json")
	expect "no access token" not grep -a -q -F "${token: -60}" "$work/haystack"
}

crash_leaves_no_core()
{
	local program
	ulimit -c unlimited
	echo "$work/core.%e" >/proc/sys/kernel/core_pattern
	sh -c 'kill -SEGV $$' 2>/dev/null
	expect "cores are written here" test -n "$(echo "$work"/core.*)" || return
	rm -f "$work"/core.*
	for program in cmk-kms cmk-agent; do
		pkill -SEGV -x "$program"
		sleep 2
		expect "none of $program's" not ls "$work/core.$program" 2>/dev/null || return
	done
	within 20000 "the agent came back and adopted" open_and_well
}

root_opens_no_network_socket()
{
	local pid
	pid=$(systemctl show -P MainPID "$AGENT")
	strace -q -f -Y -e trace=socket -o "$work/strace" -p "$pid" &
	local tracer=$!
	sleep 2
	pkill -KILL -x cmk-kms
	sleep $((PROBE_S * 3))
	vaultctl disable "$KEK_NAME" >/dev/null
	within 30000 "locked" locked || return
	vaultctl enable "$KEK_NAME" >/dev/null
	within 30000 "open again" open_and_well || return
	kill "$tracer"
	wait "$tracer" 2>/dev/null
	expect "the worker's sockets were seen" grep -q 'cmk-kms.*AF_INET' "$work/strace" || return
	expect "and no other's" not eval "grep AF_INET '$work/strace' | grep -v cmk-kms"
}

tests wrong_configuration_is_refused_whole wrong_configuration_at_reload_keeps_the_old_one tampered_token_does_not_open \
	garbage_on_the_control_socket_is_refused key_is_nowhere_to_be_read crash_leaves_no_core root_opens_no_network_socket

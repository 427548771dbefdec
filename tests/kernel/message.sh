#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The messages: a wrong one is refused with an errno and one line in the log that says what to do, and changes nothing.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

base="aes-xts-plain64 :64:cmk:t:64 0 $ram 0"
create "$base" || exit 1

# refused TEXT WORDS...
refused()
{
	text=$1
	shift
	before=$(dmsetup status cmk)
	dmesg -c >/dev/null
	if dmsetup message cmk 0 "$@" 2>/dev/null; then
		echo "accepted"
		return 1
	fi
	dmesg | grep -q "cmk: .*message refused: .*$text" || { dmesg; return 1; }
	[ "$(dmsetup status cmk)" = "$before" ] || { dmsetup status cmk; return 1; }
}

ok "an unknown message" refused "send key, lease or revoke" frobnicate
ok "an unknown message with the name's case wrong" refused "send key, lease or revoke" Revoke
ok "key without a key" refused "send: key" key
ok "key with two keys" refused "send: key" key :64:cmk:t:64 :64:cmk:t:64
ok "key -" refused "send revoke" key -
ok "key in hexadecimal" refused "hexadecimal is refused" key 00112233
ok "key that does not exist" refused "not found in the caller's keyrings" key :64:cmk:t:none
ok "key of another size" refused "another size" key :32:cmk:t:64
ok "key of type user" refused "must be cmk or logon" key :64:user:t:64
ok "lease without a time" refused "send: lease" lease
ok "lease of nothing" refused "give milliseconds" lease 0
ok "lease that is negative" refused "give milliseconds" -- lease -5
ok "lease with a unit" refused "give milliseconds" lease 5s
ok "lease that is too long" refused "give milliseconds" lease 604800001
ok "revoke with two reasons" refused "send: revoke" revoke one two
ok "revoke with a reason that would break the status line" refused "one word" revoke 'a:b'
ok "revoke with a reason of 33 characters" refused "one word" revoke 123456789012345678901234567890123
ok "revoke with the reason -" refused "one word" revoke -

longest_reason()
{
	dmsetup message cmk 0 revoke 12345678901234567890123456789.-_ &&
		dmsetup status cmk | grep -q "inaccessible 12345678901234567890123456789.-_ 1 "
}
ok "a reason of 32 characters is kept" longest_reason

remove
done_testing

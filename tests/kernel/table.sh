#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The table line: what is accepted comes back as it was given, what is refused is refused with an error that says what
# and what to do, and no key is ever shown.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

add_key cmk t:32 32
add_key logon t:64 64

# accepted LINE [SHOWN]
accepted()
{
	create "$1" || { echo "refused: $log"; return 1; }
	shown=$(dmsetup table cmk | sed -e "s,^0 $sectors cmk ,," -e "s, [0-9]*:[0-9]* , $ram ,")
	remove
	[ "$shown" = "${2-$1}" ] || { echo "shown as '$shown'"; return 1; }
}

# refused LINE TEXT: TEXT is part of the error
refused()
{
	if create "$1"; then
		remove
		echo "accepted"
		return 1
	fi
	case $log in
	*"$2"*) ;;
	*) echo "the error is '$log', not '$2'"; return 1 ;;
	esac
	[ "$(dmsetup ls)" = "No devices found" ] || { echo "left behind: $(dmsetup ls)"; return 1; }
}

base="aes-xts-plain64 :64:cmk:t:64 0 $ram 0"
with() { echo "$base $*"; }

while IFS='|' read -r line shown; do
	[ -n "$line" ] || continue
	eval "line=\"$line\" shown=\"${shown:-$line}\""
	# shellcheck disable=SC2154 # set by eval
	ok "accepted: ${line#"$base"}" accepted "$line" "$shown"
done <<'END'
$base
aes-xts-plain64 :32:cmk:t:32 0 $ram 0
aes-xts-plain64 :64:logon:t:64 0 $ram 0
aes-xts-plain64 - 0 $ram 0
aes-xts-plain64 :64:cmk:t:64 8 $ram 16
aes-xts-plain64 :64:cmk:t:64 18446744073709549560 $ram 0
$base 0|$base
$base 1 sector_size:512
$base 1 sector_size:1024
$base 1 sector_size:2048
$base 1 sector_size:4096|$base
$base 1 iv_large_sectors
$base 1 allow_discards
$base 1 lease:1000
$base 1 lease:604800000
$base 1 on_inaccessible:error|$base
$base 1 on_inaccessible:queue
$base 2 on_inaccessible:queue queue_timeout:30000|$base 1 on_inaccessible:queue
$base 2 queue_timeout:1 on_inaccessible:queue|$base 2 on_inaccessible:queue queue_timeout:1
$base 6 queue_timeout:5 on_inaccessible:queue lease:90000 allow_discards iv_large_sectors sector_size:512|$base 6 sector_size:512 iv_large_sectors allow_discards lease:90000 on_inaccessible:queue queue_timeout:5
END

# shellcheck disable=SC2034 # the lines below name it
hex=$(printf '%0128d' 7)
while IFS='|' read -r line text; do
	[ -n "$line" ] || continue
	eval "line=\"$line\""
	ok "refused: ${line#"$base"}" refused "$line" "$text"
done <<'END'
aes-xts-plain64 :64:cmk:t:64 0 $ram|give: aes-xts-plain64 <key>
aes-cbc-essiv:sha256 :64:cmk:t:64 0 $ram 0|only aes-xts-plain64
aes-xts-plain :64:cmk:t:64 0 $ram 0|only aes-xts-plain64
aes-xts-plain64be :64:cmk:t:64 0 $ram 0|only aes-xts-plain64
capi:xts(aes)-plain64 :64:cmk:t:64 0 $ram 0|only aes-xts-plain64
aes-xts-plain64 $hex 0 $ram 0|hexadecimal is refused
aes-xts-plain64 :48:cmk:t:64 0 $ram 0|the size must be 64
aes-xts-plain64 :064:cmk:t:64 0 $ram 0|the size must be 64
aes-xts-plain64 :64:user:t:64 0 $ram 0|the type must be cmk or logon
aes-xts-plain64 :64:encrypted:t:64 0 $ram 0|the type must be cmk or logon
aes-xts-plain64 :64:cmk: 0 $ram 0|the description must be
aes-xts-plain64 :64:cmk 0 $ram 0|the type must be cmk or logon
aes-xts-plain64 :64:cmk:t:none 0 $ram 0|not found in the caller's keyrings
aes-xts-plain64 :32:cmk:t:64 0 $ram 0|its payload has another size
aes-xts-plain64 :32:logon:t:64 0 $ram 0|its payload has another size
aes-xts-plain64 :64:cmk:t:64 -8 $ram 0|iv_offset: give a number
aes-xts-plain64 :64:cmk:t:64 8x $ram 0|iv_offset: give a number
aes-xts-plain64 :64:cmk:t:64 3 $ram 0|iv_offset must be a multiple of sector_size
aes-xts-plain64 :64:cmk:t:64 18446744073709551608 $ram 0|iv_offset: with the length
aes-xts-plain64 :64:cmk:t:64 0 /dev/nothing 0|device: it cannot be opened
aes-xts-plain64 :64:cmk:t:64 0 $ram -1|offset: give a number
aes-xts-plain64 :64:cmk:t:64 0 $ram 7|offset must be a multiple of sector_size
aes-xts-plain64 :64:cmk:t:64 0 $ram 18446744073709551608|offset: with the length
aes-xts-plain64 :64:cmk:t:64 0 $ram 32768|
$base 1|their number must precede
$base 2 allow_discards|their number must precede
$base x allow_discards|their number must precede
$base 1 allow_discards lease:5|their number must precede
$base 1 frobnicate|one is unknown
$base 1 same_cpu_crypt|one is unknown
$base 1 integrity:16:aead|one is unknown
$base 1 sector_siz:512|one is unknown
$base 2 allow_discards allow_discards|given twice
$base 1 sector_size|give sector_size:512
$base 1 sector_size:0|give sector_size:512
$base 1 sector_size:768|give sector_size:512
$base 1 sector_size:8192|give sector_size:512
$base 1 iv_large_sectors:1|takes no value
$base 1 allow_discards:1|takes no value
$base 1 lease:|give milliseconds
$base 1 lease:0|give milliseconds
$base 1 lease:+5|give milliseconds
$base 1 lease:604800001|give milliseconds
$base 1 on_inaccessible|on_inaccessible:error or
$base 1 on_inaccessible:panic|on_inaccessible:error or
$base 1 queue_timeout:5|goes with on_inaccessible:queue
$base 2 on_inaccessible:error queue_timeout:5|goes with on_inaccessible:queue
$base 2 on_inaccessible:queue queue_timeout:0|give milliseconds
END

not_whole_units()
{
	sectors=2044
	refused "$base" "start and length must be multiples"
}
ok "refused: a length that is no multiple of sector_size" not_whole_units

no_key_in_table()
{
	create "$base" || return
	lines=$(dmsetup table --showkeys cmk; dmsetup status cmk; dmsetup info -c cmk)
	remove
	case $lines in
	*6b6b6b6b*|*kkkkkkkk*) echo "$lines"; return 1 ;;
	esac
}
ok "no key material in table and status, not even with --showkeys" no_key_in_table

no_key_reason()
{
	create "aes-xts-plain64 - 0 $ram 0" || return
	line=$(dmsetup status cmk)
	remove
	case $line in
	"0 $sectors cmk inaccessible no-key 0 - 0 0 "*) ;;
	*) echo "$line"; return 1 ;;
	esac
}
ok "without a key the mapping starts inaccessible with reason no-key" no_key_reason

dash_while_inaccessible()
{
	create "$base" || return
	dmsetup message cmk 0 revoke
	line=$(dmsetup table cmk)
	remove
	case $line in
	"0 $sectors cmk aes-xts-plain64 - 0 "*) ;;
	*) echo "$line"; return 1 ;;
	esac
}
ok "the table line of an inaccessible mapping can be loaded again" dash_while_inaccessible

done_testing

# SPDX-License-Identifier: GPL-2.0
# What the shell tests share: TAP, and a mapping on brd. For busybox sh.
# shellcheck shell=dash disable=SC2034

# there is no udev in the guest: dmsetup makes the nodes itself
export DM_DISABLE_UDEV=1

ram=/dev/ram0
sectors=2048
tests=0
failures=0

# ok NAME COMMAND...: one test; what the command prints becomes diagnostics if it fails
ok()
{
	name=$1
	shift
	tests=$((tests + 1))
	if output=$("$@" 2>&1); then
		echo "ok $tests $name"
	else
		failures=$((failures + 1))
		echo "not ok $tests $name"
		echo "$output" | sed 's/^/# /'
	fi
}

# done_testing: the plan, and the exit code
done_testing()
{
	echo "1..$tests"
	exit $((failures > 0))
}

# add_key TYPE DESCRIPTION BYTES: a key of fixed bytes
add_key()
{
	head -c "$3" /dev/zero | tr '\0' "${4:-k}" | keyctl padd "$1" "$2" @s >/dev/null
}

# create PARAMS...: the device "cmk" with this table; what the kernel says of a refusal is in $log. The key t:64 is
# made anew, for an earlier device that went Inaccessible has zeroized it.
create()
{
	add_key cmk t:64 64
	dmesg -c >/dev/null
	rc=0
	dmsetup create cmk --table "0 $sectors cmk $*" >/dev/null 2>&1 || rc=$?
	log=$(dmesg | sed -n 's/.*device-mapper: table: [^ ]* cmk: //p')
	return "$rc"
}

remove()
{
	dmsetup remove --retry cmk 2>/dev/null
}

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest that is profiled: announces a device and an operation, and repeats it long enough for the host to
# follow every instruction for a while. The kernel's symbols go to a port of their own.
# shellcheck shell=dash
# shellcheck source=tests/bench/devices.sh

dir=/cmk/bench
. "$dir/devices.sh"

# operations that take the host's window and some; one batch, its figure is of no use
operations=60000

profile()
{
	make_device "$1" /dev/ram0 || return 1
	for op in read write; do
		"$dir/count" "$(device "$1")" "$op" "$bytes" "$operations" 1 >/dev/null &
		sleep 0.05
		echo "profile $1 $op"
		wait "$!" || return 1
		echo "over $1 $op"
	done
	dmsetup remove "$1"
}

main()
{
	read -r bytes <"$dir/bytes"
	load_modules && add_keys || return 1
	cat /proc/kallsyms >/dev/virtio-ports/cmk.symbols
	for config in $configs_few; do
		profile "$config" || return 1
	done
}

if [ "$1" = inside ]; then
	main
else
	exec keyctl session - "$0" inside
fi

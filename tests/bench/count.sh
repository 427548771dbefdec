#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs in the guest that counts instructions (one CPU). Prints one line a figure:
#	instructions <config> <read|write> <bytes> <least> <mean>
#	cipher <read|write> <unit bytes> <driver> <least>
#	allocations <config> <read|write> <bytes> <operations> <slab objects> <pages>
#	cost <kind> <count> <KiB each> <ms to make all> <to revoke> <to remove>
#	drain <in flight> <us of the revoke message> <us to the key's end>
# shellcheck shell=dash
# shellcheck source=tests/bench/devices.sh
# shellcheck source=tests/bench/allocs.sh

dir=/cmk/bench
. "$dir/devices.sh"
. "$dir/allocs.sh"

die() { echo "error $*"; dmesg | tail -n 5; exit 1; }

# cells: bytes:operations in a batch
cells='4096:64 65536:8 1048576:1'
batches=64

measure_cipher()
{
	for unit in 512 4096; do
		modprobe bench_cipher unit="$unit" || die "the cipher could not be measured"
		read -r driver encrypt decrypt </sys/module/bench_cipher/parameters/result
		rmmod bench_cipher
		echo "cipher read $unit $driver $decrypt"
		echo "cipher write $unit $driver $encrypt"
	done
}

# count_on CONFIG OP BYTES OPERATIONS BATCHES
count_on() { "$dir/count" "$(device "$1")" "$2" "$3" "$4" "$5"; }

measure_device()
{
	for cell in $cells; do
		bytes=${cell%:*}
		for op in read write; do
			figures=$(count_on "$1" "$op" "$bytes" "${cell#*:}" "$batches") ||
				die "$1: $op of $bytes bytes"
			echo "instructions $1 $op $bytes $figures"
		done
	done
}

# The same command twice, with more operations: what the difference allocates is the operations' own.
measure_allocations()
{
	for cell in $cells; do
		bytes=${cell%:*} ops=${cell#*:}
		for op in read write; do
			few=$(allocs_of count_on "$1" "$op" "$bytes" "$ops" 10) &&
				many=$(allocs_of count_on "$1" "$op" "$bytes" "$ops" 210) || die "$1: no trace of $op"
			echo "allocations $1 $op $bytes $((ops * 200)) $((${many% *} - ${few% *})) $((${many#* } - ${few#* }))"
		done
	done
}

# on_each WHAT CONFIGS: with a mapping of each
on_each()
{
	for config in $2; do
		make_device "$config" /dev/ram0 || die "no mapping $config"
		"$1" "$config"
		[ "$config" = brd ] || dmsetup remove "$config"
	done
}

main()
{
	load_modules || die "the modules could not be loaded"
	add_keys || die "the keys could not be added"
	measure_cipher
	on_each measure_device "$configs_all"
	on_each measure_allocations "$configs_few"
	"$dir/drain" 256 20 || die "the revocation under load"
	for kind in linear cmk-keyless cmk-own-keys; do
		"$dir/cost" "$kind" 1000 || die "the cost of $kind"
	done
	# each of these holds more than 1 MiB
	"$dir/cost" crypt4096 50 || die "the cost of crypt4096"
}

if [ "$1" = inside ]; then
	main
else
	exec keyctl session - "$0" inside
fi

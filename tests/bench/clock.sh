#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Runs in the full guest (two CPUs) for the wall clock: the same load on all mappings in turn, round by round, so that
# what disturbs the machine disturbs all alike. Prints:
#	clock <cell> <config> <round> <throughput> <p50 us> <p99 us> <p99.9 us>
# The file `pace` beside it has the number of rounds and the seconds of one load.
set -euo pipefail

dir=/cmk/bench
. "$dir/devices.sh"
read -r rounds seconds <"$dir/pace"
export LD_LIBRARY_PATH=$dir/lib PATH=$PATH:/usr/lib/postgresql/15/bin
configs="$configs_crypt cmk"
pg_connections=4

# cells: name, and fio's options
loads='
randread-1 --rw=randread --bs=4k --iodepth=1 --numjobs=2
randread-32 --rw=randread --bs=4k --iodepth=32 --numjobs=2
randwrite-1 --rw=randwrite --bs=4k --iodepth=1 --numjobs=2
randwrite-32 --rw=randwrite --bs=4k --iodepth=32 --numjobs=2
read-1m --rw=read --bs=1m --iodepth=4 --numjobs=1
write-1m --rw=write --bs=1m --iodepth=4 --numjobs=1
'

# fio_cell CELL CONFIG ROUND FIO-OPTION...
fio_cell()
{
	local cell=$1 config=$2 round=$3
	shift 3
	"$dir/fio" --name="$cell" --output-format=json --time_based --runtime="$seconds" --group_reporting --norandommap \
		--randseed="$round" --percentile_list=50:99:99.9 "$@" | jq -r --arg at "clock $cell $config $round" '
		def us(p): (([.jobs[0].read, .jobs[0].write] | max_by(.iops)).clat_ns.percentile[p] // 0) / 1000;
		"\($at) \(.jobs[0].read.iops + .jobs[0].write.iops) \(us("50.000000")) \(us("99.000000")) \(us("99.900000"))"'
}

measure_devices()
{
	local round cell options config
	for ((round = 0; round < rounds; round++)); do
		while read -r cell options; do
			[ -n "$cell" ] || continue
			for config in $configs; do
				# shellcheck disable=SC2086 # options are words
				fio_cell "$cell" "$config" "$round" --filename="$(device "$config")" --direct=1 --ioengine=libaio \
					$options </dev/null
			done
		done <<<"$loads"
	done
}

# a file system of its own for each, on a disk of memory of its own
make_filesystems()
{
	local config i=1
	for config in $configs; do
		make_device "$config" "/dev/ram$i" "$config-fs"
		mke2fs -q -t ext4 -E lazy_itable_init=0 "$(device "$config-fs")"
		mkdir -p "/mnt/$config"
		mount "$(device "$config-fs")" "/mnt/$config"
		i=$((i + 1))
	done
}

measure_mixed()
{
	local round config
	for ((round = 0; round < rounds; round++)); do
		for config in $configs; do
			fio_cell mixed "$config" "$round" --directory="/mnt/$config" --size=16m --ioengine=psync --rw=randrw \
				--bs=4k --fsync=8 --numjobs=2
		done
	done
	rm -f /mnt/*/mixed.*
}

# as_postgres COMMAND...
as_postgres() { (cd / && runuser -u postgres -- "$@"); }

# one cluster, copied to every file system: all start from the same bytes
make_clusters()
{
	local config first=
	for config in $configs; do
		if [ -z "$first" ]; then
			first=/mnt/$config
			install -d -o postgres "$first/pg"
			as_postgres initdb -D "$first/pg" -A trust -N >/dev/null
			printf '%s\n' "listen_addresses = ''" 'autovacuum = off' 'shared_buffers = 16MB' 'max_wal_size = 64MB' \
				>>"$first/pg/postgresql.conf"
			start_cluster "${first#/mnt/}"
			as_postgres pgbench -q -i -s 2 -h /tmp postgres >/dev/null 2>&1
			stop_cluster "${first#/mnt/}"
		else
			cp -a "$first/pg" "/mnt/$config/"
		fi
	done
}

start_cluster() { as_postgres pg_ctl -s -w -t 60 -D "/mnt/$1/pg" -o "-k /tmp" -l "/tmp/$1.log" start; }
stop_cluster() { as_postgres pg_ctl -s -w -t 60 -D "/mnt/$1/pg" -m fast stop; }

measure_pgbench()
{
	local round config tps
	for ((round = 0; round < rounds; round++)); do
		for config in $configs; do
			start_cluster "$config"
			tps=$(as_postgres pgbench -n -c "$pg_connections" -j 2 -T $((seconds * 2)) -h /tmp postgres 2>/dev/null |
				sed -n 's/^tps = \([0-9.]*\).*/\1/p')
			stop_cluster "$config"
			echo "clock pgbench $config $round $tps 0 0 0"
		done
	done
}

main()
{
	local config
	modprobe brd rd_nr=5 rd_size=262144
	modprobe -a aesni_intel xts dm-crypt dm-cmk
	dd if=/dev/zero of=/dev/ram0 bs=1M count=64 2>/dev/null
	add_keys
	for config in $configs; do
		make_device "$config" /dev/ram0
	done
	measure_devices
	make_filesystems
	measure_mixed
	make_clusters
	measure_pgbench
}

if [ "${1:-}" = inside ]; then
	main
else
	exec keyctl session - "$0" inside
fi

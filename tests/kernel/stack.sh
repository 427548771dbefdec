#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The mapping among other devices: limits, discards, resize, reload, on and under others, swap.
# shellcheck source=tests/kernel/lib.sh
. "$(dirname "$0")/lib.sh"

disk=/dev/vda
base="aes-xts-plain64 :64:cmk:t:64 0"

queue() { cat "/sys/block/$(dmsetup info -c --noheadings -o blkdevname cmk)/queue/$1"; }
is() { [ "$1" = "$2" ] || { echo "'$1' is not '$2'"; return 1; }; }

limits()
{
	create "$base $ram 0 1 sector_size:$1" || return
	is "$(queue logical_block_size)" "$1" && is "$(queue physical_block_size)" "$2" &&
		is "$(queue minimum_io_size)" "$2" && is "$(queue dma_alignment)" "$(($1 - 1))"
	rc=$?
	remove
	return $rc
}
ok "the limits of a mapping with 4096-byte sectors" limits 4096 4096
ok "the limits of a mapping with 512-byte sectors" limits 512 "$(cat /sys/block/ram0/queue/physical_block_size)"

head -c 4194304 /dev/urandom >/tmp/backing
loop=$(losetup -f)
losetup "$loop" /tmp/backing

no_discards()
{
	create "$base $loop 0" || return
	is "$(queue discard_max_bytes)" 0
	rc=$?
	remove
	return $rc
}
ok "discards are unsupported unless the table allows them" no_discards

discards()
{
	create "$base $loop 0 1 allow_discards" || return
	dd if=/dev/urandom of=/dev/mapper/cmk bs=64k count=4 oflag=direct 2>/dev/null &&
		blkdiscard -l 131072 /dev/mapper/cmk &&
		is "$(head -c 131072 "$loop" | tr -d '\0' | wc -c)" 0 &&
		dmsetup status cmk | grep -q ' discards:[1-9]' &&
		dmsetup message cmk 0 revoke &&
		! blkdiscard -l 131072 /dev/mapper/cmk
	rc=$?
	remove
	return $rc
}
ok "discards are passed down if allowed, and fail when inaccessible" discards

zeroes()
{
	create "$base $ram 0" || return
	is "$(queue write_zeroes_max_bytes)" 0 &&
		dd if=/dev/zero of=/dev/mapper/cmk bs=64k count=1 oflag=direct 2>/dev/null &&
		[ "$(dd if=$ram bs=64k count=1 iflag=direct 2>/dev/null | tr -d '\0' | wc -c)" -gt 60000 ]
	rc=$?
	remove
	return $rc
}
ok "zeroes are written encrypted" zeroes

resize()
{
	create "$base $ram 0" || return
	dd if=/tmp/backing of=/dev/mapper/cmk bs=64k count=16 oflag=direct 2>/dev/null
	add_key cmk t:64 64
	echo "0 8192 cmk $base $ram 0" | dmsetup load cmk && dmsetup resume cmk &&
		is "$(blockdev --getsz /dev/mapper/cmk)" 8192 &&
		dd if=/dev/mapper/cmk bs=64k count=16 iflag=direct 2>/dev/null | cmp - /tmp/backing -n 1048576 &&
		dmsetup status cmk | grep -q 'available - 1 '
	rc=$?
	remove
	return $rc
}
ok "a live resize keeps the data" resize

# through DEVICE: the data of /tmp/backing goes in and comes out
through()
{
	dd if=/tmp/backing of="$1" bs=64k count=8 oflag=direct conv=fsync 2>/dev/null &&
		dd if="$1" bs=64k count=8 iflag=direct 2>/dev/null | cmp - /tmp/backing -n 524288
}

on_loop() { create "$base $loop 2048" && through /dev/mapper/cmk; rc=$?; remove; return $rc; }
ok "on a loop device" on_loop

under_loop()
{
	create "$base $ram 0" || return
	other=$(losetup -f)
	losetup "$other" /dev/mapper/cmk && through "$other"
	rc=$?
	losetup -d "$other"
	remove
	return $rc
}
ok "under a loop device" under_loop

on_itself()
{
	create "$base $ram 0" || return
	dmsetup create cmk2 --table "0 1024 cmk $base /dev/mapper/cmk 8" && through /dev/mapper/cmk2
	rc=$?
	dmsetup remove --retry cmk2
	remove
	return $rc
}
ok "on another mapping of its kind" on_itself

in_a_table_of_many()
{
	add_key cmk t:64 64
	printf '%s\n' "0 1024 cmk $base $ram 0" "1024 1024 linear $ram 8192" \
		"2048 1024 cmk $base $ram 16384" | dmsetup create cmk && through /dev/mapper/cmk &&
		dmsetup message cmk 0 revoke &&
		! dd if=/dev/mapper/cmk of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null &&
		dd if=/dev/mapper/cmk of=/dev/null bs=4k skip=256 count=1 iflag=direct 2>/dev/null
	rc=$?
	remove
	return $rc
}
ok "as one target of several, each with its own state" in_a_table_of_many

filesystem()
{
	sectors=65536
	create "$base $disk 0" && mke2fs -b 4096 /dev/mapper/cmk >/dev/null 2>&1 &&
		mount -t ext4 /dev/mapper/cmk /mnt &&
		cp /tmp/backing /mnt/file && sync && echo 3 >/proc/sys/vm/drop_caches &&
		cmp /tmp/backing /mnt/file && umount /mnt
	rc=$?
	umount /mnt 2>/dev/null
	sectors=2048
	remove
	return $rc
}
ok "a file system on it" filesystem

# a process that may have 24 MiB and needs 48
starved()
{
	mkdir -p /tmp/cgroup && mount -t cgroup2 cgroup /tmp/cgroup 2>/dev/null
	echo +memory >/tmp/cgroup/cgroup.subtree_control && mkdir -p /tmp/cgroup/hog &&
		echo 24M >/tmp/cgroup/hog/memory.max &&
		sh -c "echo \$\$ >/tmp/cgroup/hog/cgroup.procs; exec $(dirname "$0")/hog 48"
}

swap()
{
	sectors=262144
	create "$base $disk 0" && mkswap /dev/mapper/cmk >/dev/null && swapon /dev/mapper/cmk && starved &&
		dmsetup status cmk | grep -q ' reads:[1-9][0-9][0-9].* writes:[1-9]'
	rc=$?
	dmsetup status cmk
	swapoff /dev/mapper/cmk
	sectors=2048
	remove
	return $rc
}
ok "swap on it: every byte comes back right" swap

losetup -d "$loop"
done_testing

# SPDX-License-Identifier: GPL-2.0
# The devices that the benchmark compares: brd, and on it one mapping of each kind, with the same key. For busybox
# sh and dash.
# shellcheck shell=dash disable=SC2034 # who sources it uses the variables

# dm-crypt's configurations: its default, its default with large sectors, and without its queues
configs_crypt='crypt512 crypt4096 crypt4096nq'
configs_few='linear crypt4096nq cmk'
configs_all="brd linear $configs_crypt cmk"

key=a-key-of-64-bytes-for-the-benchmark-0123456789-0123456789-012345

ram_kib=16384

# load_modules: brd with all its memory allocated, the ciphers and the targets
load_modules()
{
	modprobe aesni_intel && modprobe xts && modprobe brd rd_nr=1 rd_size="$ram_kib" && modprobe dm-crypt &&
		modprobe dm-cmk && dd if=/dev/zero of=/dev/ram0 bs=1M 2>/dev/null || [ -b /dev/ram0 ]
}

# add_keys: both targets' keys, of the same bytes, in the session's keyring
add_keys()
{
	for type in logon cmk; do
		printf %s "$key" | keyctl padd "$type" "bench:$type" @s >/dev/null || return 1
	done
}

# table CONFIG LOWER SECTORS: its table line
table()
{
	crypt="0 $3 crypt aes-xts-plain64 :64:logon:bench:logon 0 $2 0"
	case $1 in
	linear) echo "0 $3 linear $2 0" ;;
	crypt512) echo "$crypt" ;;
	crypt4096) echo "$crypt 1 sector_size:4096" ;;
	crypt4096nq) echo "$crypt 3 sector_size:4096 no_read_workqueue no_write_workqueue" ;;
	cmk) echo "0 $3 cmk aes-xts-plain64 :64:cmk:bench:cmk 0 $2 0" ;;
	esac
}

# device CONFIG: its path
device()
{
	case $1 in
	brd) echo /dev/ram0 ;;
	*) echo "/dev/dm-$(dmsetup info -c --noheadings -o minor "$1")" ;;
	esac
}

# make_device CONFIG LOWER [NAME]: as the configuration is called, if no name is given
make_device()
{
	[ "$1" = brd ] || dmsetup create "${3:-$1}" --table "$(table "$1" "$2" "$(blockdev --getsz "$2")")"
}

#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# shellcheck shell=dash
# cmkctl with the real module, worker and test vault, in a guest whose disks may be lost: what a
# user sees of each verb, and of each way to get it wrong. Prints TAP. Run by `make check-ctl`.
set -u

DISK=/dev/vda
OTHER=/dev/vdb
VAULT=https://contoso.vault.azure.net
KEK=$VAULT/keys/kek
CONF=/etc/cmk/cmk.conf
OUT=/tmp/out
n=0
failures=0

# check NAME: the last test's result is this command's
result()
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		failures=$((failures + 1))
		echo "not ok $n - $2"
		sed 's/^/# /' $OUT
	fi
}

# try NAME CODE WORD COMMAND...: the command ends with CODE and says WORD (a regular expression)
try()
{
	name=$1 want=$2 word=$3
	shift 3
	timeout 150 "$@" >$OUT 2>&1 </dev/null
	rc=$?
	if [ $rc = "$want" ] && grep -q -e "$word" $OUT; then
		result 0 "$name"
	else
		echo "# exit code $rc, want $want and: $word" >>$OUT
		result 1 "$name"
	fi
}

# expect NAME COMMAND...: the command succeeds
expect()
{
	name=$1
	shift
	"$@" >$OUT 2>&1 </dev/null
	result $? "$name"
}

# refuse NAME COMMAND...: the command fails
refuse()
{
	name=$1
	shift
	if "$@" >$OUT 2>&1 </dev/null; then
		result 1 "$name"
	else
		result 0 "$name"
	fi
}

kernel_says() { dmsetup status data | grep -q "$1"; }
loaded_keys() { grep -c ' cmk:' /proc/keys; }
one_key() { [ "$(loaded_keys)" = 1 ]; }
mounted() { grep -q "^/dev/[^ ]* $1 " /proc/mounts; }
in_a_keyring() { { keyctl show @u; keyctl show @s; } | grep -q cmk; }
table_shows_key() { dmsetup table --showkeys data | grep -q '[0-9a-f]\{64\}'; }
no_keyslots() { cryptsetup luksDump $DISK | grep -A1 '^Keyslots:' | grep -q '^Tokens:'; }
no_keys() { [ "$(loaded_keys)" = 0 ]; }
read_fails() { ! dd if=/dev/mapper/data of=/dev/null bs=4096 count=1 iflag=direct; }
sum() { head -c 33554432 $DISK | sha256sum; }
unchanged() { [ "$(sum)" = "$before" ]; }
zeroed() { dd if=/dev/zero of="$1" bs=1M count=32 conv=notrunc 2>/dev/null; }

# write_conf [LEASE [DEVICE [TIMEOUT]]]
write_conf()
{
	cat >$CONF <<CONF
[agent]
probe_interval = 2s
lease = ${1:-10min}
lock_budget = 1s
confirm_after = 200ms
[kms]
vaults = contoso.vault.azure.net other.vault.azure.net
ca_file = /run/vault/ca.pem
total_timeout = ${3:-30s}
connect_timeout = ${3:-30s}
[volume data]
device = ${2:-$DISK}
mount = /mnt
mount_options = noatime
CONF
}

setup()
{
	# the worker's user must reach its binary
	chmod 755 / /usr /usr/lib
	mkdir -p /etc/cmk /run/vault /run/cmk /usr/lib/cmk
	chmod 755 /run/vault
	echo 'cmk-kms:x:990:990::/:/bin/false' >>/etc/passwd
	echo 'cmk-kms:x:990:' >>/etc/group
	ip addr add 169.254.169.254/32 dev lo
	cat >/etc/hosts <<HOSTS
127.0.0.1 localhost contoso.vault.azure.net other.vault.azure.net login.microsoftonline.com
HOSTS
	write_conf
	cmk-testvault --dir /run/vault --https 127.0.0.1:443 --imds 169.254.169.254:80 \
		>/tmp/vault.log 2>&1 &
	vaultctl ping --wait 20 >/dev/null || { echo "Bail out! no test vault"; exit 1; }
	chmod 644 /run/vault/ca.pem
	vaultctl vault contoso.vault.azure.net --retention 90 --purge-protection on >/dev/null
	vaultctl create-key kek --size 4096 >/dev/null
}

test_usage()
{
	try "no verb" 1 "no verb given" cmkctl
	try "an unknown verb" 1 "unknown verb .explode." cmkctl explode
	try "help" 0 "kek check" cmkctl --help
	try "a verb's help" 0 "sector-size" cmkctl format --help
	try "an unknown option" 1 "unknown option .--nonsense." cmkctl status --nonsense
	try "an option of another verb" 1 "unknown option .--kek." cmkctl close --kek=x data
	try "an option without its value" 1 "needs a value" cmkctl format $DISK --kek
	try "a missing operand" 1 "DEVICE is missing" cmkctl format --kek $KEK
	try "an operand too many" 1 "one word too many: .b." cmkctl close a b
	try "format without a KEK" 1 "kek URL is missing" cmkctl format $DISK
	try "a wrong sector size" 1 "4096" cmkctl format $DISK --kek $KEK --sector-size 8192
	try "a label that is too long" 1 "47 bytes" cmkctl format $DISK --kek $KEK \
		--label 012345678901234567890123456789012345678901234567
	try "a KEK that is no URL" 1 "kek" cmkctl format $DISK --kek kek
	try "a KEK over plain HTTP" 1 "https" \
		cmkctl format $DISK --kek http://contoso.vault.azure.net/keys/kek
	try "a KEK at a host that is no vault" 1 "evil.example" \
		cmkctl format $DISK --kek https://evil.example/keys/kek
	try "an unknown identity" 1 "identity" cmkctl format $DISK --kek $KEK --identity root
	try "a name that cannot be" 1 "cannot be a name" cmkctl open $DISK a/b
	try "a volume that nobody knows" 4 "nothing" cmkctl dump nothing
	try "no configuration" 1 "/nonexistent" cmkctl list --config /nonexistent
	echo 'lease = 5' >/tmp/bad.conf
	try "a wrong configuration names its line" 1 "/tmp/bad.conf:1: " \
		cmkctl list --config /tmp/bad.conf
	cp $CONF /tmp/open.conf && chmod 666 /tmp/open.conf
	try "a configuration that others can write" 2 "root alone" \
		cmkctl list --config /tmp/open.conf
	try "only root may" 2 "only root" su -s /bin/sh nobody -c "/usr/sbin/cmkctl list"
}

test_kek()
{
	try "a fit KEK" 0 "passed  purge protection" cmkctl kek check $KEK
	try "a fit KEK as JSON" 0 '"fit":.*true' cmkctl kek check --json $KEK
	try "its region is compared with the host's" 0 "passed  region" cmkctl kek check $KEK
	vaultctl create-key weak --size 2048 --ops wrapKey,sign >/dev/null
	try "a KEK that may not unwrap" 16 "failed  operation unwrapKey" \
		cmkctl kek check $VAULT/keys/weak
	try "a small KEK is a warning" 16 "warned  key size" cmkctl kek check $VAULT/keys/weak
	vaultctl disable weak >/dev/null
	try "a disabled KEK" 16 "failed  enabled" cmkctl kek check $VAULT/keys/weak
	try "a KEK that is not there" 10 "KeyNotFound" cmkctl kek check $VAULT/keys/missing
	try "a vault that is not pinned" 1 "cmk.conf" \
		cmkctl kek check https://third.vault.azure.net/keys/kek
	vaultctl firewall on >/dev/null
	try "behind a firewall" 12 "ForbiddenByFirewall" cmkctl kek check $KEK
	vaultctl firewall off >/dev/null
	vaultctl cut >/dev/null
	try "no vault there" 11 "contoso.vault.azure.net" cmkctl kek check $KEK
	vaultctl restore >/dev/null
}

test_format()
{
	before=$(sum)
	try "format of no device" 4 "/dev/nothing" cmkctl format /dev/nothing --kek $KEK --yes
	try "format of a file" 4 "not a block device" cmkctl format /etc/passwd --kek $KEK --yes
	try "format with nobody to ask" 1 "Give --yes" cmkctl format $DISK --kek $KEK
	try "format with an unfit KEK" 16 "requirements" \
		cmkctl format $DISK --kek $VAULT/keys/weak --yes
	try "a dry run" 0 "nothing was written" cmkctl format $DISK --kek $KEK --dry-run
	vaultctl wrong-answer >/dev/null
	try "a vault that unwraps something else" 16 "something else" \
		cmkctl format $DISK --kek $KEK --yes
	vaultctl clear >/dev/null
	vaultctl role remove >/dev/null
	try "format without the role" 10 "ForbiddenByRbac" cmkctl format $DISK --kek $KEK --yes
	vaultctl role restore >/dev/null
	expect "nothing of that wrote to the disk" unchanged
	/usr/sbin/mke2fs -q $DISK 2>/dev/null >&2
	try "format of a device with a filesystem" 5 "ext2" cmkctl format $DISK --kek $KEK --yes
	mount -t ext4 $DISK /mnt
	try "format of a mounted device" 5 "in use" cmkctl format $DISK --kek $KEK --yes --force
	umount /mnt
	try "format by force" 0 "UUID" cmkctl format $DISK --kek $KEK --yes --force --label demo
	try "format over a volume" 5 "crypto_LUKS" cmkctl format $DISK --kek $KEK --yes
	refuse "no filesystem is left in sight" mount -t ext4 $DISK /mnt
	[ $failures = 0 ] || { echo "Bail out! no volume to go on with"; exit 1; }
	uuid=$(cmkctl dump $DISK | sed -n 's/^  UUID *//p')
	expect "blkid knows it as LUKS" sh -c "blkid $DISK | grep -q $uuid"
	expect "cryptsetup knows it, and finds no keyslot" no_keyslots
}

test_dump_and_verify()
{
	try "dump by name" 0 "follows the latest" cmkctl dump data
	try "dump by device" 0 "RSA-OAEP-256" cmkctl dump $DISK
	try "dump by UUID" 0 "$uuid" cmkctl dump "UUID=$uuid"
	try "dump as JSON" 0 '"kek_bits":.*4096' cmkctl dump --json data
	try "dump of a device that is no volume" 4 "no LUKS2 header" cmkctl dump $OTHER
	try "verify" 0 "can be opened" cmkctl verify data
	try "verify as JSON" 0 '"verdict":.*"valid"' cmkctl verify --json data
	vaultctl disable kek >/dev/null
	try "verify with a disabled KEK" 10 "KeyDisabled" cmkctl verify data
	try "open with a disabled KEK" 10 "KeyDisabled" cmkctl open data
	vaultctl enable kek >/dev/null
	vaultctl expire kek >/dev/null
	try "verify with an expired KEK" 10 "KeyExpired" cmkctl verify data
	vaultctl no-dates kek >/dev/null
	vaultctl hang --on unwrap >/dev/null
	write_conf 10min $DISK 3s
	try "verify with a vault that hangs" 11 "contoso" cmkctl verify data
	vaultctl clear >/dev/null
	write_conf
	vaultctl wrong-answer >/dev/null
	try "verify with a vault that lies" 13 "not this volume's DEK" cmkctl verify data
	vaultctl clear >/dev/null
	refuse "no mapping came of that" test -e /dev/mapper/data
	write_conf 10min "UUID=$uuid"
	try "verify by the UUID in cmk.conf" 0 "can be opened" cmkctl verify data
}

test_module()
{
	rmmod dm-cmk 2>/dev/null
	mv /lib/modules/*/extra/dm-cmk.ko /tmp/
	try "open without the module" 15 "modprobe dm-cmk" cmkctl open data
	mv /tmp/dm-cmk.ko /lib/modules/*/extra/
}

test_open_and_close()
{
	try "a dry run of open" 0 "nothing was done" cmkctl open data --dry-run
	refuse "it mapped nothing" test -e /dev/mapper/data
	try "open without an agent says so" 0 "cmk-agent does not run" cmkctl open data
	expect "the kernel has the key" kernel_says available
	expect "there is a node" test -b /dev/mapper/data
	try "open again" 5 "open already" cmkctl open data
	try "the same device by another name" 5 "open already, as data" cmkctl open $DISK twin
	try "status without an agent" 0 "data: Available" cmkctl status data
	try "status as JSON" 0 '"state":.*"Available"' cmkctl status --json data
	try "list" 0 "data  *Available  *OK" cmkctl list
	expect "one key is in the kernel" one_key
	refuse "it is in no keyring of root's" in_a_keyring
	refuse "the table shows no key" table_shows_key
	expect "a filesystem can be made" /usr/sbin/mke2fs -q /dev/mapper/data
	mount -t ext4 /dev/mapper/data /mnt
	(cd /mnt && exec sleep 600) &
	holder=$!
	try "close of a mounted volume names the mount" 5 "mounted on /mnt" cmkctl close data
	umount -l /mnt
	try "close of a volume in use names who uses it" 5 "sleep" cmkctl close data
	kill $holder
	wait $holder 2>/dev/null
	try "a dry run of close" 0 "nothing was done" cmkctl close data --dry-run
	expect "it closed nothing" kernel_says available
	try "close" 0 "closed" cmkctl close data
	refuse "the mapping is gone" dmsetup info data
	expect "the key is gone" no_keys
	try "close again" 4 "not open" cmkctl close data
	try "status of a closed volume" 0 "Closed" cmkctl status data
	try "open of a device by a name of its own" 0 "/dev/mapper/own" cmkctl open $DISK own
	try "close of it" 0 "closed" cmkctl close own
}

test_lock_and_lease()
{
	cmkctl open data >/dev/null 2>&1
	try "lock without an agent" 11 "immediate" cmkctl lock data
	try "lock at once" 0 "locked in the kernel" cmkctl lock --immediate data
	expect "the kernel says why" kernel_says 'inaccessible OperatorLock'
	expect "nothing can be read" read_fails
	try "status says why" 0 "OperatorLock" cmkctl status data
	try "unlock without an agent" 11 "cmkctl open" cmkctl unlock data
	try "open brings the key back" 0 "open as" cmkctl open data
	expect "it is the second key" kernel_says 'available - 2 '
	serial=$(awk '/ cmk:/ { print "0x" $1; exit }' /proc/keys)
	expect "root can revoke the key by its serial" keyctl revoke "$serial"
	expect "which locks the volume" kernel_says 'inaccessible key-revoked'
	cmkctl close data >/dev/null
	write_conf 5s "UUID=$uuid"
	cmkctl open data >/dev/null 2>&1
	sleep 6
	expect "without an agent the lease ends" kernel_says 'inaccessible lease-expired'
	try "status says so" 0 "LeaseExpired" cmkctl status data
	cmkctl close data >/dev/null
	write_conf 10min "UUID=$uuid"
}

test_with_agent()
{
	cmk-agent >/tmp/agent.log 2>&1 &
	agent=$!
	for _ in 1 2 3 4 5 6 7 8 9 10; do [ -S /run/cmk/agent.sock ] && break; sleep 0.5; done
	try "open hands over to the agent, which mounts it" 0 "open as" cmkctl open data
	expect "it is mounted" mounted /mnt
	try "status by the agent" 0 "Available" cmkctl status data
	try "its JSON" 0 '"last_proof"' cmkctl status --json data
	try "lock" 0 "Inaccessible (OperatorLock)" cmkctl lock data
	refuse "it is not mounted" mounted /mnt
	try "unlock" 0 "Available" cmkctl unlock data
	expect "it is mounted again" mounted /mnt
	try "revalidate" 0 "Available" cmkctl revalidate data
	try "revalidate of no volume" 4 "nothing" cmkctl revalidate nothing
	try "close by the agent" 0 "closed" cmkctl close data
	refuse "it is not mounted any more" mounted /mnt
	refuse "the mapping is gone again" dmsetup info data
	try "open without starting anything" 0 "open as" cmkctl open --no-start data
	refuse "it is not mounted for that" mounted /mnt
	dd if=/dev/zero of=/dev/mapper/data bs=1M count=1 2>/dev/null
	try "close of that" 0 "closed" cmkctl close data
	try "open of what cannot be mounted says so" 4 "cannot mount" cmkctl open data
	expect "it is open all the same" kernel_says available
	try "close of that too" 0 "closed" cmkctl close data
	kill $agent
	wait $agent 2>/dev/null
	[ $failures = 0 ] || sed 's/^/# agent: /' /tmp/agent.log
}

# a header that somebody without the DEK wrote
test_damage()
{
	dd if=$DISK of=/tmp/header bs=1M count=16 2>/dev/null
	cryptsetup token export --token-id 0 $DISK |
		sed 's/"follow_latest":true/"follow_latest":false/' >/tmp/token
	cryptsetup token import --token-id 0 --token-replace --json-file /tmp/token $DISK
	try "a token that was changed" 13 "MAC" cmkctl verify data
	try "open with it" 13 "MAC" cmkctl open data
	sed 's/"version":1/"version":2/' /tmp/token >/tmp/token2
	cryptsetup token import --token-id 0 --token-replace --json-file /tmp/token2 $DISK
	try "a token of a newer release" 13 "version" cmkctl dump data
	cryptsetup token remove --token-id 0 $DISK
	try "no token" 13 "no token" cmkctl dump data
	dd if=/tmp/header of=$DISK bs=1M conv=notrunc 2>/dev/null
	printf garbage | dd of=$DISK bs=1 seek=4096 conv=notrunc 2>/dev/null
	try "one damaged copy is mended" 0 "can be opened" cmkctl verify data
	printf garbage | dd of=$DISK bs=1 seek=4096 conv=notrunc 2>/dev/null
	printf garbage | dd of=$DISK bs=1 seek=20480 conv=notrunc 2>/dev/null
	try "both copies damaged" 13 "damaged" cmkctl open $DISK data
	refuse "no mapping came of all that" test -e /dev/mapper/data
	expect "and no key" no_keys
}

setup
zeroed $DISK
for t in usage kek format dump_and_verify module open_and_close lock_and_lease with_agent damage; do
	echo "# $(cut -d. -f1 /proc/uptime) s: $t"
	test_$t
done
echo "1..$n"
[ $failures = 0 ]

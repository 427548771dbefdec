#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# The suite of kms.sh under strace: what the worker's filter refuses over all faults is what it is known to refuse,
# and the root side opens no network socket. Usage: kms_trace.sh DIR KMS VAULT TEST
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

[ $# = 4 ] || usage
dir=$1
shift
rm -rf "$dir"
mkdir -p "$dir"
# not with --seccomp-bpf: what the worker's own filter refuses would not be seen. Calls that only move bytes and wait
# are not written down.
rc=0
"$(dirname "$0")/kms.sh" "$@" strace -ff -qq -o "$dir/trace" \
	-e trace='!poll,futex,recvfrom,sendto,recvmsg,sendmsg,read,write,lseek,getpid,clock_nanosleep' \
	>"$dir/tests.log" 2>&1 || rc=$?

# the worker's threads: its processes, and what those cloned
threads=$(grep -l 'execve("[^"]*/cmk-kms"' "$dir"/trace.* | while read -r f; do
	echo "${f##*.}"
	awk '/^clone\(.*CLONE_THREAD/ { print $NF }' "$f"
done | sort -u)
[ -n "$threads" ] || die "no trace of a worker in $dir"

# what was refused, from the filter's loading on: `<call> <first argument>`
for tid in $threads; do
	awk -v whole="$(grep -c 'execve(' "$dir/trace.$tid" || :)" '
		/^seccomp\(SECCOMP_SET_MODE_FILTER/ || whole == 0 { on = 1 }
		on && / = -1 (EPERM|ENOSYS)/ { split($0, a, /[(,]/); print a[1], a[1] == "socket" ? a[2] : "" }' \
		"$dir/trace.$tid"
done | sort | uniq -c >"$dir/refused"
# the C library looks for a name service daemon, and tries the newer clone first
grep -vE ' (socket AF_UNIX|socket AF_NETLINK|clone3 )$' "$dir/refused" >"$dir/unexpected" || :

root=$(grep -l "execve(\"[^\"]*/$(basename "$3")\"" "$dir"/trace.* | tail -1)
network=$(grep -cE '^socket\((AF_INET|AF_INET6|AF_PACKET)' "$root" || :)

cat "$dir/refused"
failed=0
report()
{
	if [ "${2:-0}" = 0 ]; then echo "ok: $1"; else echo "not ok: $1"; failed=$((failed + 1)); fi
}
report "the tests pass under strace ($dir/tests.log)" "$rc"
report "the trace shows what the filter refuses" "$(grep -q ' clone3 $' "$dir/refused" || echo 1)"
report "the filter refuses nothing that the worker needs" "$(wc -l <"$dir/unexpected")"
report "the root side opens no network socket" "$network"
echo "$((4 - failed)) passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]

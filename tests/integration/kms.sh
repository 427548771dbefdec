#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# cmk-kms against the test vault on this machine, in a network of its own where the services' real names and
# addresses lead to the test vault. Needs root. Usage: kms.sh KMS VAULT TEST [COMMAND...]: the worker, the test vault,
# the test program, and perhaps a command to run it under.
set -euo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"

[ $# -ge 3 ] || usage
need_root "a network namespace"
if [ "${CMK_KMS_NETNS:-}" != 1 ]; then
	CMK_KMS_NETNS=1 exec unshare --net --mount --propagation private "$0" "$@"
fi
kms=$1 vault=$2 test=$3
shift 3

dir=$(mktemp -d /tmp/cmk-kms.XXXXXX)
trap 'kill $(jobs -p) 2>/dev/null || :; wait; rm -rf "$dir"' EXIT
# the worker's user must reach its binary and the CA, wherever this tree lies
chmod 755 "$dir"
install -m 755 "$kms" "$dir/cmk-kms"

ip link set lo up
ip addr add 169.254.169.254/32 dev lo
ip addr add 127.0.0.2/8 dev lo 2>/dev/null || :
cat >"$dir/hosts" <<HOSTS
127.0.0.1 localhost
127.0.0.1 contoso.vault.azure.net contoso.managedhsm.azure.net login.microsoftonline.com other.vault.azure.net
127.0.0.2 hung.vault.azure.net
HOSTS
mount --bind "$dir/hosts" /etc/hosts

mkdir -m 755 "$dir/vault"
# credentials as systemd lays them out, a federated token, and a place for the Arc agent's keys that the worker's
# group can read
mkdir "$dir/credentials"
printf 'test-secret\n' >"$dir/credentials/secret"
printf 'wrong\n' >"$dir/credentials/wrong"
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=app -days 30 -keyout "$dir/app.key" -out "$dir/app.crt" 2>/dev/null
cat "$dir/app.key" "$dir/app.crt" >"$dir/credentials/certificate"
b64() { basenc -w0 --base64url | tr -d =; }
federated()
{
	local claims='"aud":"api://AzureADTokenExchange","iss":"https://issuer.example","sub":"system:serviceaccount:a:b"'

	printf '{"alg":"RS256"}' | b64
	printf '.'
	printf '{%s,"exp":%s}' "$claims" $(($(date +%s) + 3600)) | b64
	printf '.c2ln\n'
}
federated >"$dir/federated"
mount -t tmpfs -o mode=755 none /var/opt
mkdir -p /var/opt/azcmagent/tokens
chgrp nogroup /var/opt/azcmagent/tokens
chmod 2750 /var/opt/azcmagent/tokens

"$vault" --dir "$dir/vault" --https 127.0.0.1:443 --https 127.0.0.2:443 --imds 169.254.169.254:80 \
	--arc 127.0.0.1:40342 --arc-tokens /var/opt/azcmagent/tokens \
	>"$dir/vault.log" 2>&1 &
vaultctl=$(realpath "$(dirname "$vault")/vaultctl")
if ! "$vaultctl" ping --wait 10 >/dev/null; then
	cat "$dir/vault.log" >&2
	die "the test vault did not start"
fi
chmod 644 "$dir/vault/ca.pem"
"$vaultctl" identity certificate app "$dir/app.crt"

export CREDENTIALS_DIRECTORY=$dir/credentials AZURE_FEDERATED_TOKEN_FILE=$dir/federated
export CMOCKA_MESSAGE_OUTPUT=${CMOCKA_MESSAGE_OUTPUT:-TAP}
CMK_TEST_KMS=$dir/cmk-kms CMK_TEST_CA=$dir/vault/ca.pem CMK_TEST_VAULTCTL=$vaultctl \
	"$@" timeout 300 "$test"

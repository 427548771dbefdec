# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# The guest's world, for the demo and the integration tests: a cloud on loopback under its real names (played by the
# test vault), the module, and small helpers to look at kernel and agent. To be sourced by bash.
# shellcheck shell=bash disable=SC2034

VAULT=contoso.vault.azure.net
KEK_NAME=pg
VOLUME=pgdata
MAPPED=/dev/mapper/$VOLUME
DISK=/dev/disk/by-id/virtio-data
MOUNT=/var/lib/postgresql
UNIT=postgresql@15-main.service
CONF=/etc/cmk/cmk.conf
AGENT=cmk-agent.service
export PATH=/usr/lib/postgresql/15/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PGHOST=/var/run/postgresql LC_ALL=C

# now_ms: CLOCK_BOOTTIME in milliseconds
now_ms()
{
	local up
	read -r up _ </proc/uptime
	echo $((10#${up/./} * 10))
}

# wait_for SECONDS COMMAND...: until it succeeds; fails when the time is over
wait_for()
{
	local end=$(($(now_ms) + $1 * 1000))
	shift
	until "$@"; do
		[ "$(now_ms)" -lt "$end" ] || return 1
		sleep 0.1
	done
}

# kernel_field N: a field of the target's status line: 1 state, 2 reason, 3 generation, 4 lease left in ms
kernel_field()
{
	dmsetup status --noflush "$VOLUME" 2>/dev/null | awk -v n="$1" '$3 == "cmk" { print $(n + 3) }'
}

kernel_is() { [ "$(kernel_field 1)" = "$1" ]; }

# agent_field NAME: a field of the volume's object in `cmkctl status --json`
agent_field()
{
	cmkctl status --json "$VOLUME" 2>/dev/null |
		jq -r --arg v "$VOLUME" --arg f "$1" '.volumes[]? | select(.volume == $v) | .[$f] // empty'
}

agent_is() { [ "$(agent_field state)" = "$1" ]; }

# as_postgres COMMAND...
as_postgres() { (cd / && setpriv --reuid=postgres --regid=postgres --clear-groups "$@"); }

answers() { as_postgres psql -qAtc 'SELECT 1' >/dev/null 2>&1; }

# world_cloud: names, IMDS's address and the test vault, ready to answer
world_cloud()
{
	ip link set lo up
	ip address replace 169.254.169.254/32 dev lo
	echo "127.0.0.1 $VAULT fabrikam.vault.azure.net contoso.managedhsm.azure.net login.microsoftonline.com" \
		>>/etc/hosts
	mkdir -p /run/testvault
	systemd-run -q --unit=cmk-testvault cmk-testvault --dir /run/testvault \
		--https 127.0.0.1:443 --imds 169.254.169.254:80 || return
	vaultctl ping --wait 20 >/dev/null || return
	mkdir -p /etc/cmk
	install -m 0644 /run/testvault/ca.pem /etc/cmk/test-ca.pem
}

# world_config FILE [LINE...]: a cmk.conf with short times, so that a run takes minutes and not hours; LINEs are added
# to the volume's section
world_config()
{
	local file=$1
	shift
	cat >"$file" <<-END
		[agent]
		probe_interval = ${PROBE_S:-3}s
		probe_jitter = 10
		lease = ${LEASE_S:-20}s
		confirm_after = ${CONFIRM_S:-1}s
		lock_budget = ${BUDGET_S:-8}s

		[kms]
		vaults = $VAULT
		ca_file = /etc/cmk/test-ca.pem
		connect_timeout = 5s
		total_timeout = ${TIMEOUT_S:-8}s

		[volume $VOLUME]
		device = $DISK
	END
	[ $# -eq 0 ] || printf '%s\n' "$@" >>"$file"
	chmod 0600 "$file"
}

# export_dek DIR: the DEK into DIR/dek, as the KEK's owner could: the vault's REST API unwraps the header's copy. The
# secrets, with the identity's answer in DIR/imds.json, stay in files.
export_dek()
{
	local dir=$1 token kid
	token=$(cryptsetup token export --token-id 0 "$DISK") && kid=$(jq -r .kek.id <<<"$token") &&
		curl -sf -H 'Metadata: true' -o "$dir/imds.json" \
			'http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://vault.azure.net' &&
		jq -r '"header = \"Authorization: Bearer \(.access_token)\""' "$dir/imds.json" >"$dir/bearer" &&
		jq -c '{alg: .alg, value: .wrapped}' <<<"$token" |
		curl -sf --cacert /etc/cmk/test-ca.pem -K "$dir/bearer" -H 'Content-Type: application/json' \
			--data-binary @- "$kid/unwrapkey?api-version=7.4" |
		jq -r '.value | gsub("-"; "+") | gsub("_"; "/") | . + ("=" * ((4 - length % 4) % 4))' |
		base64 -d >"$dir/dek" && [ "$(stat -c %s "$dir/dek")" = 64 ]
}

# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# What the build's shell scripts share: messages, the cache, locks, and Debian's sources as this machine has
# them. To be sourced by bash with `set -euo pipefail`.
# shellcheck shell=bash

CMK_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CMK_CACHE=${CMK_CACHE:-/var/cache/dm-cmk}
CMK_ME=${0##*/}

say() { printf '%s: %s\n' "$CMK_ME" "$*" >&2; }

# die MESSAGE [WHAT-TO-DO]: one error, with its remedy.
die()
{
	printf '%s: error: %s\n' "$CMK_ME" "$1" >&2
	[ $# -lt 2 ] || printf '%s: %s\n' "$CMK_ME" "$2" >&2
	exit 1
}

# usage: prints the comment at the head of the calling script and ends with the code for a usage error.
usage()
{
	awk 'NR > 2 && !/^#/ { exit } NR > 2 { sub(/^# ?/, ""); print }' "$0" >&2
	exit 2
}

need_root()
{
	[ "$(id -u)" = 0 ] || die "$1 needs root" "run it as root (for instance: sudo make ...)"
}

# cache_dir NAME: makes a directory in the cache and prints its path.
cache_dir()
{
	mkdir -p "$CMK_CACHE/$1" 2>/dev/null ||
		die "cannot create $CMK_CACHE/$1" "run as root, or set CMK_CACHE to a directory of your own"
	printf '%s\n' "$CMK_CACHE/$1"
}

# cache_lock NAME: from here to cache_unlock or the script's end, no other script builds the same part of the cache.
cache_lock()
{
	local dir
	dir=$(cache_dir locks)
	exec {CMK_LOCK_FD}>"$dir/$1"
	flock -w 1800 "$CMK_LOCK_FD" || die "another run has been holding $dir/$1 for half an hour"
}

cache_unlock() { exec {CMK_LOCK_FD}>&-; }

# deps USE...: the packages that scripts/deps lists for these uses, one a line.
deps()
{
	awk -v uses=" $* " '!/^#/ && NF >= 2 && index(uses, " " $1 " ") { print $2 }' \
		"$CMK_TOP/scripts/deps" | sort -u
}

# apt_update: refreshes the package lists once a day at most; they are needed to find what to download.
apt_update()
{
	[ -n "$(find /var/lib/apt/lists -name '*_Packages*' -mtime -1 -print -quit 2>/dev/null)" ] && return
	need_root "refreshing the package lists"
	say "refreshing the package lists"
	apt-get -q update >/dev/null || die "apt-get update failed" "check the network and /etc/apt"
}

# debian_sources CODENAME: one-line sources for a Debian release with its security and backports suites, on
# the archives that this machine's own configuration names.
debian_sources()
{
	local main security
	main=$(debian_archive '^[a-z]*$')
	security=$(debian_archive '-security$')
	[ -n "$main" ] || die "no Debian archive is configured on this machine" "see sources.list(5)"
	printf 'deb %s %s main\n' "$main" "$1" "$main" "$1-backports"
	[ -z "$security" ] || printf 'deb %s %s-security main\n' "$security" "$1"
}

# debian_archive PATTERN: the archive of the first configured suite of Debian whose codename matches.
debian_archive()
{
	# shellcheck disable=SC2016 # apt expands these
	apt-get indextargets --format '$(ORIGIN)|$(CODENAME)|$(COMPONENT)|$(REPO_URI)' 'Created-By: Packages' |
		awk -F'|' -v re="$1" '$1 == "Debian" && $3 == "main" && $2 ~ re { print $4; exit }'
}

# apt_conf FILE: writes what an apt outside this machine's root needs of this machine's configuration (proxy,
# clock checks of a snapshot).
apt_conf()
{
	apt-config dump | grep -E '^Acquire::(http|https|Check-Valid-Until|Check-Date|Retries)' >"$1" || :
}

# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# Completion of cmkctl for bash. Verbs, options and volumes are what cmkctl itself says.
# shellcheck shell=bash

_cmkctl_verbs() { cmkctl --help 2>/dev/null | awk '/^  [a-z]/ { print $1 }'; }

_cmkctl_options() { cmkctl "$@" --help 2>/dev/null | grep -oE -- '--[a-z-]+' | sort -u; }

_cmkctl_volumes() { cmkctl list 2>/dev/null | awk 'NR > 1 { print $1 }'; }

_cmkctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words=''

	case $prev in
	--config) mapfile -t COMPREPLY < <(compgen -f -- "$cur") && return ;;
	--sector-size) words='512 1024 2048 4096' ;;
	--identity) words='managed arc' ;;
	--kek | --label) return ;;
	*)
		if [ "$COMP_CWORD" = 1 ]; then
			words=$(_cmkctl_verbs)
		elif [ "${COMP_WORDS[1]} $COMP_CWORD" = "kek 2" ]; then
			words=check
		elif [[ $cur == -* && ${COMP_WORDS[1]} == kek ]]; then
			words=$(_cmkctl_options kek check)
		elif [[ $cur == -* ]]; then
			words=$(_cmkctl_options "${COMP_WORDS[1]}")
		elif [[ $cur == /* ]]; then
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			return
		else
			words=$(_cmkctl_volumes)
		fi
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _cmkctl cmkctl

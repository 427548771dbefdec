# SPDX-License-Identifier: GPL-2.0
# Counts allocations by the kernel's own trace events: of slab objects and of pages. To be sourced.
# shellcheck shell=dash

tracefs=/sys/kernel/tracing
events='kmalloc kmalloc_node kmem_cache_alloc kmem_cache_alloc_node mm_page_alloc'

# each_event SETTING: for those that this kernel has
each_event()
{
	for event in $events; do
		[ ! -d "$tracefs/events/kmem/$event" ] || echo "$1" >"$tracefs/events/kmem/$event/trigger" || return 1
	done
}

# hits EVENT: how often since allocs_begin
hits()
{
	[ -d "$tracefs/events/kmem/$1" ] || { echo 0; return; }
	sed -n 's/^ *Hits: *//p' "$tracefs/events/kmem/$1/hist"
}

allocs_begin()
{
	[ -d "$tracefs/events" ] || mount -t tracefs tracefs "$tracefs" || return 1
	each_event 'hist:keys=common_pid:size=2048'
}

# allocs_end: `<slab objects> <pages>` since allocs_begin
allocs_end()
{
	echo "$(($(hits kmalloc) + $(hits kmalloc_node) + $(hits kmem_cache_alloc) + $(hits kmem_cache_alloc_node)))" \
		"$(hits mm_page_alloc)"
	each_event '!hist:keys=common_pid:size=2048'
}

# allocs_of COMMAND...: the same, of a command
allocs_of()
{
	allocs_begin && "$@" >/dev/null && allocs_end
}

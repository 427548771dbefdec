/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The contract between dm-cmk.ko and userspace: the table line, the messages, the status line, the events
 * and the key type. Both sides compile this file, and nothing else restates it.
 *
 * Table line
 * ----------
 *	<start> <len> cmk aes-xts-plain64 <key> <iv_offset> <device> <offset> [<#opts> <opt>...]
 *
 * <key>	":<bytes>:<type>:<description>": <bytes> is 64 (AES-256-XTS) or 32 (AES-128-XTS), <type> is
 *		"cmk" or "logon", and the key must be found by the caller (request_key). Or "-": no key yet,
 *		the device starts Inaccessible with reason "no-key". A key in hexadecimal is refused.
 * <iv_offset>	added to the sector number for the IV; in 512-byte sectors, a multiple of sector_size.
 * <device>, <offset>	the lower device and where the data starts on it, in 512-byte sectors.
 *
 * Options:
 *	sector_size:<512|1024|2048|4096>	size of one encryption unit in bytes, default 4096
 *	iv_large_sectors			the IV counts units of sector_size instead of 512 bytes
 *	allow_discards				pass discards down
 *	lease:<ms>				length of the first lease; without it the key has no lease
 *	on_inaccessible:<error|queue>		fail I/O (default), or hold it
 *	queue_timeout:<ms>			the longest that one I/O is held, default 30000; only with queue
 *
 * Messages (dmsetup message <dev> 0 ...)
 * ---------------------------------------
 *	key <key>		load or swap the key. generation + 1, state Available. Where the table or an
 *				earlier `lease` message gave a lease, a new one of the same length starts now.
 *	lease <ms>		the lease now ends <ms> from now on CLOCK_BOOTTIME: 1..CMK_LEASE_MAX_MS. Refused
 *				with EINVAL if 0, ERANGE if longer, ENOKEY while Inaccessible (a lease never
 *				revives a key).
 *	revoke [<reason>]	Inaccessible. When it returns no bio is encrypted or decrypted any more and the
 *				key and everything derived from it are zeroized. <reason> is one word of
 *				1..CMK_REASON_MAX characters [A-Za-z0-9._-], default "revoked". Revoking twice
 *				keeps the first reason and succeeds.
 *
 * Status line (dmsetup status)
 * ----------------------------
 *	<state> <reason> <generation> <lease_left_ms> <in_flight> <queued> [<name>:<value>...]
 *
 * <state>		"available" or "inaccessible"
 * <reason>		"-" while available, else why (CMK_REASON_* or the word of the revoke message)
 * <generation>		number of keys loaded so far
 * <lease_left_ms>	"-" without a lease, else what is left; 0 when it has ended
 * <in_flight>		bios the target has taken and not yet completed
 * <queued>		bios held by on_inaccessible:queue
 *
 * Readers must ignore a name:value counter that they do not know. The table line (dmsetup table) shows the
 * key's type and description, or "-", never key material.
 *
 * I/O
 * ---
 * While Inaccessible, reads, writes and discards fail with BLK_STS_OFFLINE (ENODEV for a direct reader) or are
 * held; flushes pass, for they make acknowledged ciphertext durable.
 *
 * Events
 * ------
 * Each change of state or generation raises a device-mapper event (dmsetup wait), and a KOBJ_CHANGE uevent of
 * the mapped disk with CMK_STATE, CMK_REASON and CMK_GENERATION in its environment.
 *
 * Key type "cmk"
 * --------------
 * add_key("cmk", <description>, <payload>, 32 or 64). The payload cannot be read back. Revoking or invalidating
 * the key makes every mapping that was loaded from it Inaccessible at once, with reason "key-revoked". A mapping
 * that becomes Inaccessible zeroizes the payload of its cmk key too, which then cannot be loaded again.
 */
#ifndef _UAPI_LINUX_DM_CMK_H
#define _UAPI_LINUX_DM_CMK_H

#define CMK_TARGET_NAME		"cmk"
#define CMK_KEY_TYPE		"cmk"
#define CMK_CIPHER		"aes-xts-plain64"

#define CMK_KEY_BYTES_128	32	/* AES-128-XTS: two 16-byte keys */
#define CMK_KEY_BYTES_256	64	/* AES-256-XTS: two 32-byte keys */

#define CMK_LEASE_MAX_MS	604800000	/* seven days */
#define CMK_SECTOR_SIZE		4096		/* default of sector_size, bytes */
#define CMK_QUEUE_TIMEOUT_MS	30000		/* default of queue_timeout */
#define CMK_QUEUE_TIMEOUT_MAX_MS 3600000	/* one hour */
#define CMK_REASON_MAX		32		/* characters, without the NUL */

#define CMK_STATE_AVAILABLE	"available"
#define CMK_STATE_INACCESSIBLE	"inaccessible"

/* Reasons that the kernel gives by itself. A revoke message brings its own word. */
#define CMK_REASON_NONE		"-"
#define CMK_REASON_NO_KEY	"no-key"
#define CMK_REASON_REVOKED	"revoked"
#define CMK_REASON_LEASE	"lease-expired"
#define CMK_REASON_KEY_REVOKED	"key-revoked"
#define CMK_REASON_HIBERNATION	"hibernation"

/* Environment of the uevent. */
#define CMK_UEVENT_STATE	"CMK_STATE"
#define CMK_UEVENT_REASON	"CMK_REASON"
#define CMK_UEVENT_GENERATION	"CMK_GENERATION"

#endif /* _UAPI_LINUX_DM_CMK_H */

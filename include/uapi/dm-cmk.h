/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * The contract between dm-cmk.ko and userspace: the table line, the messages, the status line, the
 * events, the key type and what happens to I/O. Both sides compile this file, and nothing else
 * restates it.
 *
 * Table line
 * ----------
 *	<start> <len> cmk aes-xts-plain64 <key> <iv_offset> <device> <offset> [<#opts> <opt>...]
 *
 * <key>	":<bytes>:<type>:<description>". <bytes> is 64 (AES-256-XTS) or 32 (AES-128-XTS) and
 *		equals the size of the key's payload. <type> is "cmk" or "logon". <description> has
 *		1..255 characters without white space or backslash. The process that loads the
 *		table must find the key in its keyrings (request_key without upcall). Or "-": no key
 *		yet, the mapping starts Inaccessible with reason "no-key". A key in hexadecimal is
 *		refused.
 * <iv_offset>	added to the sector number for the IV, in 512-byte sectors
 * <device>	the lower device, not a zoned one
 * <offset>	where the data starts on it, in 512-byte sectors
 *
 * <start>, <len>, <iv_offset> and <offset> are multiples of sector_size; <iv_offset> + <len> and
 * <offset> + <len> fit 64 bits. Numbers are decimal digits alone. The data on the lower device is
 * dm-crypt's for the cipher aes-xts-plain64 with the same numbers, sector_size and
 * iv_large_sectors, bit for bit. dm-crypt's default for sector_size is 512.
 *
 * Options, each at most once, in any order:
 *	sector_size:<512|1024|2048|4096>	bytes of one encryption unit, default 4096
 *	iv_large_sectors			the IV counts units of sector_size, not of 512 bytes
 *	allow_discards				pass discards down; without it they are unsupported
 *	lease:<ms>				length of the first lease, 1..CMK_LEASE_MAX_MS;
 *						without it the key has no lease
 *	on_inaccessible:<error|queue>		fail I/O (default), or hold it
 *	queue_timeout:<ms>			the longest that one I/O is held, default
 *						CMK_QUEUE_TIMEOUT_MS, 1..CMK_QUEUE_TIMEOUT_MAX_MS;
 *						only with on_inaccessible:queue
 *
 * Each loaded table is a mapping of its own, with its own key, lease, generation and counters: they
 * begin when the table is loaded, not when it is resumed.
 *
 * As a status (dmsetup table) the line shows <key> as the type and description of the key in use,
 * or "-" while Inaccessible, never key material; options that have their default are left out.
 *
 * A refused line fails with an errno and one line in the kernel's log that says what and what to
 * do: EINVAL for its words, ENOKEY, EKEYREVOKED, EKEYEXPIRED or EACCES for the key, EBUSY during a
 * hibernation, ENOENT if the kernel lacks the cipher, ENOMEM, or what opening the device gave.
 *
 * Messages (dmsetup message <dev> 0 ...)
 * ---------------------------------------
 * To a live mapping, suspended or not; no message has an answer. A wrong one changes nothing, fails
 * with EINVAL if nothing else is said here, and leaves a line in the kernel's log that says why.
 *
 *	key <key>	load or swap the key: generation + 1, state Available. Where the table or an
 *			earlier `lease` message gave a lease, a new one of the same length starts
 *			now. Errors of the key are those of the table line. The mapping does not
 *			check that it is the key the data was written with.
 *	lease <ms>	the lease now ends <ms> from now on CLOCK_BOOTTIME, be that sooner or later
 *			than before: 1..CMK_LEASE_MAX_MS. ERANGE if longer, ENOKEY while
 *			Inaccessible: a lease never revives a key.
 *	revoke [<reason>]
 *			Inaccessible. When it returns no bio is encrypted or decrypted any more and
 *			the key and everything derived from it are zeroized. <reason> is one word of
 *			1..CMK_REASON_MAX characters [A-Za-z0-9._-] and not "-", default "revoked".
 *			Revoking twice keeps the first reason and succeeds. Takes CPU time only,
 *			whatever the disk does.
 *
 * Status line (dmsetup status)
 * ----------------------------
 *	<state> <reason> <generation> <lease_left_ms> <in_flight> <queued> [<name>:<value>...]
 *
 * <state>		"available" or "inaccessible"
 * <reason>		"-" while available, else why (CMK_REASON_* or the word of the message)
 * <generation>		number of keys loaded so far
 * <lease_left_ms>	"-" without a lease, else what is left of it; 0 while inaccessible
 * <in_flight>		bios the target has taken and not yet completed, held ones included
 * <queued>		bios held by on_inaccessible:queue
 *
 * Counters, since the table was loaded; readers must ignore a name that they do not know:
 *	reads writes discards flushes	bios that found a key, and flushes
 *	err_offline			bios failed for lack of a key
 *	err_lower			bios failed by the lower device
 *	err_cipher			bios failed by the cipher
 *	err_misaligned			bios failed as their sector, size or memory is no whole
 *					number of units of sector_size
 *	held held_expired		bios held, and those of them failed by queue_timeout
 *	revocations			changes to Inaccessible, whatever the reason
 *	lease_ends			those of them by a lease's end
 *	drain_us			microseconds from the last change to Inaccessible until the
 *					key was zeroized
 *
 * IMA (CONFIG_IMA, when a table is loaded) measures the name and version of the target, the cipher,
 * numbers and options, never the key.
 *
 * I/O
 * ---
 * While Inaccessible, reads, writes and discards fail with BLK_STS_OFFLINE (ENODEV for a direct
 * reader). So does a read that was under way and comes back: it is not decrypted. A write that was
 * not encrypted to its end is not submitted. With on_inaccessible:queue all of these wait instead
 * until a key comes, but each no longer than queue_timeout and not over a suspend: a noflush
 * suspend hands them back to device-mapper, any other one fails them. Readahead never waits.
 *
 * Flushes pass in both states, for they make acknowledged ciphertext durable. The logical and
 * physical block size are at least sector_size, and so is the alignment of direct I/O in memory.
 *
 * A lease that ends, a key that ends and a hibernation do what `revoke` does. The end of a lease or
 * of a key stops the I/O at once; the zeroization follows within the time that `revoke` takes.
 *
 * Events
 * ------
 * Each change of state or generation raises, once the table has been resumed, a device-mapper event
 * (dmsetup wait), a KOBJ_CHANGE uevent of the mapped disk with CMK_STATE, CMK_REASON and
 * CMK_GENERATION in its environment, an audit record (AUDIT_DM_EVENT, op= the state) and a
 * rate-limited line in the kernel's log. Changes that follow each other faster than they are
 * reported share one report, of the latest state.
 *
 * Key type "cmk"
 * --------------
 * add_key("cmk", <description>, <payload>, 32 or 64). The payload cannot be read back or updated:
 * adding the same description again makes a new key and leaves mappings with the old one as they
 * are. A mapping keeps the key by a link in a keyring of its own, so userspace should unlink the
 * key after loading it (never leave it in a thread, process or session keyring).
 *
 * Revoking or invalidating the key, or its expiry, makes every mapping that was loaded from it
 * Inaccessible, with reason "key-revoked": a revocation before keyctl(2) returns, the others as
 * soon as the kernel collects the key. To revoke a key that is in no keyring any more, its owner
 * needs write permission on it (keyctl setperm, KEY_USR_WRITE).
 *
 * A mapping that becomes Inaccessible zeroizes the payload of its cmk key too, which then cannot be
 * loaded again (EKEYREVOKED). A mapping that is removed or replaced does not: it only drops its
 * link. Of a logon key the mapping keeps a copy and no link, and does not hear of the key's end.
 */
#ifndef _UAPI_LINUX_DM_CMK_H
#define _UAPI_LINUX_DM_CMK_H

#define CMK_TARGET_NAME		"cmk"
#define CMK_KEY_TYPE		"cmk"
#define CMK_CIPHER		"aes-xts-plain64"

#define CMK_KEY_BYTES_128	32	/* AES-128-XTS: two 16-byte keys */
#define CMK_KEY_BYTES_256	64	/* AES-256-XTS: two 32-byte keys */

#define CMK_SECTOR_SIZE		4096		/* default of sector_size, bytes */
#define CMK_LEASE_MAX_MS	604800000	/* seven days */
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

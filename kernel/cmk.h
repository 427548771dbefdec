/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of dm-cmk share. The contract with userspace is include/uapi/dm-cmk.h; locking and
 * lifetimes are described in Documentation/dm-cmk.rst.
 */
#ifndef CMK_H
#define CMK_H

#include <linux/bio.h>
#include <linux/device-mapper.h>
#include <linux/hrtimer.h>
#include <linux/key-type.h>
#include <linux/list.h>
#include <linux/mempool.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <crypto/skcipher.h>

#include <dm-cmk.h>

#include "compat.h"

#define DM_MSG_PREFIX		"cmk"

/*
 * The longest key description: with the rest of the table line it fits a DM status buffer many
 * times.
 */
#define CMK_DESCRIPTION_MAX	255
/* ":64:logon:" and the description, with the NUL */
#define CMK_SPEC_SIZE		(CMK_DESCRIPTION_MAX + 16)

/*
 * Pages that each mapping keeps for the write that must make progress when there is no memory: the
 * data of one trimmed write and the page that holds its vector.
 */
#define CMK_RESERVE_PAGES	8
#define CMK_RESERVE_SECTORS	((CMK_RESERVE_PAGES - 1) << PAGE_SECTORS_SHIFT)

struct cmk_dev;

/* The payload of a key of type cmk. It belongs to its struct key; cmk_users_lock guards it. */
struct cmk_payload {
	struct list_head users;		/* struct cmk_key.user */
	unsigned int bytes;		/* 0 once it was zeroized */
	u8 raw[CMK_KEY_BYTES_256];
};

/*
 * One loaded key, a generation of a mapping: the keyed cipher and the ties to the key that it came
 * from.
 */
struct cmk_key {
	struct crypto_skcipher *tfm;
	/*
	 * Cipher calls that went asynchronous and have not completed. A completion may come before
	 * the submitter counts, so it is negative for moments; after a grace period without new
	 * submitters it is exact.
	 */
	atomic_t async;
	struct cmk_dev *dev;
	struct key *ring;		/* our keyring with the only link that we hold on the key */
	struct cmk_payload *payload;	/* NULL for logon, and once it is gone; cmk_users_lock */
	struct list_head user;		/* in payload->users; cmk_users_lock */
	struct list_head doomed;	/* in cmk_dev.doomed; cmk_dev.lock */
	bool zeroize_payload;		/* the mapping went Inaccessible, it did not swap the key */
	bool from_logon;		/* whose end nobody tells us of */
	char spec[CMK_SPEC_SIZE];	/* as the table line shows it */
};

enum cmk_state {
	CMK_INACCESSIBLE,
	CMK_AVAILABLE,
};

/* Counters of the status line, in its order; names in status.c. */
enum cmk_counter {
	CMK_READS,
	CMK_WRITES,
	CMK_DISCARDS,
	CMK_FLUSHES,
	CMK_ERR_OFFLINE,
	CMK_ERR_LOWER,
	CMK_ERR_CIPHER,
	CMK_ERR_MISALIGNED,
	CMK_HELD,
	CMK_HELD_EXPIRED,
	CMK_NR_COUNTERS,
};

struct cmk_stats {
	long in_flight;			/* per CPU meaningless, the sum counts */
	u64 count[CMK_NR_COUNTERS];
};

/* A mapping: one target of one table. */
struct cmk_dev {
	/* Read by every bio, written when the state changes. */
	struct cmk_key __rcu *key;	/* NULL: Inaccessible */
	struct dm_dev *lower;
	sector_t start;			/* of the data on the lower device */
	u64 iv_offset;
	unsigned int sector_size;	/* bytes */
	unsigned int iv_shift;		/* of 512-byte sectors to IV units */
	struct cmk_stats __percpu *stats;
	struct cmk_req * __percpu *req_cache;
	mempool_t reqs;
	struct workqueue_struct *io_wq;	/* decryption out of interrupts, asynchronous ciphers */
	mempool_t pages;
	struct mutex pages_lock;	/* one writer at a time draws on the reserve */

	struct dm_target *ti;
	struct list_head all;		/* cmk_devs, pm.c */

	/* State: state.c, lease.c. */
	spinlock_t lock;		/* innermost, irq-safe */
	enum cmk_state state;
	char reason[CMK_REASON_MAX + 1];
	u64 generation;
	bool live;			/* the table has been resumed: changes are events */
	u64 lease_ms;			/* 0: no lease */
	ktime_t deadline;		/* CLOCK_BOOTTIME, valid with a lease while Available */
	struct hrtimer lease;
	struct list_head doomed;	/* keys to wipe */
	ktime_t doomed_since;
	u64 drain_us;			/* from the last change to Inaccessible to the key's end */
	u64 revocations;
	u64 lease_ends;
	struct mutex wipe_lock;		/* serialises installing and wiping of keys */
	wait_queue_head_t async_wait;
	struct work_struct wipe_work;
	struct work_struct event_work;

	/* on_inaccessible:queue: hold.c. */
	bool hold;
	bool hold_stopped;		/* suspending */
	unsigned int hold_ms;		/* queue_timeout */
	spinlock_t hold_lock;
	struct bio_list held;
	unsigned int nr_held;
	struct workqueue_struct *hold_wq;
	struct work_struct release_work;
	struct delayed_work expire_work;

	u64 first_lease_ms;		/* as the table line gave it */
	bool iv_large_sectors;
	bool allow_discards;
	unsigned int reqsize;		/* of the cipher's request, bytes */
	char driver[CRYPTO_MAX_ALG_NAME];	/* the implementation that reqsize belongs to */
};

/* What end_io has to do for a bio. */
enum cmk_io_kind {
	CMK_IO_PASS,			/* flush, discard, or failed: nothing */
	CMK_IO_READ,			/* decrypt */
	CMK_IO_WRITE,			/* take the bounce pages back */
};

/* Per bio, in DM's per_io_data. Zeroed by the allocator on many kernels: keep it small. */
struct cmk_io {
	struct cmk_dev *dev;
	u64 sector;			/* of the IV, 512-byte units, iv_offset included */
	struct bvec_iter iter;		/* the caller's data */
	unsigned long expires;		/* of a held bio, jiffies */
	u8 kind;			/* enum cmk_io_kind */
	bool held;			/* has been held, expires is set */
	bool from_reserve;		/* the bounce pages are */
	union {
		struct work_struct work;	/* a read that waits for process context */
		struct {			/* a write that has its bounce pages */
			struct bio_vec *vec;
			struct bio_vec bvec;
			unsigned int nr_pages;
		};
	};
};

static inline struct bio *cmk_io_bio(struct cmk_io *io)
{
	return dm_bio_from_per_bio_data(io, sizeof(struct cmk_io));
}

static inline struct cmk_io *cmk_bio_io(struct bio *bio)
{
	return dm_per_bio_data(bio, sizeof(struct cmk_io));
}

static inline void cmk_count(struct cmk_dev *dev, enum cmk_counter counter)
{
	this_cpu_inc(dev->stats->count[counter]);
}

/* main.c */
extern struct workqueue_struct *cmk_state_wq;	/* wipes: never blocks on I/O */

/* table.c */
int cmk_table_parse(struct cmk_dev *dev, unsigned int argc, char **argv);
void cmk_table_release(struct cmk_dev *dev);
void cmk_table_emit(struct cmk_dev *dev, char *result, unsigned int maxlen);
void cmk_table_emit_ima(struct cmk_dev *dev, char *result, unsigned int maxlen);

/* target.c */
extern struct target_type cmk_target_type;
int cmk_map_bio(struct cmk_dev *dev, struct bio *bio, struct cmk_io *io);
void cmk_remap(struct cmk_dev *dev, struct bio *bio);
void cmk_fail_bio(struct cmk_dev *dev, struct bio *bio, blk_status_t status);

/* status.c */
void cmk_status(struct dm_target *ti, status_type_t type, unsigned int flags, char *result,
		unsigned int maxlen);

/* message.c */
int cmk_message(struct dm_target *ti, unsigned int argc, char **argv, char *result,
		unsigned int maxlen);

/* state.c */
void cmk_state_init(struct cmk_dev *dev);
void cmk_state_exit(struct cmk_dev *dev);
int cmk_state_up(struct cmk_dev *dev, struct cmk_key *key);
bool cmk_state_down(struct cmk_dev *dev, struct cmk_key *only, const char *reason);
bool cmk_state_down_locked(struct cmk_dev *dev, struct cmk_key *only, const char *reason);
void cmk_state_wipe(struct cmk_dev *dev);
void cmk_revoke(struct cmk_dev *dev, const char *reason);
const char *cmk_state_name(enum cmk_state state);

/* lease.c */
void cmk_lease_init(struct cmk_dev *dev);
void cmk_lease_start_locked(struct cmk_dev *dev);
int cmk_lease_renew(struct cmk_dev *dev, u64 ms);
s64 cmk_lease_left_ms_locked(struct cmk_dev *dev);

/* event.c */
void cmk_event_work(struct work_struct *work);

/* key.c */
struct cmk_key *cmk_key_load(struct cmk_dev *dev, const char *spec, const char **error);
void cmk_key_free(struct cmk_key *key);

/* keytype.c */
extern struct key_type cmk_key_type;
int cmk_payload_attach(struct cmk_key *key, struct key *from, u8 *raw, unsigned int bytes);
void cmk_payload_detach(struct cmk_key *key, bool zeroize);
bool cmk_payload_check(struct cmk_key *key);

/* cipher.c */
int cmk_cipher_init(struct cmk_dev *dev);
void cmk_cipher_exit(struct cmk_dev *dev);
int cmk_cipher_run(struct cmk_dev *dev, struct cmk_io *io, struct bio *bio, bool may_block);
bool cmk_cipher_may_inline(void);

/* read.c */
int cmk_read_map(struct cmk_dev *dev, struct bio *bio, struct cmk_io *io);
int cmk_read_end(struct cmk_dev *dev, struct bio *bio, struct cmk_io *io, blk_status_t *error);
void cmk_read_done(struct cmk_io *io, int r);
void cmk_read_resume(struct cmk_io *io);

/* write.c */
int cmk_write_map(struct cmk_dev *dev, struct bio *bio, struct cmk_io *io);
void cmk_write_done(struct cmk_io *io, int r);

/* pages.c */
int cmk_pages_init(void);
void cmk_pages_exit(void);
int cmk_pages_init_dev(struct cmk_dev *dev);
bool cmk_pages_get(struct cmk_dev *dev, struct cmk_io *io, unsigned int bytes);
void cmk_pages_get_reserve(struct cmk_dev *dev, struct cmk_io *io, unsigned int bytes);
void cmk_pages_put(struct cmk_dev *dev, struct cmk_io *io);

/* hold.c */
int cmk_hold_init(struct cmk_dev *dev);
void cmk_hold_exit(struct cmk_dev *dev);
bool cmk_hold(struct cmk_dev *dev, struct bio *bio, struct cmk_io *io);
int cmk_hold_or_fail(struct cmk_dev *dev, struct bio *bio, struct cmk_io *io);
void cmk_hold_release(struct cmk_dev *dev);
void cmk_hold_stop(struct cmk_dev *dev);
void cmk_hold_start(struct cmk_dev *dev);

/* pm.c */
int cmk_pm_init(void);
void cmk_pm_exit(void);
void cmk_pm_add(struct cmk_dev *dev);
void cmk_pm_del(struct cmk_dev *dev);
bool cmk_pm_hibernating(void);

#endif /* CMK_H */

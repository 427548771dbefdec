// SPDX-License-Identifier: GPL-2.0
/*
 * The key type "cmk": a payload that cannot be read back, and that takes all mappings that were
 * loaded from it down when the key is revoked, or destroyed because it was invalidated or has
 * expired.
 */
#include <linux/ctype.h>
#include <linux/key.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "cmk.h"

/* Guards all payloads and who uses them. Taken before a mapping's lock; process context. */
static DEFINE_SPINLOCK(cmk_users_lock);

static int cmk_vet_description(const char *description)
{
	const char *p;

	/* it has to stand in a table line as one word */
	for (p = description; *p; p++)
		if (isspace(*p) || *p == '\\')
			return -EINVAL;
	return p == description || p - description > CMK_DESCRIPTION_MAX ? -EINVAL : 0;
}

static int cmk_preparse(struct key_preparsed_payload *prep)
{
	struct cmk_payload *payload;

	if (!prep->data ||
	    (prep->datalen != CMK_KEY_BYTES_128 && prep->datalen != CMK_KEY_BYTES_256))
		return -EINVAL;

	payload = kzalloc(sizeof(*payload), GFP_KERNEL);
	if (!payload)
		return -ENOMEM;
	INIT_LIST_HEAD(&payload->users);
	payload->bytes = prep->datalen;
	memcpy(payload->raw, prep->data, prep->datalen);
	prep->payload.data[0] = payload;
	prep->quotalen = prep->datalen;
	return 0;
}

static void cmk_free_preparse(struct key_preparsed_payload *prep)
{
	kfree_sensitive(prep->payload.data[0]);
}

static void cmk_payload_zeroize(struct cmk_payload *payload)
{
	memzero_explicit(payload->raw, sizeof(payload->raw));
	payload->bytes = 0;
}

/*
 * The key is gone: no mapping may use it any more. The wipes are queued, as the key's semaphore may
 * be held.
 */
static void cmk_payload_kill_locked(struct cmk_payload *payload)
{
	struct cmk_key *key;

	cmk_payload_zeroize(payload);
	list_for_each_entry(key, &payload->users, user)
		cmk_state_down(key->dev, key, CMK_REASON_KEY_REVOKED);
}

static void cmk_key_type_revoke(struct key *key)
{
	struct cmk_payload *payload = key->payload.data[0];

	key_payload_reserve(key, 0);
	spin_lock(&cmk_users_lock);
	if (payload)
		cmk_payload_kill_locked(payload);
	spin_unlock(&cmk_users_lock);
}

static void cmk_key_type_destroy(struct key *key)
{
	struct cmk_payload *payload = key->payload.data[0];
	struct cmk_key *user, *next;

	if (!payload)
		return;
	spin_lock(&cmk_users_lock);
	cmk_payload_kill_locked(payload);
	list_for_each_entry_safe(user, next, &payload->users, user) {
		list_del_init(&user->user);
		user->payload = NULL;
	}
	spin_unlock(&cmk_users_lock);
	kfree_sensitive(payload);
}

static void cmk_describe(const struct key *key, struct seq_file *m)
{
	seq_puts(m, key->description);
	if (key_is_positive(key))
		seq_printf(m, ": %u", key->datalen);
}

/*
 * No .update: adding a key again makes a new one, so that a mapping's key never changes under it.
 * Reaped as soon as it expires, for this is how a mapping learns of it.
 */
struct key_type cmk_key_type = {
	.name			= CMK_KEY_TYPE,
	.flags			= KEY_TYPE_INSTANT_REAP,
	.vet_description	= cmk_vet_description,
	.preparse		= cmk_preparse,
	.free_preparse		= cmk_free_preparse,
	.instantiate		= generic_key_instantiate,
	.revoke			= cmk_key_type_revoke,
	.destroy		= cmk_key_type_destroy,
	.describe		= cmk_describe,
};

/**
 * cmk_payload_attach() - take the bytes of a cmk key, and be told of its end
 * @key: the mapping's key, with dev set
 * @from: a key of type cmk, referenced by the caller
 * @raw: gets the bytes; the caller wipes them
 * @bytes: their number
 *
 * Return: 0; -EINVAL if the key has another size; -EKEYREVOKED if it was zeroized.
 */
int cmk_payload_attach(struct cmk_key *key, struct key *from, u8 *raw, unsigned int bytes)
{
	struct cmk_payload *payload = from->payload.data[0];
	int r = 0;

	spin_lock(&cmk_users_lock);
	if (!payload || !payload->bytes) {
		r = -EKEYREVOKED;
	} else if (payload->bytes != bytes) {
		r = -EINVAL;
	} else {
		memcpy(raw, payload->raw, bytes);
		key->payload = payload;
		list_add(&key->user, &payload->users);
	}
	spin_unlock(&cmk_users_lock);
	return r;
}

/**
 * cmk_payload_detach() - the mapping no longer uses the key
 * @key: the mapping's key; one that was never attached is fine
 * @zeroize: also make the payload useless
 */
void cmk_payload_detach(struct cmk_key *key, bool zeroize)
{
	spin_lock(&cmk_users_lock);
	if (key->payload) {
		list_del_init(&key->user);
		if (zeroize)
			cmk_payload_zeroize(key->payload);
		key->payload = NULL;
	}
	spin_unlock(&cmk_users_lock);
}

/**
 * cmk_payload_check() - take a mapping down if its key ended while it was being installed
 * @key: the key that was just installed
 *
 * The key may have been replaced and freed meanwhile by anyone but the caller, who holds the
 * mapping's wipe_lock.
 *
 * Return: true if the key is alive.
 */
bool cmk_payload_check(struct cmk_key *key)
{
	bool alive;

	spin_lock(&cmk_users_lock);
	alive = key->from_logon || (key->payload && key->payload->bytes);
	if (!alive)
		cmk_state_down(key->dev, key, CMK_REASON_KEY_REVOKED);
	spin_unlock(&cmk_users_lock);
	return alive;
}

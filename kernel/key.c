// SPDX-License-Identifier: GPL-2.0
/*
 * One loaded key of a mapping: from the words ":<bytes>:<type>:<description>" over the kernel's
 * keyrings to a keyed cipher, and its end.
 */
#include <linux/cred.h>
#include <linux/ctype.h>
#include <linux/key.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <keys/user-type.h>

#include "cmk.h"

struct cmk_spec {
	unsigned int bytes;
	struct key_type *type;
	const char *description;	/* points into the words */
};

static int cmk_spec_parse_type(const char *word, struct cmk_spec *spec, const char **error)
{
	static const struct {
		const char *prefix;
		struct key_type *type;
	} types[] = {
		{ CMK_KEY_TYPE ":",	&cmk_key_type },
		{ "logon:",		&key_type_logon },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		size_t len = strlen(types[i].prefix);

		if (strncmp(word, types[i].prefix, len))
			continue;
		spec->type = types[i].type;
		spec->description = word + len;
		return 0;
	}
	*error = "key: the type must be cmk or logon, as in :64:cmk:<description>";
	return -EINVAL;
}

static int cmk_spec_parse(const char *words, struct cmk_spec *spec, const char **error)
{
	static const struct {
		const char *prefix;
		unsigned int bytes;
	} sizes[] = {
		{ ":64:", CMK_KEY_BYTES_256 },
		{ ":32:", CMK_KEY_BYTES_128 },
	};
	const char *p;
	unsigned int i;
	int r;

	if (words[0] != ':') {
		*error = "key: a key in hexadecimal is refused: give :64:cmk:<description> or -";
		return -EINVAL;
	}
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		if (!strncmp(words, sizes[i].prefix, strlen(sizes[i].prefix)))
			break;
	if (i == ARRAY_SIZE(sizes)) {
		*error = "key: the size must be 64 or 32 bytes, as in :64:cmk:<description>";
		return -EINVAL;
	}
	spec->bytes = sizes[i].bytes;
	r = cmk_spec_parse_type(words + strlen(sizes[i].prefix), spec, error);
	if (r)
		return r;

	for (p = spec->description; *p && !isspace(*p) && *p != '\\'; p++)
		;
	if (p == spec->description || *p || p - spec->description > CMK_DESCRIPTION_MAX) {
		*error = "key: the description must be 1 to 255 characters, no blank, no backslash";
		return -EINVAL;
	}
	return 0;
}

static const char *cmk_lookup_error(int r)
{
	static const struct {
		int error;
		const char *text;
	} texts[] = {
		{ -ENOKEY, "key: not found in the caller's keyrings: add it, then load again" },
		{ -EKEYREVOKED, "key: it is revoked or zeroized: add a new one, then load again" },
		{ -EKEYEXPIRED, "key: it has expired: add a new one, then load again" },
		{ -EACCES, "key: the caller may not search it: see keyctl setperm" },
		{ -EINVAL, "key: its payload has another size than is said here" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].error == r)
			return texts[i].text;
	return "key: it could not be looked up";
}

static int cmk_logon_read(struct key *from, u8 *raw, unsigned int bytes)
{
	const struct user_key_payload *payload;
	int r = 0;

	down_read(&from->sem);
	payload = user_key_payload_locked(from);
	if (!payload)
		r = -EKEYREVOKED;
	else if (payload->datalen != bytes)
		r = -EINVAL;
	else
		memcpy(raw, payload->data, bytes);
	up_read(&from->sem);
	return r;
}

/*
 * The only link that the mapping holds on the key is in a keyring of its own, not a reference: so
 * the key's garbage collector takes an invalidated or expired key away from us as from everybody
 * else, and its destroy tells us.
 */
static int cmk_key_keep(struct cmk_key *key, struct key *from)
{
	struct key *ring;
	int r;

	ring = keyring_alloc(".dm_cmk", GLOBAL_ROOT_UID, GLOBAL_ROOT_GID, current_cred(),
			     KEY_USR_VIEW | KEY_USR_READ, KEY_ALLOC_NOT_IN_QUOTA, NULL, NULL);
	if (IS_ERR(ring))
		return PTR_ERR(ring);
	r = key_link(ring, from);
	if (r) {
		key_put(ring);
		return r;
	}
	key->ring = ring;
	return 0;
}

static int cmk_key_read(struct cmk_key *key, const struct cmk_spec *spec, u8 *raw)
{
	struct key *from = request_key(spec->type, spec->description, NULL);
	int r;

	if (IS_ERR(from))
		return PTR_ERR(from);
	r = key_validate(from);
	if (r)
		goto out;
	if (spec->type == &key_type_logon) {
		key->from_logon = true;
		r = cmk_logon_read(from, raw, spec->bytes);
	} else {
		r = cmk_payload_attach(key, from, raw, spec->bytes);
		if (!r)
			r = cmk_key_keep(key, from);
	}
out:
	key_put(from);
	return r;
}

static int cmk_key_set(struct cmk_key *key, const u8 *raw, unsigned int bytes)
{
	struct cmk_dev *dev = key->dev;
	struct crypto_skcipher *tfm = crypto_alloc_skcipher(dev->driver, 0, 0);

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	key->tfm = tfm;
	if (crypto_skcipher_reqsize(tfm) > dev->reqsize)
		return -EINVAL;
	return crypto_skcipher_setkey(tfm, raw, bytes);
}

/**
 * cmk_key_load() - look a key up as the current process and make a keyed cipher of it
 * @dev: the mapping, cmk_cipher_init() done
 * @words: ":<bytes>:<type>:<description>"
 * @error: set on failure to a constant that says what and what to do
 *
 * Return: the key, for cmk_state_up() or cmk_key_free(); or ERR_PTR.
 */
struct cmk_key *cmk_key_load(struct cmk_dev *dev, const char *words, const char **error)
{
	u8 raw[CMK_KEY_BYTES_256];
	struct cmk_spec spec;
	struct cmk_key *key;
	int r;

	r = cmk_spec_parse(words, &spec, error);
	if (r)
		return ERR_PTR(r);
	*error = "key: no memory for it: free some and load again";
	key = kzalloc(sizeof(*key), GFP_KERNEL);
	if (!key)
		return ERR_PTR(-ENOMEM);
	key->dev = dev;
	INIT_LIST_HEAD(&key->user);
	snprintf(key->spec, sizeof(key->spec), ":%u:%s:%s", spec.bytes, spec.type->name,
		 spec.description);

	r = cmk_key_read(key, &spec, raw);
	if (r) {
		*error = cmk_lookup_error(r);
	} else {
		r = cmk_key_set(key, raw, spec.bytes);
		if (r && r != -ENOMEM)
			*error = "key: the cipher refused it: use a random key";
	}
	memzero_explicit(raw, sizeof(raw));
	if (r) {
		cmk_key_free(key);
		return ERR_PTR(r);
	}
	return key;
}

/*
 * Freeing a cipher zeroes its context; setting a random key first also reaches what an
 * implementation keeps elsewhere.
 */
static void cmk_tfm_free(struct crypto_skcipher *tfm)
{
	u8 random[CMK_KEY_BYTES_256];

	get_random_bytes(random, sizeof(random));
	crypto_skcipher_setkey(tfm, random, sizeof(random));
	crypto_free_skcipher(tfm);
}

/**
 * cmk_key_free() - zeroize a key with all that was derived from it
 * @key: not in use by any cipher call; its payload too is zeroized if zeroize_payload is set
 */
void cmk_key_free(struct cmk_key *key)
{
	cmk_payload_detach(key, key->zeroize_payload);
	if (key->ring)
		key_put(key->ring);
	if (!IS_ERR_OR_NULL(key->tfm))
		cmk_tfm_free(key->tfm);
	kfree_sensitive(key);
}

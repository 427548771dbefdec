/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * What the parts of the test vault owe each other: the request that travels through it, the store
 * of vaults and keys, and the prototypes, one group per file. All but server.c and pend.c run under
 * vault_lock.
 */
#ifndef CMK_TESTVAULT_H
#define CMK_TESTVAULT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cjson/cJSON.h>
#include "crypto.h"
#include "util.h"

#define TENANT_DEFAULT "a0000000-0000-4000-8000-000000000001"
#define REGION_DEFAULT "westeurope"
#define VAULT_DEFAULT  "contoso.vault.azure.net"

struct MHD_Connection;

/* Where a request came in, and so who is meant by it. */
enum surface { SURFACE_VAULT, SURFACE_LOGIN, SURFACE_IMDS, SURFACE_ARC, SURFACE_CONTROL };

/* Classes of requests, as faults and the log name them; names in route.c. */
enum class {
	CLASS_GET,
	CLASS_CREATE,
	CLASS_IMPORT,
	CLASS_UPDATE,
	CLASS_DELETE,
	CLASS_WRAP,
	CLASS_UNWRAP,
	CLASS_LIST,
	CLASS_VERSIONS,
	CLASS_ROTATE,
	CLASS_POLICY,
	CLASS_BACKUP,
	CLASS_RESTORE,
	CLASS_DELETED,
	CLASS_RECOVER,
	CLASS_PURGE,
	CLASS_HEALTH,
	CLASS_TOKEN,
	CLASS_DISCOVERY,
	CLASS_IMDS_TOKEN,
	CLASS_IMDS_INSTANCE,
	CLASS_OTHER,
	CLASS_COUNT
};

#define CLASSES_KEYS  ((1u << CLASS_TOKEN) - 1)
#define CLASSES_LOGIN (1u << CLASS_TOKEN | 1u << CLASS_DISCOVERY)
#define CLASSES_IMDS  (1u << CLASS_IMDS_TOKEN | 1u << CLASS_IMDS_INSTANCE)
#define CLASSES_ALL   ((1u << CLASS_COUNT) - 1)

/* One cloud's names: what hosts end in, which resource a token is for, and where tokens come from.
 */
struct cloud {
	const char *suffix;
	const char *resource;
	const char *login;
	bool hsm;
};

struct version {
	struct version *next; /* older */
	char id[33];
	char kty[8];
	char crv[8];
	struct evp_pkey_st *pkey;
	cJSON *ops;
	cJSON *tags;
	bool enabled;
	int64_t nbf, exp; /* Unix seconds, 0: none */
	int64_t created, updated;
	char *last_unwrap; /* base64url, for the fault "replay" */
};

enum key_state { KEY_LIVE, KEY_DELETING, KEY_DELETED, KEY_RECOVERING };

struct key {
	struct key *next;
	char *name;
	struct version *versions; /* newest, which is the current one, first */
	enum key_state state;
	int64_t settles_ms; /* when DELETING or RECOVERING ends */
	int64_t deleted_at, purge_at;
	cJSON *policy; /* rotation policy, or NULL for the service's default */
};

struct vault {
	struct vault *next;
	char *host;
	const struct cloud *cloud;
	char *tenant, *region;
	int retention_days;
	bool purge_protection, soft_delete, firewall, public_off;
	int settle_ms;
	cJSON *no_role, *no_policy; /* names of identities, "*" for all */
	struct key *keys;
};

struct identity {
	const char *name;
	const char *client_id, *object_id, *resource_id, *secret;
	bool managed;
	bool deleted, disabled;
	char *certificate; /* PEM: client assertions must be signed with its key */
};

enum fault_kind {
	FAULT_NONE,
	FAULT_THROTTLE,
	FAULT_STATUS,
	FAULT_ANSWER,
	FAULT_CAE,
	FAULT_DELAY,
	FAULT_HANG,
	FAULT_RESET,
	FAULT_TRUNCATE,
	FAULT_GARBAGE,
	FAULT_HUGE,
	FAULT_WRONG,
	FAULT_REPLAY,
	FAULT_KINDS
};

/* What a fault does to the one request that met it. */
struct effect {
	enum fault_kind kind;
	int64_t value; /* milliseconds, status, bytes or Retry-After (-1: none), by kind */
	const char *answer;
	unsigned int id;
};

struct header {
	const char *name;
	char *value;
};

struct answer {
	unsigned int status;
	const char *type;
	char *body;
	struct header headers[20];
	unsigned int n_headers;
};

struct req;

struct route {
	enum surface surface;
	const char *method;
	const char *pattern; /* segments: KEY, VERSION and TENANT stand for any */
	enum class class;
	void (*run)(struct req *req);
	const char *permission; /* access policy's word; NULL: no authentication */
	const char *action;	/* RBAC action after Microsoft.KeyVault/vaults/ */
};

enum phase { PHASE_NEW, PHASE_BODY, PHASE_WAIT, PHASE_WORK };

struct req {
	struct req *next; /* pend.c's list */
	struct MHD_Connection *conn;
	enum surface surface;
	enum phase phase;
	int64_t wake_ms; /* -1: never */
	bool dropped;
	char *uri;	 /* as sent, with the query */
	char *authority; /* Host header as sent */
	char *host;	 /* without the port */
	const char *method;
	char *path; /* decoded, without the query */
	char *body;
	size_t body_len;
	cJSON *json;
	const struct route *route;
	char *key, *version, *tenant; /* captured from the path; NULL where not there */
	struct vault *vault;
	const struct identity *who;
	struct evp_pkey_st *made; /* the key that crypto made while the request waited */
	struct effect effect;
	struct answer answer;
	int64_t arrived_ms;
	char activity[37];
	int client_port;
};

/* ---- main.c ---- */
extern pthread_mutex_t vault_lock;

/** struct settings - what the command line said */
struct settings {
	const char *dir, *imds, *arc, *arc_tokens, *control, *replay;
	const char *https[8];
	unsigned int n_https;
	char *host_region; /* as IMDS tells it */
	int token_lifetime_s;
};
extern struct settings settings;

/* ---- server.c ---- */
int __must_check server_start(void);
void server_stop(void);
/** server_cut() - stop listening on @where ("ADDR:PORT", or NULL for all of @surface) and end the
 * connections */
int __must_check server_cut(enum surface surface, const char *where);
/** server_restore() - listen again wherever server_cut() ended it */
int __must_check server_restore(enum surface surface);
/** server_certificate() - show another certificate (crypto_cert.c's names) from the next connection
 * on */
int __must_check server_certificate(const char *name);
/** server_port() - port of the first TLS address */
int server_port(void);

/* ---- pend.c ---- */
/** pend() - suspend @req until @wake_ms, or until pend_wake() with -1 */
void pend(struct req *req, int64_t wake_ms);
/** pend_wake() - let @req go on now */
void pend_wake(struct req *req);
/** pend_drop() - end with a connection reset all that hang, and with @all also what is delayed */
void pend_drop(bool all);
int __must_check pend_start(void);

/* ---- work.c ---- */
/** work_wanted() - whether @req has to wait for a key to be made; if so it was suspended and the
 * making begun */
bool work_wanted(struct req *req);
/** work_wait() - wait until no key is being made; none is begun until work_resume() */
void work_wait(void);
void work_resume(void);

/* ---- answer.c ---- */
const char *req_header(const struct req *req, const char *name);
const char *req_query(const struct req *req, const char *name);
/** req_api() - the api-version as a number that compares: 704 for 7.4, 2025 and more for dated ones
 */
int req_api(const struct req *req);
/** answer_json() - answer with @json, which is taken */
void answer_json(struct req *req, unsigned int status, cJSON *json);
void answer_text(struct req *req, unsigned int status, const char *type, const char *text);
void answer_header(struct req *req, const char *name, const char *fmt, ...) __printf(3, 4);
/** answer_bearer() - the WWW-Authenticate challenge of the request's vault */
void answer_bearer(struct req *req);
/** answer_service_headers() - what Key Vault or Managed HSM adds to all its answers */
void answer_service_headers(struct req *req);
/** answer_send() - hand the answer to libmicrohttpd, as the effect of the request's fault has it;
 * false: close */
bool answer_send(struct req *req);
void answer_reset(struct answer *answer);

/* ---- errors.c ---- */
/** errors_answer() - answer with the error body @id; $1 and $2 in it are @a and @b */
void errors_answer(struct req *req, const char *id, const char *a, const char *b);
/** errors_id() - the table's own copy of @id, or NULL if it has no such body */
const char *errors_id(const char *id);
/** errors_list() - all ids, an array of objects with id, status and body */
cJSON *errors_list(void);

/* ---- route.c ---- */
/** route_find() - resolve host, route and captured names of @req; false if it was answered at once
 */
bool route_find(struct req *req);
/** route_run() - check who asks, then answer */
void route_run(struct req *req);
const char *route_class_name(enum class class);
/** route_classes() - a comma-separated list of classes and groups as a mask; 0 if one is unknown */
unsigned int route_classes(const char *list);

/* ---- cloud.c ---- */
const struct cloud *cloud_of_host(const char *host);
bool cloud_is_login(const char *host);
/** cloud_of_audience() - whether @aud is the resource of a vault or HSM of any cloud */
const struct cloud *cloud_of_audience(const char *aud);
const struct cloud *cloud_at(size_t i);

/* ---- auth.c ---- */
/** auth_check() - token, network rules and role, in the service's order; false if it was answered
 */
bool auth_check(struct req *req);

/* ---- token.c ---- */
enum token_state { TOKEN_OK, TOKEN_BAD, TOKEN_EXPIRED };
/** token_make() - a signed access token; the caller frees */
char *token_make(const struct identity *who, const char *tenant, const char *audience,
		 bool with_claims);
/** token_read() - check signature and times; *@claims is then the caller's to delete */
enum token_state token_read(const char *token, cJSON **claims);
/** token_expire_all() - refuse all tokens made until now */
void token_expire_all(void);
/** token_payload() - the second part of any JWT as JSON, unchecked, or NULL */
cJSON *token_payload(const char *jwt);
cJSON *token_save(void);
void token_load(const cJSON *json);

/* ---- identity.c ---- */
struct identity *identity_by_name(const char *name);
/** identity_find() - by client id, object id or resource id, whichever are not NULL */
struct identity *identity_find(const char *client_id, const char *object_id,
			       const char *resource_id);
cJSON *identity_save(void);
void identity_load(const cJSON *json);

/* ---- entra.c ---- */
void entra_token(struct req *req);
void entra_instance(struct req *req);
void entra_openid(struct req *req);
void entra_keys(struct req *req);

/* ---- imds.c ---- */
void imds_token(struct req *req);
void imds_location(struct req *req);
void imds_instance(struct req *req);
/** imds_token_answer() - the body that IMDS and Arc answer a good request with */
void imds_token_answer(struct req *req, const struct identity *who);

/* ---- arc.c ---- */
void arc_token(struct req *req);

/* ---- store.c ---- */
struct vault *store_vault(const char *host); /* made if it is not there; NULL: no such suffix */
struct vault *store_vaults(void);
struct key *store_key(struct vault *vault, const char *name);
struct key *store_key_add(struct vault *vault, const char *name);
void store_key_remove(struct vault *vault, struct key *key);
/** store_settle() - let time pass: end deletions, recoveries and retention that are due */
void store_settle(struct vault *vault);
/** store_version() - the version @id of @key, or the current one with NULL or "" */
struct version *store_version(const struct key *key, const char *id);
/** store_version_add() - a new current version around @pkey, which is taken */
struct version *store_version_add(struct key *key, const char *kty, struct evp_pkey_st *pkey);
void store_delete(struct vault *vault, struct key *key, bool at_once);
void store_recover(struct vault *vault, struct key *key, bool at_once);
const char *store_recovery_level(const struct vault *vault);

/* ---- bundle.c ---- */
/** bundle_kid() - the key's URL as a client of @authority sees it; the caller frees */
char *bundle_kid(const char *authority, const struct key *key, const struct version *v);
/** bundle_key() - a key bundle as GET answers it; @api as req_api() */
cJSON *bundle_key(const char *authority, const struct vault *vault, const struct key *key,
		  const struct version *v, int api);
/** bundle_item() - an item of a list: kid without the version if !@versioned */
cJSON *bundle_item(const char *authority, const struct vault *vault, const struct key *key,
		   const struct version *v, int api, bool versioned);
/** bundle_deleted() - put recoveryId, deletedDate and scheduledPurgeDate in front of @json's
 * members */
cJSON *bundle_deleted(cJSON *json, const char *authority, const struct key *key);
/** bundle_default_ops() - the key_ops of a new key of type @kty */
cJSON *bundle_default_ops(const char *kty, bool hsm);
/** bundle_apply() - take attributes, key_ops and tags of a request's @body over into @v */
void bundle_apply(struct version *v, const cJSON *body);

/* ---- keys.c, ops.c, deleted.c, lists.c, rotation.c, backup.c: the handlers in route.c's table
 * ---- */
void keys_get(struct req *req);
void keys_create(struct req *req);
void keys_import(struct req *req);
void keys_update(struct req *req);
void keys_delete(struct req *req);
void keys_health(struct req *req);
/** keys_wanted() - key and version that the path names; NULL if it was answered with 404 */
struct version *keys_wanted(struct req *req, struct key **key);
/** keys_type() - the type and size that a create request asks for; false if it is malformed */
bool keys_type(const cJSON *body, bool hsm, char kty[8], char crv[8], int *bits);
void ops_wrap(struct req *req);
void ops_unwrap(struct req *req);
void ops_encrypt(struct req *req);
void ops_decrypt(struct req *req);
void deleted_get(struct req *req);
void deleted_recover(struct req *req);
void deleted_purge(struct req *req);
void lists_keys(struct req *req);
void lists_versions(struct req *req);
void lists_deleted(struct req *req);
void rotation_rotate(struct req *req);
void rotation_get(struct req *req);
void rotation_put(struct req *req);
/** rotation_apply() - set the expiry that @key's rotation policy gives a new version */
void rotation_apply(const struct key *key, struct version *v);
void backup_make(struct req *req);
void backup_restore(struct req *req);

/* ---- state.c ---- */
void state_load(void);
/** state_save() - write everything to the directory */
void state_save(void);
/** state_changed() - have it written when the request or the verb is done */
void state_changed(void);
void state_save_if_changed(void);
/** state_key_save() - a key with private parts, also the contents of a backup */
cJSON *state_key_save(const struct key *key);
/** state_key_load() - the reverse: add the key to @vault, or NULL if @json is no such thing */
struct key *state_key_load(struct vault *vault, const cJSON *json);

/* ---- fault.c ---- */
/** fault_pick() - the fault that @req meets, counted; FAULT_NONE if none */
struct effect fault_pick(const struct req *req);
/** fault_add() - parse and add a fault from a verb's words; its id, or 0 with *@why */
unsigned int fault_add(enum fault_kind kind, int argc, char **argv, char **why);
enum fault_kind fault_kind(const char *verb);
const char *fault_name(enum fault_kind kind);
/** fault_clear() - end fault @id, or all with 0; false if there is none */
bool fault_clear(unsigned int id);
cJSON *fault_list(void);
/** fault_apply() - give the answer that the fault prescribes, if it prescribes one; else false */
bool fault_apply(struct req *req);

/* ---- control.c, owner.c, admin.c ---- */
/** control_run() - do what the line of words in the request's body says; takes vault_lock itself */
void control_run(struct req *req);
typedef char *verb_fn(int argc, char **argv,
		      bool *ok); /* the text to answer with; the caller frees */
verb_fn owner_create_key, owner_rotate, owner_enable, owner_disable, owner_expire,
	owner_not_yet_valid, owner_no_dates, owner_key_ops, owner_delete, owner_recover,
	owner_purge, admin_role, admin_policy, admin_firewall, admin_public_access, owner_show,
	admin_vault, admin_tenant, admin_identity;
/** control_option() - take --@name VALUE out of the words; NULL if it is not there */
const char *control_option(int *argc, char **argv, const char *name);
/** control_flag() - take --@name out of the words */
bool control_flag(int *argc, char **argv, const char *name);
/** control_no() - a refusal */
char *control_no(bool *ok, const char *fmt, ...) __printf(2, 3);

/* ---- log.c ---- */
void log_request(const struct req *req);
/** log_text() - the requests after @since of @classes from hosts like @glob, JSON lines or their
 * number */
char *log_text(int64_t since, unsigned int classes, const char *glob, bool count);
void log_clear(void);

/* ---- ctl.c ---- */
int ctl_main(int argc, char **argv);

/* ---- replay.c ---- */
/** replay_load() - answer from the recording @path from now on; NULL, or why not (the caller frees)
 */
char *replay_load(const char *path);
void replay_end(void);
bool replay_on(void);
void replay_run(struct req *req);

#endif

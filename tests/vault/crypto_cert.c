// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * The test vault's own certificate authority and the server certificates it issues: the good one
 * and, for the fault "certificate", one for other hosts, an expired one and one of an unknown
 * authority.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "vault.h"

#define DAY_S (24 * 60 * 60L)

static const struct {
	const char *name;
	bool other_host, expired, untrusted;
} servers[] = {
	{ .name = "good" },
	{ .name = "wrong-host", .other_host = true },
	{ .name = "expired", .expired = true },
	{ .name = "untrusted", .untrusted = true },
};

static char *server_names(bool other_host)
{
	char *names = xstrdup(other_host ? "DNS:example.invalid"
					 : "DNS:localhost,IP:127.0.0.1,DNS:login.windows.net,"
					   "DNS:login.partner.microsoftonline.cn");
	const struct cloud *cloud;

	for (size_t i = 0; !other_host && (cloud = cloud_at(i)); i++) {
		char *more = xasprintf("%s,DNS:*%s,DNS:%s", names, cloud->suffix, cloud->login);

		free(names);
		names = more;
	}
	return names;
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	bool good;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	good = ext && X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
	return good;
}

/* A certificate for @pkey; a CA's own with @issuer NULL. */
static X509 *issue(EVP_PKEY *pkey, const char *cn, X509 *issuer, EVP_PKEY *issuer_key,
		   const char *names, bool expired)
{
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	uint64_t serial;
	bool good;

	crypto_random(&serial, sizeof(serial));
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial >> 1);
	good = X509_set_version(cert, 2) && X509_set_pubkey(cert, pkey) &&
	       X509_gmtime_adj(X509_getm_notBefore(cert), expired ? -20 * DAY_S : -DAY_S) &&
	       X509_gmtime_adj(X509_getm_notAfter(cert), expired ? -10 * DAY_S : 3650 * DAY_S) &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1,
					  -1, 0) &&
	       X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : name) &&
	       add_extension(cert, issuer ? issuer : cert, NID_subject_key_identifier, "hash");
	if (issuer)
		good = good && add_extension(cert, issuer, NID_subject_alt_name, names) &&
		       add_extension(cert, issuer, NID_authority_key_identifier, "keyid") &&
		       add_extension(cert, issuer, NID_key_usage, "critical,digitalSignature") &&
		       add_extension(cert, issuer, NID_ext_key_usage, "serverAuth");
	else
		good = good &&
		       add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE") &&
		       add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign");
	if (good && X509_sign(cert, issuer ? issuer_key : pkey, EVP_sha256()) > 0)
		return cert;
	X509_free(cert);
	return NULL;
}

static int write_certificate(const char *dir, const char *name, X509 *cert)
{
	_cleanup_free_ char *path = xasprintf("%s/%s.pem", dir, name);
	FILE *f = fopen(path, "we");
	bool good;

	if (!f)
		return -errno;
	good = PEM_write_X509(f, cert);
	return fclose(f) || !good ? -EIO : 0;
}

static int make_server(const char *dir, size_t i, X509 *ca, EVP_PKEY *ca_key)
{
	_cleanup_free_ char *names = server_names(servers[i].other_host);
	_cleanup_free_ char *path = xasprintf("%s/server-%s.key", dir, servers[i].name);
	_cleanup_free_ char *file = xasprintf("server-%s", servers[i].name);
	EVP_PKEY *pkey = crypto_make("EC", "P-256", 0);
	_cleanup_free_ char *pem = pkey ? crypto_to_pem(pkey) : NULL;
	X509 *cert =
		pem ? issue(pkey, "cmk test vault", ca, ca_key, names, servers[i].expired) : NULL;
	int r = -EIO;

	if (cert)
		r = write_certificate(dir, file, cert);
	if (!r)
		r = write_file(path, pem, 0600);
	X509_free(cert);
	EVP_PKEY_free(pkey);
	return r;
}

int crypto_certs(const char *dir)
{
	_cleanup_free_ char *ca_path = xasprintf("%s/ca.pem", dir);
	EVP_PKEY *ca_key, *other_key;
	X509 *ca, *other;
	int r = -EIO;

	/* The CA's key is not kept: a directory that has the CA has all that the CA signed. */
	if (!access(ca_path, R_OK))
		return 0;
	ca_key = crypto_make("EC", "P-256", 0);
	other_key = crypto_make("EC", "P-256", 0);
	ca = issue(ca_key, "cmk test vault CA", NULL, NULL, NULL, false);
	other = issue(other_key, "cmk unknown CA", NULL, NULL, NULL, false);
	if (ca && other)
		r = 0;
	for (size_t i = 0; !r && i < ARRAY_SIZE(servers); i++)
		r = servers[i].untrusted ? make_server(dir, i, other, other_key)
					 : make_server(dir, i, ca, ca_key);
	if (!r)
		r = write_certificate(dir, "ca", ca);
	X509_free(ca);
	X509_free(other);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(other_key);
	return r;
}

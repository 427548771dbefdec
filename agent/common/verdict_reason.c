// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* What each reason is called, which verdict it is, what it means, and what a person can do. */
#include "verdict.h"

#include <string.h>

/* clang-format off */
static const struct {
	enum cmk_verdict verdict;
	const char *name, *text, *remedy;
} reasons[CMK_REASONS] = {
	[CMK_REASON_OK] = { CMK_VALID, "OK",
		"access to the KEK is proven",
		"" },

	[CMK_KEY_DISABLED] = { CMK_REVOKED, "KeyDisabled",
		"the KEK is disabled",
		"enable the key version in the vault; the volume unlocks by itself" },
	[CMK_KEY_NOT_FOUND] = { CMK_REVOKED, "KeyNotFound",
		"the KEK is deleted, or this version never existed",
		"recover the key in the vault (az keyvault key recover); a purged key comes "
		"back from a backup only" },
	[CMK_KEY_EXPIRED] = { CMK_REVOKED, "KeyExpired",
		"the KEK's expiry date has passed",
		"extend the key version's expiry date, or rotate the volume to a new version" },
	[CMK_KEY_NOT_YET_VALID] = { CMK_REVOKED, "KeyNotYetValid",
		"the KEK's activation date lies in the future",
		"wait for the activation date, or change it in the vault" },
	[CMK_KEY_OPERATION_FORBIDDEN] = { CMK_REVOKED, "KeyOperationForbidden",
		"the KEK's permitted operations lack unwrapKey",
		"add wrapKey and unwrapKey to the key's permitted operations" },
	[CMK_FORBIDDEN_BY_RBAC] = { CMK_REVOKED, "ForbiddenByRbac",
		"the identity has no role on the KEK",
		"assign the identity the role Key Vault Crypto Service Encryption User "
		"(Managed HSM: Managed HSM Crypto Service Encryption User)" },
	[CMK_FORBIDDEN_BY_POLICY] = { CMK_REVOKED, "ForbiddenByPolicy",
		"the vault's access policy does not let the identity use the KEK",
		"give the identity get, wrapKey and unwrapKey in the vault's access policy" },
	[CMK_FORBIDDEN] = { CMK_REVOKED, "Forbidden",
		"the vault forbids the identity to use the KEK",
		"see the vault's message, and its log under the request id" },

	[CMK_FORBIDDEN_BY_FIREWALL] = { CMK_DENIED, "ForbiddenByFirewall",
		"the vault's firewall does not admit this host",
		"allow this host's address or network in the vault's firewall" },
	[CMK_FORBIDDEN_BY_CONNECTION] = { CMK_DENIED, "ForbiddenByConnection",
		"public access to the vault is off and this host comes by no private link",
		"give this host a private endpoint, or switch public access on" },
	[CMK_IDENTITY_GONE] = { CMK_DENIED, "IdentityGone",
		"Entra does not know the identity any more",
		"restore the identity and its assignment to this host; where the host has "
		"several user-assigned ones, name one with set-identity" },

	[CMK_UNREACHABLE] = { CMK_UNKNOWN, "Unreachable",
		"no answer came from the service",
		"check the network, the proxy and the service's health; the lease runs on" },
	[CMK_DNS_FAILED] = { CMK_UNKNOWN, "DnsFailed",
		"the service's name cannot be resolved",
		"check this host's DNS and the vault's name; the lease runs on" },
	[CMK_TLS_FAILED] = { CMK_UNKNOWN, "TlsFailed",
		"the service's certificate or TLS session is not acceptable",
		"check ca_file, the clock, and whether something intercepts TLS; the lease "
		"runs on" },
	[CMK_THROTTLED] = { CMK_UNKNOWN, "Throttled",
		"the service throttles requests",
		"nothing, if it passes; otherwise use fewer clients of this vault or longer "
		"probe intervals" },
	[CMK_SERVER_ERROR] = { CMK_UNKNOWN, "ServerError",
		"the service failed",
		"see the service's health; the lease runs on" },
	[CMK_TOKEN_REFUSED] = { CMK_UNKNOWN, "TokenRefused",
		"the service refused a fresh token",
		"if it lasts: check the clock, and the tenant of vault and identity" },
	[CMK_IMDS_UNAVAILABLE] = { CMK_UNKNOWN, "ImdsUnavailable",
		"the host's identity endpoint gave no token",
		"check that this host has a managed identity and reaches 169.254.169.254" },
	[CMK_BAD_ANSWER] = { CMK_UNKNOWN, "BadAnswer",
		"the answer is not one that the service gives",
		"check for a proxy or a captive portal on the way to the vault" },
	[CMK_PROOF_FAILED] = { CMK_UNKNOWN, "ProofFailed",
		"the unwrap did not give the challenge back",
		"whatever answers has not the KEK: check the vault's name and address; "
		"revalidate" },
	[CMK_WORKER_FAILED] = { CMK_UNKNOWN, "WorkerFailed",
		"cmk-kms died, hung or broke the protocol",
		"see the journal; the agent starts another one" },

	[CMK_WRONG_TENANT] = { CMK_MISCONFIGURED, "WrongTenant",
		"vault and identity are of different tenants",
		"use an identity of the vault's tenant" },
	[CMK_WRONG_RESOURCE] = { CMK_MISCONFIGURED, "WrongResource",
		"the vault's challenge names a resource that does not fit its host: no token "
		"was sent",
		"check the vault's name and address" },
	[CMK_NOT_PINNED] = { CMK_MISCONFIGURED, "NotPinned",
		"the vault is not among those that may be contacted",
		"add its host to vaults in the [kms] section of cmk.conf, if it is yours" },
	[CMK_BAD_REQUEST] = { CMK_MISCONFIGURED, "BadRequest",
		"the service calls the request malformed",
		"check the key's URL, the identity and api_version" },
	[CMK_CREDENTIAL_REFUSED] = { CMK_MISCONFIGURED, "CredentialRefused",
		"the identity's credential cannot be used, or Entra refuses it",
		"check the identity's tenant, client id, and secret, certificate or token file" },
};
/* clang-format on */

const char *cmk_verdict_name(enum cmk_verdict v)
{
	static const char *const names[] = {
		[CMK_VALID] = "valid",
		[CMK_REVOKED] = "revoked",
		[CMK_DENIED] = "denied",
		[CMK_UNKNOWN] = "unknown",
		[CMK_MISCONFIGURED] = "misconfigured",
	};

	return names[v];
}

enum cmk_exit cmk_verdict_exit(enum cmk_verdict v)
{
	static const enum cmk_exit exits[] = {
		[CMK_VALID] = CMK_EXIT_DONE,	      [CMK_REVOKED] = CMK_EXIT_REVOKED,
		[CMK_DENIED] = CMK_EXIT_DENIED,	      [CMK_UNKNOWN] = CMK_EXIT_UNREACHABLE,
		[CMK_MISCONFIGURED] = CMK_EXIT_USAGE,
	};

	return exits[v];
}

const char *cmk_reason_name(enum cmk_reason r)
{
	return reasons[r].name;
}

const char *cmk_reason_text(enum cmk_reason r)
{
	return reasons[r].text;
}

const char *cmk_reason_remedy(enum cmk_reason r)
{
	return reasons[r].remedy;
}

enum cmk_verdict cmk_reason_verdict(enum cmk_reason r)
{
	return reasons[r].verdict;
}

enum cmk_reason cmk_reason_from_name(const char *name)
{
	enum cmk_reason r = 0;

	while (r < CMK_REASONS && strcmp(reasons[r].name, name) != 0)
		r++;
	return r;
}

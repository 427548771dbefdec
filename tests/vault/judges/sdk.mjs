// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
// The official JavaScript SDK, unchanged, against the test vault: each thing that the SDK can do with keys, on Key
// Vault and on Managed HSM, and the codes in its errors. Prints TAP. The shell script beside it gives it a network of its own.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync, randomBytes, randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(process.env.JUDGE_MODULES + "/");
const identity = require("@azure/identity");
const { CryptographyClient, KeyClient } = require("@azure/keyvault-keys");

const TENANT = "a0000000-0000-4000-8000-000000000001";
const APP = "c0000000-0000-4000-8000-000000000004";
const USER = "c0000000-0000-4000-8000-000000000002";
const GEO = "c0000000-0000-4000-8000-000000000003";
const SECRET = "test-secret";
const fast = { intervalInMs: 200 };
const vaultctl = (...words) => execFileSync(process.env.VAULTCTL, words, { encoding: "utf8" }).trim();

let count = 0, failed = 0;
let undo = [];

/* Do something to the vault until the end of the test. */
function during(words, back) {
	vaultctl(...words);
	undo.push(back);
}

async function test(name, run) {
	try {
		await run();
		console.log(`ok ${++count} ${name}`);
	} catch (error) {
		failed++;
		console.log(`not ok ${++count} ${name}`);
		console.log(String(error.stack ?? error).replace(/^/gm, "# "));
	} finally {
		undo.forEach(back => vaultctl(...back));
		undo = [];
		vaultctl("clear");
	}
}

/* The SDK keeps only the outer code of an error: a policy of its pipeline sees the body. */
let lastBody;
const look = { name: "look", sendRequest: async (request, next) => {
	const response = await next(request);
	lastBody = response.bodyAsText;
	return response;
} };

async function refused(promise, status, code, inner) {
	const error = await promise.then(() => assert.fail("not refused"), e => e);
	assert.equal(error.statusCode, status, error.message);
	assert.equal(error.code, code);
	if (inner)
		assert.equal(JSON.parse(lastBody).error.innererror.code, inner);
}

async function collect(iterator) {
	const all = [];
	for await (const item of iterator)
		all.push(item);
	return all;
}

const noRetry = { retryOptions: { maxRetries: 0 }, additionalPolicies: [{ policy: look, position: "perRetry" }] };
const secret = new identity.ClientSecretCredential(TENANT, APP, SECRET);

/* ---- what both stores can do ---- */

async function lifecycle(store, host) {
	const url = `https://${host}`;
	const hsm = store === "Managed HSM";
	const client = new KeyClient(url, secret);
	const once = new KeyClient(url, secret, noRetry);
	const it = (name, run) => test(`${store}: ${name}`, run);

	vaultctl("vault", host, "--purge-protection", "off", "--retention", "7");

	await it("create an RSA key", async () => {
		const key = await client.createRsaKey("life", { keySize: 3072, tags: { a: "b" } });
		assert.equal(key.name, "life");
		assert.equal(key.keyType, hsm ? "RSA-HSM" : "RSA");
		assert.equal(Buffer.from(key.key.n).length, 384);
		assert.deepEqual(Buffer.from(key.key.e), Buffer.from([1, 0, 1]));
		assert.equal(key.properties.vaultUrl, url);
		assert.equal(key.properties.enabled, true);
		assert.equal(key.properties.recoveryLevel, "CustomizedRecoverable+Purgeable");
		assert.equal(key.properties.recoverableDays, 7);
		assert.deepEqual({ ...key.properties.tags }, { a: "b" });
		assert.deepEqual([...key.keyOperations].sort(),
			["decrypt", "encrypt", "sign", "unwrapKey", "verify", "wrapKey"]);
	});
	await it("create with dates, disabled, with fewer operations", async () => {
		const notBefore = new Date(1900000000000), expiresOn = new Date(2000000000000);
		const key = await client.createKey("dated", "RSA",
			{ enabled: false, notBefore, expiresOn, keyOps: ["wrapKey", "unwrapKey"] });
		assert.equal(key.properties.enabled, false);
		assert.deepEqual(key.properties.notBefore, notBefore);
		assert.deepEqual(key.properties.expiresOn, expiresOn);
		assert.deepEqual(key.keyOperations, ["wrapKey", "unwrapKey"]);
	});
	await it("get the current version and a named one", async () => {
		const first = await client.getKey("life");
		const second = await client.createRsaKey("life");
		assert.equal((await client.getKey("life")).id, second.id);
		assert.equal((await client.getKey("life", { version: first.properties.version })).id, first.id);
		await refused(client.getKey("life", { version: "0".repeat(32) }), 404, "KeyNotFound");
	});
	await it("get a disabled key", async () => {
		const key = await client.getKey("dated");
		assert.equal(key.properties.enabled, false);
	});
	await it("update attributes, operations and tags", async () => {
		const key = await client.getKey("life");
		const expiresOn = new Date(2100000000000);
		const changed = await client.updateKeyProperties("life", key.properties.version,
			{ expiresOn, enabled: true, keyOps: ["unwrapKey"], tags: { c: "d" } });
		assert.deepEqual(changed.properties.expiresOn, expiresOn);
		assert.deepEqual(changed.keyOperations, ["unwrapKey"]);
		assert.deepEqual({ ...(await client.getKey("life")).properties.tags }, { c: "d" });
	});
	await it("list versions, in pages, ordered by version", async () => {
		const made = [];
		for (let i = 0; i < 27; i++)
			made.push((await client.createEcKey("many", { curve: "P-256" })).properties.version);
		const all = await collect(client.listPropertiesOfKeyVersions("many"));
		assert.deepEqual(all.map(p => p.version), made.sort());
		const pages = await collect(client.listPropertiesOfKeyVersions("many").byPage({ maxPageSize: 10 }));
		assert.deepEqual(pages.map(page => page.length), [10, 10, 7]);
		assert.deepEqual(pages.flat().map(p => p.version), made);
	});
	await it("list keys", async () => {
		const names = (await collect(client.listPropertiesOfKeys())).map(p => p.name);
		assert.deepEqual(names, ["dated", "life", "many"]);
	});
	await it("rotate", async () => {
		const before = await client.createRsaKey("turn");
		const after = await client.rotateKey("turn");
		assert.notEqual(after.properties.version, before.properties.version);
		assert.equal((await client.getKey("turn")).id, after.id);
	});
	await it("rotation policy", async () => {
		await client.updateKeyRotationPolicy("turn",
			{ expiresIn: "P90D", lifetimeActions: [{ action: "Rotate", timeAfterCreate: "P30D" }] });
		const policy = await client.getKeyRotationPolicy("turn");
		assert.equal(policy.expiresIn, "P90D");
		assert.equal(policy.lifetimeActions[0].action, "Rotate");
		assert.equal(policy.lifetimeActions[0].timeAfterCreate, "P30D");
		const { properties } = await client.rotateKey("turn");
		assert.equal(properties.expiresOn - properties.createdOn, 90 * 86400 * 1000);
	});
	await it("import", async () => {
		const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
		const jwk = privateKey.export({ format: "jwk" });
		const bytes = Object.fromEntries(["n", "e", "d", "p", "q", "dp", "dq", "qi"]
			.map(part => [part, Buffer.from(jwk[part], "base64url")]));
		const key = await client.importKey("brought", { kty: "RSA", keyOps: ["unwrapKey", "wrapKey"], ...bytes });
		assert.deepEqual(Buffer.from(key.key.n), bytes.n);
		const crypto = new CryptographyClient(key, secret);
		const { result } = await crypto.wrapKey("RSA-OAEP-256", Buffer.from("secret"));
		assert.equal(Buffer.from((await crypto.unwrapKey("RSA-OAEP-256", result)).result).toString(), "secret");
	});
	for (const alg of ["RSA-OAEP-256", "RSA-OAEP", "RSA1_5"]) {
		await it(`wrap and unwrap, ${alg}`, async () => {
			const key = await client.createRsaKey("wrap");
			const crypto = new CryptographyClient(key.id, secret);
			const dek = randomBytes(64);
			const wrapped = await crypto.wrapKey(alg, dek);
			assert.equal(wrapped.keyID, key.id);
			const unwrapped = await crypto.unwrapKey(alg, wrapped.result);
			assert.deepEqual(Buffer.from(unwrapped.result), dek);
			assert.equal(unwrapped.keyID, key.id);
		});
	}
	await it("encrypt and decrypt", async () => {
		const crypto = new CryptographyClient((await client.getKey("wrap")).id, secret);
		const { result } = await crypto.encrypt({ algorithm: "RSA-OAEP-256", plaintext: Buffer.from("x") });
		const back = await crypto.decrypt({ algorithm: "RSA-OAEP-256", ciphertext: result });
		assert.equal(Buffer.from(back.result).toString(), "x");
	});
	await it("an expired key unwraps, and does not wrap", async () => {
		const { id } = await client.createRsaKey("old");
		const crypto = new CryptographyClient(id, secret, noRetry);
		const { result } = await crypto.wrapKey("RSA-OAEP-256", Buffer.from("x"));
		vaultctl("expire", `${host}/old`);
		assert.equal(Buffer.from((await crypto.unwrapKey("RSA-OAEP-256", result)).result).toString(), "x");
	});
	await it("a disabled key does not unwrap", async () => {
		const { id } = await client.getKey("wrap");
		const crypto = new CryptographyClient(id, secret, noRetry);
		const { result } = await crypto.wrapKey("RSA-OAEP-256", Buffer.from("x"));
		during(["disable", `${host}/wrap`], ["enable", `${host}/wrap`]);
		await refused(crypto.unwrapKey("RSA-OAEP-256", result), 403, "Forbidden", "KeyDisabled");
		vaultctl("enable", `${host}/wrap`);
		assert.equal(Buffer.from((await crypto.unwrapKey("RSA-OAEP-256", result)).result).toString(), "x");
	});
	await it("an operation that key_ops lacks", async () => {
		const { id, properties } = await client.getKey("wrap");
		const crypto = new CryptographyClient(id, secret, noRetry);
		const { result } = await crypto.wrapKey("RSA-OAEP-256", Buffer.from("x"));
		await client.updateKeyProperties("wrap", properties.version, { keyOps: ["sign"] });
		await refused(crypto.unwrapKey("RSA-OAEP-256", result), 403, "Forbidden", "KeyOperationForbidden");
	});
	await it("backup, delete, purge, restore", async () => {
		const key = await client.createRsaKey("saved");
		const blob = await client.backupKey("saved");
		await refused(once.restoreKeyBackup(blob), 409, "Conflict");
		await (await client.beginDeleteKey("saved", fast)).pollUntilDone();
		await client.purgeDeletedKey("saved");
		await refused(client.getKey("saved"), 404, "KeyNotFound");
		assert.equal((await client.restoreKeyBackup(blob)).id, key.id);
		assert.equal((await client.getKey("saved")).id, key.id);
	});
	await it("delete, look, recover", async () => {
		const key = await client.createRsaKey("gone");
		const poller = await client.beginDeleteKey("gone", fast);
		const deleted = await poller.pollUntilDone();
		assert.equal(deleted.properties.recoveryId, `${url}/deletedkeys/gone`);
		assert.equal(deleted.properties.scheduledPurgeDate - deleted.properties.deletedOn, 7 * 86400 * 1000);
		await refused(client.getKey("gone"), 404, "KeyNotFound");
		assert.equal((await client.getDeletedKey("gone")).name, "gone");
		assert.deepEqual((await collect(client.listDeletedKeys())).map(k => k.name), ["gone"]);
		await refused(once.createRsaKey("gone"), 409, "Conflict", "ObjectIsDeletedButRecoverable");
		const recovered = await (await client.beginRecoverDeletedKey("gone", fast)).pollUntilDone();
		assert.equal(recovered.id, key.id);
		assert.equal((await client.getKey("gone")).id, key.id);
	});
	await it("purge, and purge protection", async () => {
		await (await client.beginDeleteKey("gone", fast)).pollUntilDone();
		during(["vault", host, "--purge-protection", "on"], ["vault", host, "--purge-protection", "off"]);
		await refused(client.purgeDeletedKey("gone"), 403, "Forbidden");
		vaultctl("vault", host, "--purge-protection", "off");
		await client.purgeDeletedKey("gone");
		await refused(client.getDeletedKey("gone"), 404, "KeyNotFound");
	});
	await it("a malformed name", async () => {
		await refused(client.createRsaKey("in valid[]"), 400, "BadParameter");
	});
	await it("the role taken away", async () => {
		during(["role", "remove", host], ["role", "restore", host]);
		await (hsm ? refused(once.getKey("life"), 403, "AccessDenied")
			   : refused(once.getKey("life"), 403, "Forbidden", "ForbiddenByRbac"));
		vaultctl("role", "restore", host);
		await client.getKey("life");
	});
	await it("the firewall", async () => {
		during(["firewall", "on", host], ["firewall", "off", host]);
		await refused(once.getKey("life"), 403, "Forbidden", "ForbiddenByFirewall");
	});
	await it("public access off", async () => {
		during(["public-access", "off", host], ["public-access", "on", host]);
		await refused(once.getKey("life"), 403, "Forbidden", "ForbiddenByConnection");
	});
	await it("the vault's log has the client's request id", async () => {
		let seen;
		const id = randomUUID();
		await client.getKey("life", { requestOptions: { customHeaders: { "x-ms-client-request-id": id } },
					      onResponse: response => { seen = response; } });
		assert.equal(JSON.parse(vaultctl("log", "--host", host, "--on", "get").split("\n").pop()).request,
			seen.request.headers.get("x-ms-client-request-id"));
	});
	await it("throttled once, with Retry-After: the SDK comes again", async () => {
		vaultctl("throttle", "--retry-after", "1", "--count", "1", "--host", host);
		assert.equal((await client.getKey("life")).name, "life");
	});
	await it("throttled, seen by a client that does not retry", async () => {
		vaultctl("throttle", "--host", host);
		await refused(once.getKey("life"), 429, "Throttled");
	});
	await it("503 once: the SDK comes again", async () => {
		vaultctl("status", "503", "--count", "1", "--host", host);
		assert.equal((await client.getKey("life")).name, "life");
	});
	await it("a claims challenge: the SDK asks for a new token and comes again", async () => {
		const fresh = new KeyClient(url, new identity.ClientSecretCredential(TENANT, APP, SECRET), noRetry);
		await fresh.getKey("life");
		vaultctl("cae", "--host", host);
		assert.equal((await fresh.getKey("life")).name, "life");
	});
}

/* ---- credentials ---- */

async function works(credential) {
	const key = await new KeyClient("https://contoso.vault.azure.net", credential, noRetry).getKey("life");
	assert.equal(key.name, "life");
}

async function fails(credential, pattern) {
	const error = await works(credential).then(() => assert.fail("not refused"), e => e);
	assert.match(error.message, pattern);
}

/* A token as a workload's identity provider signs it: to Entra here only its claims matter. */
function federatedToken() {
	const part = json => Buffer.from(JSON.stringify(json)).toString("base64url");
	const now = Math.floor(Date.now() / 1000);
	return [part({ alg: "RS256" }), part({ aud: "api://AzureADTokenExchange", iss: "https://issuer.invalid",
		sub: "system:serviceaccount:test:test", exp: now + 600 }), "c2ln"].join(".");
}

async function credentials() {
	const dir = process.env.JUDGE_DIR;
	const it = (name, run) => test(`identity: ${name}`, run);

	await it("managed, system-assigned", () => works(new identity.ManagedIdentityCredential()));
	await it("managed, user-assigned by client id",
		() => works(new identity.ManagedIdentityCredential({ clientId: USER })));
	await it("managed, user-assigned by object id", () => works(new identity.ManagedIdentityCredential(
		{ objectId: "b0000000-0000-4000-8000-000000000002" })));
	await it("managed, user-assigned by resource id", () => works(new identity.ManagedIdentityCredential(
		{ resourceId: "/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/test/providers/" +
			      "Microsoft.ManagedIdentity/userAssignedIdentities/user" })));
	await it("managed, deleted", async () => {
		// another one than above, as the SDK keeps managed identities' tokens for the whole process
		during(["identity", "delete", "geo"], ["identity", "restore", "geo"]);
		await fails(new identity.ManagedIdentityCredential({ clientId: GEO }), /Identity not found|invalid_request/);
	});
	await it("managed, by Azure Arc", () => {
		// in a process of its own, as the SDK keeps where tokens come from for the whole process
		const endpoint = "http://127.0.0.1:40342";
		const env = { ...process.env, IMDS_ENDPOINT: endpoint,
			IDENTITY_ENDPOINT: `${endpoint}/metadata/identity/oauth2/token` };
		execFileSync(process.execPath, [process.argv[1], "arc"], { env });
	});
	await it("service principal with secret", () => works(new identity.ClientSecretCredential(TENANT, APP, SECRET)));
	await it("service principal, wrong secret",
		() => fails(new identity.ClientSecretCredential(TENANT, APP, "wrong"), /AADSTS7000215/));
	await it("service principal that is not there", () => fails(
		new identity.ClientSecretCredential(TENANT, "c0000000-0000-4000-8000-00000000ffff", SECRET),
		/AADSTS700016/));
	await it("service principal deleted", async () => {
		during(["identity", "delete", "app"], ["identity", "restore", "app"]);
		await fails(new identity.ClientSecretCredential(TENANT, APP, SECRET), /AADSTS7000229/);
	});
	await it("service principal disabled", async () => {
		during(["identity", "disable", "app"], ["identity", "restore", "app"]);
		await fails(new identity.ClientSecretCredential(TENANT, APP, SECRET), /AADSTS7000112/);
	});
	await it("tenant that is not there", async () => {
		const lost = new identity.ClientSecretCredential("f0000000-0000-4000-8000-000000000001", APP, SECRET);
		await assert.rejects(lost.getToken("https://vault.azure.net/.default"),
			/AADSTS90002|endpoints_resolution_error/);
	});
	await it("service principal with certificate", async () => {
		execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=app", "-days", "1",
			"-keyout", `${dir}/app.key`, "-out", `${dir}/app.crt`], { stdio: "ignore" });
		writeFileSync(`${dir}/app.pem`, readFileSync(`${dir}/app.key`, "utf8") + readFileSync(`${dir}/app.crt`, "utf8"));
		await fails(new identity.ClientCertificateCredential(TENANT, APP, `${dir}/app.pem`), /AADSTS700027/);
		vaultctl("identity", "certificate", "app", `${dir}/app.crt`);
		await works(new identity.ClientCertificateCredential(TENANT, APP, `${dir}/app.pem`));
	});
	await it("workload identity", async () => {
		writeFileSync(`${dir}/federated`, federatedToken());
		await works(new identity.WorkloadIdentityCredential(
			{ tenantId: TENANT, clientId: APP, tokenFilePath: `${dir}/federated` }));
	});
	await it("a token that expired at the vault: 401 with the code", async () => {
		const client = new KeyClient("https://contoso.vault.azure.net",
			new identity.ManagedIdentityCredential(), noRetry);
		await client.getKey("life");
		vaultctl("token-expire");
		await refused(client.getKey("life"), 401, "Unauthorized");
	});
	await it("a vault of another tenant names it in its challenge", async () => {
		during(["tenant", "contoso.vault.azure.net"], ["tenant", "back"]);
		const credential = new identity.ClientSecretCredential(TENANT, APP, SECRET,
			{ additionallyAllowedTenants: ["*"] });
		await works(credential);
	});
}

if (process.argv[2] === "arc") {
	await works(new identity.ManagedIdentityCredential());
	process.exit(0);
}
await lifecycle("Key Vault", "contoso.vault.azure.net");
await lifecycle("Managed HSM", "contoso.managedhsm.azure.net");
await credentials();
console.log(`1..${count}`);
process.exit(failed ? 1 : 0);

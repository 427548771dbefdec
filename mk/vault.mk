# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# The test vault, and the suite of its judges. Its programs also stand in build/tests, where the guest's image takes
# them from.

vault-src := $(sort $(wildcard tests/vault/*.c))
$(eval $(call program,cmk-testvault,$(vault-src),libmicrohttpd libssl libcrypto libcjson libcurl,-lpthread))

build/tests/cmk-testvault build/tests/vaultctl: build/bin/cmk-testvault
	$(Q)mkdir -p $(@D)
	$(Q)ln -f $< $@

.PHONY: vault
vault: build/tests/cmk-testvault build/tests/vaultctl ## the test vault: Key Vault, Managed HSM, Entra and IMDS

all-y += vault

judge-recordings-src := $(sort $(wildcard tests/vault/judges/recordings/*.c)) tests/vault/util.c \
	tests/vault/crypto_key.c
$(eval $(call program,judge-recordings,$(judge-recordings-src),libcurl libcjson libcrypto,))

$(eval $(call program,judge-verdicts,tests/vault/judges/verdicts/main.c,libcjson,))
build/bin/judge-verdicts: $(call agent-libs,kms) $(call agent-libs,cmk)

judge-agent-src := $(wildcard tests/vault/judges/agent/*.c) tests/vault/util.c tests/vault/crypto_key.c \
	$(addprefix tests/vault/judges/recordings/,session.c nock.c client.c)
$(eval $(call program,judge-agent,$(judge-agent-src),libcurl libcjson libcrypto,))
build/bin/judge-agent: $(call agent-libs,cmk)

$(eval $(call program,judge-bodies,tests/vault/judges/bodies/main.c tests/vault/util.c tests/vault/crypto_key.c,libcjson \
	libcrypto,))

# What the judges need on the machine besides: npm, which the first of them installs where it is missing.
judge-programs := $(addprefix build/bin/,judge-recordings judge-bodies judge-verdicts judge-agent)
vault-judges := tests/vault/judges/check-sdk tests/vault/judges/check-recordings \
	tests/vault/judges/check-bodies tests/vault/judges/check-verdicts tests/vault/judges/check-agent-client

.PHONY: check-vault
check-vault: deps ## the test vault before its judges: the official SDK, recorded sessions, known errors
	$(Q)$(MAKE) vault $(judge-programs) $(agent-out)/cmk-kms
	$(Q)tests/vault/judges/check-sdk install
	$(Q)scripts/run-tests build/vault $(vault-judges)

check-y += check-vault

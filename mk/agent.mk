# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# The agent: agent/<dir>/*.c by wildcard. agent/common becomes libcmk.a; each program's directory becomes a library
# but for its main.c, so that unit tests can link its parts. `make SAN=1 ...` builds all of it with ASan and UBSan
# beside the ordinary build.

agent-out := build/agent$(if $(filter 1,$(SAN)),-san)
agent-san-flags := $(if $(filter 1,$(SAN)),-fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -U_FORTIFY_SOURCE)

# What each program links: no library of the network is on the root programs' lists.
agent-root-pkgs := libcryptsetup devmapper libkeyutils libsystemd inih libcjson libcrypto
agent-kms-pkgs := libcurl libcjson libcrypto libseccomp

# $(call agent-objs,DIR): its objects without main.o
agent-objs = $(patsubst %.c,$(agent-out)/obj/%.o,$(filter-out %/main.c,$(wildcard $(1)/*.c)))
agent-libs = $(agent-out)/lib$(1).a

agent-programs := $(if $(wildcard agent/kms/main.c),$(agent-out)/cmk-kms) \
	$(if $(wildcard agent/ctl/main.c),$(agent-out)/cmkctl) \
	$(if $(wildcard agent/agentd/main.c),$(agent-out)/cmk-agent)
agent-unit := $(patsubst tests/unit/%.c,$(agent-out)/unit/%,$(wildcard tests/unit/test_*.c))

all-y += agent
unit-y += $(agent-unit)
install-y += install-agent

.PHONY: agent install-agent
agent: $(agent-programs) ## build cmk-agent, cmk-kms and cmkctl

install-agent: $(agent-programs)
	$(call say,INSTALL,$(DESTDIR)$(PREFIX))
	$(Q)install -D -m 0755 $(agent-out)/cmk-kms $(DESTDIR)$(PREFIX)/lib/cmk/cmk-kms
	$(Q)install -D -m 0755 $(agent-out)/cmkctl $(DESTDIR)$(PREFIX)/sbin/cmkctl
	$(Q)install -D -m 0755 $(agent-out)/cmk-agent $(DESTDIR)$(PREFIX)/sbin/cmk-agent

$(agent-out)/obj/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Iinclude $(agent-san-flags) \
		$(shell $(PKG_CONFIG) --cflags $(sort $(agent-root-pkgs) $(agent-kms-pkgs))) \
		-MMD -MP -c -o $@ $<

# $(eval $(call agent-library,NAME,DIR)): remade from nothing, so that no object of a file that is gone stays in it
define agent-library
$(call agent-libs,$(1)): $(call agent-objs,$(2))
	$$(call say,AR,$$@)
	$$(Q)mkdir -p $$(@D) && rm -f $$@ && $$(AR) crs $$@ $$^
-include $(patsubst %.o,%.d,$(call agent-objs,$(2)) $(agent-out)/obj/$(2)/main.o)
endef
$(eval $(call agent-library,cmk,agent/common))
$(eval $(call agent-library,kms,agent/kms))
$(eval $(call agent-library,ctl,agent/ctl))
$(eval $(call agent-library,agentd,agent/agentd))

agent-link = $(CC) $(ALL_LDFLAGS) $(agent-san-flags) -Wl,--as-needed -o $@ $^ $(shell $(PKG_CONFIG) --libs $(1)) $(2)

$(agent-out)/cmk-kms: $(agent-out)/obj/agent/kms/main.o $(call agent-libs,kms) $(call agent-libs,cmk)
	$(call say,LD,$@)
	$(Q)$(call agent-link,$(agent-kms-pkgs))

$(agent-out)/cmkctl: $(agent-out)/obj/agent/ctl/main.o $(call agent-libs,ctl) $(call agent-libs,cmk)
	$(call say,LD,$@)
	$(Q)$(call agent-link,$(agent-root-pkgs))

$(agent-out)/cmk-agent: $(agent-out)/obj/agent/agentd/main.o $(call agent-libs,agentd) $(call agent-libs,cmk)
	$(call say,LD,$@)
	$(Q)$(call agent-link,$(agent-root-pkgs))

$(agent-unit): $(agent-out)/unit/%: $(agent-out)/obj/tests/unit/%.o $(call agent-libs,agentd) $(call agent-libs,kms) \
		$(call agent-libs,cmk)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(call agent-link,$(agent-root-pkgs) $(agent-kms-pkgs),-lcmocka)
-include $(agent-unit:$(agent-out)/unit/%=$(agent-out)/obj/tests/unit/%.d)

.PHONY: check-unit-san
check-unit-san: ## unit tests under the address and undefined-behaviour sanitizers
	$(Q)$(MAKE) check-unit SAN=1

# cmk-kms against the test vault, on this machine in a network namespace
check-y += check-unit-san check-kms
agent-kms-test := $(agent-out)/kms_test

agent-kms-test-obj := $(patsubst %,$(agent-out)/obj/tests/integration/%.o,kms_test kms_causes kms_harness)

$(agent-kms-test): $(agent-kms-test-obj) $(call agent-libs,cmk)
	$(call say,LD,$@)
	$(Q)$(call agent-link,$(agent-root-pkgs),-lcmocka)
-include $(agent-kms-test-obj:.o=.d)

.PHONY: check-kms
check-kms: deps ## cmk-kms against the test vault, in a network namespace
	$(Q)$(MAKE) $(agent-out)/cmk-kms $(agent-kms-test) vault
	$(Q)tests/integration/kms.sh $(agent-out)/cmk-kms build/tests/cmk-testvault $(agent-kms-test)

check-all-y += check-kms-trace
.PHONY: check-kms-trace
check-kms-trace: deps ## check-kms under strace: what the worker's filter refuses
	$(Q)$(MAKE) $(agent-out)/cmk-kms $(agent-kms-test) vault
	$(Q)tests/integration/kms_trace.sh build/check-kms-trace $(agent-out)/cmk-kms build/tests/cmk-testvault \
		$(agent-kms-test)

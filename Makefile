# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# The entry to everything: `make help` lists the targets. Each part of the tree adds its own mk/<part>.mk, which
# may append to:
#	all-y		what `all` builds			programs-y	by $(call program,...), see below
#	check-y		suites (targets) that `check` runs	check-all-y	and those of `check-all` besides
#	unit-y		unit test programs under build/bin	install-y	targets that `install` runs
# A suite prints its cases and ends with `N passed, N failed, N skipped`, or prints TAP.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:

PREFIX ?= /usr
DESTDIR ?=
KERNEL ?= 6.1
V ?= 0

ifeq ($(origin CC),default)
CC := gcc
endif
CFLAGS ?= -O2 -g
PKG_CONFIG ?= pkg-config
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2
HARDENING := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
ALL_CFLAGS = -std=gnu11 $(WARNINGS) $(HARDENING) -D_GNU_SOURCE -Iinclude/uapi -Iagent $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now $(LDFLAGS)

# $(call say,WHAT,OBJECT): one short line for a command; V=1 shows the commands themselves
ifeq ($(V),1)
say =
Q :=
else
say = @printf '  %-8s%s\n' '$(1)' '$(2)'
Q := @
MAKEFLAGS += --no-print-directory
endif

all-y :=
check-y := lint check-unit check-kernel
check-all-y :=
unit-y :=
install-y :=
programs-y :=

# $(eval $(call program,NAME,SOURCES,PACKAGES,LIBRARIES)): build/bin/NAME from C files, with the flags of
# pkg-config's PACKAGES and plain LIBRARIES. Nothing is asked of pkg-config before something is built.
define program
programs-y += $(1)
$(1)-obj := $$(patsubst %.c,build/obj/%.o,$(2))
$$($(1)-obj): pkgs += $(3)
build/bin/$(1): $$($(1)-obj)
	$$(call say,LD,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $(if $(strip $(3)),$$(shell $$(PKG_CONFIG) --libs $(3))) $(4)
-include $$($(1)-obj:.o=.d)
endef

build/obj/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(if $(pkgs),$(shell $(PKG_CONFIG) --cflags $(sort $(pkgs)))) -MMD -MP -c -o $@ $<

.PHONY: help
help: ## this list
	@printf 'make [TARGET]... [V=1] [KERNEL=6.1|6.12|7.3] [PREFIX=%s] [DESTDIR=]\n\n' $(PREFIX)
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  %-20s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

include $(sort $(wildcard mk/*.mk))

.PHONY: all deps check check-all check-unit install clean
all: $(all-y) ## build the kernel module, the agent and the tests' programs

deps: ## install what the build and the tests need from Debian's packages
	$(Q)scripts/install-deps

check: deps ## the tests that CI runs: lint, units, the kernel suite on 6.1, a part of all others
	$(Q)scripts/run-suites build/results $(check-y)

check-all: deps ## every suite in full
	$(Q)scripts/run-suites build/results-all $(check-y) $(check-all-y)

check-unit: deps ## unit tests of the pure core
	$(Q)$(MAKE) $(unit-y)
	$(Q)scripts/run-tests build/unit $(unit-y)

install: all ## install under DESTDIR and PREFIX
	$(Q)$(MAKE) $(install-y)

clean: ## remove build/
	rm -rf build

# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# The kernel module, its checks and its suite. Kbuild writes its objects beside the sources, so it gets a mirror of
# them under build/kernel/<KERNEL>.

kernel-src := $(wildcard kernel/*.c kernel/*.h) kernel/Kbuild include/uapi/dm-cmk.h
kernel-dir := build/kernel/$(KERNEL)
kernel-ko := $(kernel-dir)/dm-cmk.ko

all-y += module

install-y += install-module

.PHONY: module install-module
install-module: $(kernel-ko)
	$(call say,INSTALL,$(DESTDIR)/lib/modules)
	$(Q)release=$$(scripts/kernel show $(KERNEL) release) && \
		install -D -m 0644 $(kernel-ko) $(DESTDIR)/lib/modules/$$release/updates/dm-cmk.ko && \
		{ [ -n "$(DESTDIR)" ] || depmod $$release; }

module: $(kernel-ko) ## build dm-cmk.ko for Debian's cloud kernel of the series KERNEL

$(kernel-ko): $(kernel-src)
	$(call say,KBUILD,$@)
	$(Q)mkdir -p $(kernel-dir)/uapi
	$(Q)cp -pu $(filter kernel/%,$(kernel-src)) $(kernel-dir)/
	$(Q)cp -pu include/uapi/dm-cmk.h $(kernel-dir)/uapi/
	$(Q)scripts/kernel make $(KERNEL) $(kernel-dir) W=1 modules >$(kernel-dir)/log 2>&1 || \
		{ cat $(kernel-dir)/log >&2; exit 1; }
	$(Q)touch $@

# The suite: C tests with the kernel's own harness, and shell tests, in a guest without a network.
kernel-tests-c := oracle revoke lease events hold races malformed
kernel-tools-c := hog
kernel-host-c := loadkey memscan
kernel-tests-sh := table message stack
kernel-tests := $(addsuffix .sh,$(kernel-tests-sh)) $(kernel-tests-c)
kernel-test-bin := $(addprefix build/tests/kernel/,$(kernel-tests-c) $(kernel-tools-c))
kernel-test-log := build/check-kernel/$(KERNEL)
TESTS ?= $(kernel-tests)

build/tests/kernel/%: tests/kernel/%.c tests/kernel/dm.c tests/kernel/dm.h include/uapi/dm-cmk.h
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter -Wno-missing-field-initializers \
		-D_GNU_SOURCE -Iinclude/uapi -Itests/kernel \
		-isystem $$(scripts/kselftest)/tools/testing/selftests -o $@ $< tests/kernel/dm.c \
		-ldevmapper -lkeyutils -lcrypto -lpthread

.PHONY: check-kernel
check-kernel: $(kernel-ko) $(kernel-test-bin) ## the kernel suite on KERNEL; TESTS="lease table.sh" for some
	$(Q)rm -rf $(kernel-test-log) && mkdir -p $(kernel-test-log)
	$(Q)echo "$(TESTS)" >$(kernel-test-log)/list
	$(Q)scripts/initramfs -k $(KERNEL) -o $(kernel-test-log)/initramfs -r tests/kernel/run -x $(kernel-ko) \
		-n brd -n loop -n dm-crypt -n dm-delay -n aesni-intel -n xts \
		-b /usr/sbin/dmsetup -b /usr/bin/keyctl -f tests/kernel/lib.sh:/cmk/tests/lib.sh \
		-f $(kernel-test-log)/list:/cmk/tests/list \
		$(foreach t,$(kernel-tests-sh),-f tests/kernel/$(t).sh:/cmk/tests/$(t).sh) \
		$(foreach t,$(kernel-tests-c) $(kernel-tools-c),-f build/tests/kernel/$(t):/cmk/tests/$(t))
	$(Q)truncate -s 256M $(kernel-test-log)/disk
	$(Q)scripts/vm -k $(KERNEL) -i $(kernel-test-log)/initramfs -o $(kernel-test-log) -t 1800 \
		-a "audit=1 no_timer_check" -d disk=$(kernel-test-log)/disk \
		|| touch $(kernel-test-log)/failed
	$(Q)scripts/summary $(kernel-test-log)/result
	$(Q)[ ! -e $(kernel-test-log)/failed ]

# The key in the guest's memory: there while a volume is open, nowhere afterwards.
check-all-y += check-zeroize
zeroize-dir := build/check-zeroize/$(KERNEL)

.PHONY: check-zeroize
check-zeroize: $(kernel-ko) $(addprefix build/tests/kernel/,$(kernel-host-c)) ## no key in memory after a revocation
	$(Q)rm -rf $(zeroize-dir) && mkdir -p $(zeroize-dir)
	$(Q)scripts/initramfs -k $(KERNEL) -o $(zeroize-dir)/initramfs -r tests/kernel/zeroize-guest -x $(kernel-ko) \
		-n brd -n dm-mod -n aesni-intel -n xts -b /usr/sbin/dmsetup -b /usr/bin/keyctl \
		-f build/tests/kernel/loadkey:/cmk/loadkey
	$(Q)tests/kernel/zeroize $(KERNEL) $(zeroize-dir)/initramfs build/tests/kernel/memscan $(zeroize-dir)

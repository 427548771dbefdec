# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# The kernel module, its checks and its suite. Kbuild writes its objects beside the sources, so it gets a mirror of
# them under build/kernel/<KERNEL>.

kernel-src := $(wildcard kernel/*.c kernel/*.h) kernel/Kbuild include/uapi/dm-cmk.h
kernel-dir := build/kernel/$(KERNEL)
kernel-ko := $(kernel-dir)/dm-cmk.ko

all-y += module

.PHONY: module
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
kernel-tests-c := oracle revoke lease events hold
kernel-tests-sh := table message
kernel-tests := $(addsuffix .sh,$(kernel-tests-sh)) $(kernel-tests-c)
kernel-test-bin := $(addprefix build/tests/kernel/,$(kernel-tests-c))
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
		-n brd -n dm-crypt -n dm-delay -n aesni-intel -n xts \
		-b /usr/sbin/dmsetup -b /usr/bin/keyctl -f tests/kernel/lib.sh:/cmk/tests/lib.sh \
		-f $(kernel-test-log)/list:/cmk/tests/list \
		$(foreach t,$(kernel-tests-sh),-f tests/kernel/$(t).sh:/cmk/tests/$(t).sh) \
		$(foreach t,$(kernel-tests-c),-f build/tests/kernel/$(t):/cmk/tests/$(t))
	$(Q)truncate -s 64M $(kernel-test-log)/disk
	$(Q)scripts/vm -k $(KERNEL) -i $(kernel-test-log)/initramfs -o $(kernel-test-log) -t 1200 \
		-a audit=1 -d disk=$(kernel-test-log)/disk \
		|| touch $(kernel-test-log)/failed
	$(Q)scripts/summary $(kernel-test-log)/result
	$(Q)[ ! -e $(kernel-test-log)/failed ]

# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# The benchmark: its programs, the module that measures the cipher alone, and the run itself.

bench-out := build/bench/$(KERNEL)
bench-cipher := $(bench-out)/cipher/bench_cipher.ko
# the module to measure; one that this tree does not ship is refused
BENCH_MODULE ?= build/kernel/$(KERNEL)/dm-cmk.ko

$(eval $(call program,bench/count,tests/bench/count.c))
$(eval $(call program,bench/cost,tests/bench/cost.c tests/kernel/dm.c,devmapper libkeyutils,-lcrypto))
$(eval $(call program,bench/drain,tests/bench/drain.c tests/kernel/dm.c,devmapper libkeyutils,-lcrypto -pthread))
$(eval $(call program,bench/report,$(wildcard tests/bench/report/*.c),libcjson))
bench-programs := $(addprefix build/bin/bench/,count cost drain report)
$(bench/cost-obj) $(bench/drain-obj): ALL_CFLAGS += -Itests/kernel

all-y += $(bench-programs)

$(bench-cipher): $(wildcard tests/bench/cipher/*)
	$(call say,KBUILD,$@)
	$(Q)mkdir -p $(@D) && cp -pu $^ $(@D)/
	$(Q)scripts/kernel make $(KERNEL) $(@D) modules >$(@D)/log 2>&1 || { cat $(@D)/log >&2; exit 1; }

.PHONY: bench bench-run bench-profile
bench: deps ## instructions, wall clock, memory and revocation against dm-crypt and the floor, on KERNEL
	$(Q)$(MAKE) bench-run

bench-run: $(BENCH_MODULE) $(bench-cipher) $(bench-programs)
	$(Q)tests/bench/bench $(KERNEL) $(BENCH_MODULE) $(bench-out)

bench-profile: $(BENCH_MODULE) build/bin/bench/count ## instructions of a 4 KiB operation by function, on KERNEL
	$(Q)tests/bench/profile $(KERNEL) $(BENCH_MODULE) $(bench-out)/profile

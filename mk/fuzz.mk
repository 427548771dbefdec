# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# The parsers under libFuzzer, with the address and undefined-behaviour sanitizers. Built by clang, beside all else.

TIME ?= 60

fuzz-out := build/fuzz
fuzz-flags := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
fuzz-lib-src := $(filter-out %/luks.c %/dm.c %/dm_query.c %/keyring.c,$(wildcard agent/common/*.c)) \
	$(filter-out %/main.c,$(wildcard agent/kms/*.c))
fuzz-programs := $(patsubst tests/fuzz/%.c,$(fuzz-out)/%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz-pkgs := libcurl libcjson libcrypto libseccomp libcryptsetup devmapper libkeyutils inih

check-all-y += fuzz

.PHONY: fuzz
fuzz: deps ## fuzz each parser for TIME seconds (default 60)
	$(Q)$(MAKE) $(fuzz-programs)
	$(Q)tests/fuzz/run $(fuzz-out) $(TIME) $(fuzz-programs)

$(fuzz-out)/obj/agent/%.o: agent/%.c
	$(call say,CLANG,$<)
	$(Q)mkdir -p $(@D)
	$(Q)clang -std=gnu11 -D_GNU_SOURCE -Iinclude -Iinclude/uapi -Iagent $(fuzz-flags) -fsanitize=fuzzer-no-link \
		$(shell $(PKG_CONFIG) --cflags $(fuzz-pkgs)) -MMD -MP -c -o $@ $<

$(fuzz-out)/libfuzzed.a: $(fuzz-lib-src:%.c=$(fuzz-out)/obj/%.o)
	$(Q)rm -f $@ && $(AR) crs $@ $^

$(fuzz-programs): $(fuzz-out)/%: tests/fuzz/%.c tests/fuzz/fuzz.h $(fuzz-out)/libfuzzed.a
	$(call say,CLANG,$@)
	$(Q)clang -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Iinclude -Iinclude/uapi -Iagent $(fuzz-flags) \
		-fsanitize=fuzzer -o $@ $< $(fuzz-out)/libfuzzed.a -Wl,--as-needed \
		$(shell $(PKG_CONFIG) --libs $(fuzz-pkgs))

-include $(fuzz-lib-src:%.c=$(fuzz-out)/obj/%.d)

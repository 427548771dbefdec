# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# The demo: its programs, the tree that `make install` makes for a guest, and the story itself.

$(eval $(call program,demo/ledger,tests/demo/ledger.c,libpq,-pthread))
$(eval $(call program,demo/watch,tests/demo/watch.c,devmapper libcjson))
$(eval $(call program,demo/report,$(addprefix tests/demo/,main.c events.c report.c plot.c),libcjson,-lm))
demo-programs := $(addprefix build/bin/demo/,ledger watch report)

all-y += $(demo-programs)

.PHONY: demo demo-run guest-tree guest-image
demo: ## the kill switch, end to end, in a guest: prints the timeline, fails if a promise was broken
	$(Q)scripts/install-deps build kernel test
	$(Q)$(MAKE) -j2 guest-image guest-tree $(demo-programs)
	$(Q)$(MAKE) demo-run

demo-run: guest-tree $(demo-programs)
	$(Q)tests/demo/demo $(KERNEL) build/demo

# What `make install` installs, fresh, for guests to boot with.
guest-tree: all
	$(Q)rm -rf build/guest/tree
	$(Q)$(MAKE) install DESTDIR=build/guest/tree

guest-image:
	$(Q)scripts/kernel fetch $(KERNEL)
	$(Q)scripts/guest-image $(KERNEL) >/dev/null

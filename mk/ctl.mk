# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# What cmkctl and the root half's files need beside the agent's rules.

agent-root-pkgs += blkid

# The words for reasons, and who keeps a device busy, are the daemon's; cmkctl says the same.
$(call agent-libs,ctl): $(addprefix $(agent-out)/obj/agent/agentd/,\
	reason.o holders.o mount.o program.o)

# cmkctl with the module, the worker, the agent and the test vault, in a guest
ctl-test-log := build/check-ctl/$(KERNEL)
check-y += check-ctl

.PHONY: check-ctl
check-ctl: agent vault module ## cmkctl in a guest: every verb, and every way to get it wrong
	$(Q)rm -rf $(ctl-test-log) && mkdir -p $(ctl-test-log)
	$(Q)scripts/initramfs -k $(KERNEL) -o $(ctl-test-log)/initramfs \
		-r tests/integration/ctl.sh -x $(kernel-ko) \
		-m ext4 -n dm-mod -n aesni-intel -n xts \
		-b /usr/sbin/dmsetup -b /usr/bin/keyctl \
		-b /usr/sbin/cryptsetup -b /usr/sbin/mke2fs -b /usr/sbin/blkid \
		-f $(agent-out)/cmkctl:/usr/sbin/cmkctl \
		-f $(agent-out)/cmk-agent:/usr/sbin/cmk-agent \
		-f $(agent-out)/cmk-kms:/usr/lib/cmk/cmk-kms \
		-f build/tests/cmk-testvault:/usr/bin/cmk-testvault \
		-f build/tests/vaultctl:/usr/bin/vaultctl
	$(Q)truncate -s 64M $(ctl-test-log)/disk $(ctl-test-log)/other
	$(Q)scripts/vm -k $(KERNEL) -i $(ctl-test-log)/initramfs -o $(ctl-test-log) -t 900 \
		-d disk=$(ctl-test-log)/disk -d other=$(ctl-test-log)/other \
		|| touch $(ctl-test-log)/failed
	$(Q)scripts/summary $(ctl-test-log)/result
	$(Q)[ ! -e $(ctl-test-log)/failed ]

install-y += install-ctl

.PHONY: install-ctl
install-ctl:
	$(Q)install -D -m 0644 Documentation/man/cmkctl.8 $(DESTDIR)$(PREFIX)/share/man/man8/cmkctl.8
	$(Q)install -D -m 0644 Documentation/man/cmk.conf.5 $(DESTDIR)$(PREFIX)/share/man/man5/cmk.conf.5
	$(Q)install -D -m 0644 agent/ctl/cmkctl.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/cmkctl

# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# What systemd has to know of the agent: its unit, the worker's user, its directories.

install-y += install-agentd

.PHONY: install-agentd
install-agentd:
	$(call say,INSTALL,$(DESTDIR)$(PREFIX)/lib/systemd/system/cmk-agent.service)
	$(Q)install -d -m 0755 $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)/etc/cmk
	$(Q)sed 's#^ExecStart=/usr/#ExecStart=$(PREFIX)/#' agent/agentd/cmk-agent.service \
		>$(DESTDIR)$(PREFIX)/lib/systemd/system/cmk-agent.service
	$(Q)chmod 0644 $(DESTDIR)$(PREFIX)/lib/systemd/system/cmk-agent.service
	$(Q)install -D -m 0644 agent/agentd/cmk.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/cmk.conf
	$(Q)install -D -m 0644 agent/agentd/cmk.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/cmk.conf
	$(Q)if [ -z "$(DESTDIR)" ]; then systemd-sysusers cmk.conf; fi

# The daemon with all that is around it, in a full guest
agentd-test-log := build/check-agent/$(KERNEL)
check-all-y += check-agent

.PHONY: check-agent
check-agent: guest-tree ## cmk-agent in a full guest: each of its promises, by what a user sees
	$(Q)rm -rf $(agentd-test-log) && mkdir -p $(agentd-test-log)
	$(Q)truncate -s 128M $(agentd-test-log)/data.img
	$(Q)scripts/guest-vm -k $(KERNEL) -o $(agentd-test-log) -s build/guest/tree -r tests/integration/agent.sh \
		-f tests/guest/world.sh:/cmk/world.sh \
		-f build/tests/cmk-testvault:/usr/local/bin/cmk-testvault -f build/tests/vaultctl:/usr/local/bin/vaultctl \
		-- -t 1500 -d data=$(agentd-test-log)/data.img || touch $(agentd-test-log)/failed
	$(Q)scripts/summary $(agentd-test-log)/result
	$(Q)[ ! -e $(agentd-test-log)/failed ]

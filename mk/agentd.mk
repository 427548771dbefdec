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

# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# The installed programs in a full guest: agent, worker, module and test vault under systemd.

integration-suites := lock lease secrets
integration-log := build/check-integration/$(KERNEL)
SUITES ?= $(integration-suites)

check-y += check-integration

.PHONY: check-integration
check-integration: guest-tree ## agent, module and vault under systemd in a guest; SUITES="lease" for some
	$(Q)rm -rf $(integration-log) && mkdir -p $(integration-log)
	$(Q)echo "$(SUITES)" >$(integration-log)/list
	$(Q)truncate -s 128M $(integration-log)/data.img
	$(Q)scripts/guest-vm -k $(KERNEL) -o $(integration-log) -s build/guest/tree -r tests/integration/run \
		-f tests/guest/world.sh:/cmk/world.sh -f $(integration-log)/list:/cmk/tests/list \
		-f tests/integration/lib.sh:/cmk/tests/lib.sh \
		$(foreach s,$(integration-suites),-f tests/integration/$(s).sh:/cmk/tests/$(s).sh) \
		-f build/tests/cmk-testvault:/usr/local/bin/cmk-testvault -f build/tests/vaultctl:/usr/local/bin/vaultctl \
		-- -t 1500 -d data=$(integration-log)/data.img || touch $(integration-log)/failed
	$(Q)scripts/summary $(integration-log)/result
	$(Q)[ ! -e $(integration-log)/failed ]

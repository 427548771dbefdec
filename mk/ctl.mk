# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# What cmkctl and the root half's files need beside the agent's rules.

agent-root-pkgs += blkid

# The words for reasons, and who keeps a device busy, are the daemon's; cmkctl says the same.
$(call agent-libs,ctl): $(addprefix $(agent-out)/obj/agent/agentd/,reason.o holders.o mount.o program.o)

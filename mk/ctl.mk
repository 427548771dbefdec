# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# What cmkctl and the root half's files need beside the agent's rules.

agent-root-pkgs += blkid

# SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
# Checks of the tree itself, and of its set-up on a machine that has nothing yet.

.PHONY: lint check-fresh
lint: deps ## gcc and clang without a warning, shellcheck, sparse, checkpatch, lengths, licences
	$(Q)scripts/lint

check-fresh: deps ## `make demo` and `make check` from a clone in a fresh minimal Debian, with a cold cache
	$(Q)scripts/fresh-root build/fresh

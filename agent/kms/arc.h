/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* Azure Arc's local agent: it gives a token to whoever can read a file that it names. */
#ifndef CMK_KMS_ARC_H
#define CMK_KMS_ARC_H

#include "token_source.h"

token_first_fn arc_first;
token_next_fn arc_next;

/* Is it a path that the agent may name: a .key directly under its directory? Pure. */
bool arc_is_key_path(const char *path);

#endif

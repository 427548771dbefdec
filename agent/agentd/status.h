/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* The agent's and a volume's state as people and programs see it: specified in
 * Documentation/control.md. */
#ifndef CMK_STATUS_H
#define CMK_STATUS_H

#include <cjson/cJSON.h>

#include "agent.h"

/* Each: a new object that is the caller's, or NULL without memory. */
cJSON *status_agent(const struct agent *a);
cJSON *status_volume(const struct volume *v);

/* What a person can do about the state that @v is in; "" if nothing. */
const char *status_remedy(const struct volume *v);

#endif

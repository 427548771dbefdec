// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Asking cmk-agent. */
#include <string.h>

#include "common/control.h"
#include "ctl.h"

/*
 * What has to end before the agent answers: stopping or starting units and a few exchanges with the
 * vault. The agent bounds each; this bounds a hung agent.
 */
#define SLACK_MS 60000

static int64_t timeout_ms(const struct ctl *c, const char *op)
{
	if (strcmp(op, "status") == 0)
		return 10000;
	return SLACK_MS + 2 * c->cfg->lock_budget_ms + 5 * c->cfg->total_timeout_ms;
}

int ctl_agent_call(struct ctl *c, const char *op, const char *volume, const char *flag,
		   cJSON **answer)
{
	cJSON *request = cJSON_CreateObject();
	int r = -ENOMEM;

	if (cJSON_AddStringToObject(request, "op", op) &&
	    (!volume || cJSON_AddStringToObject(request, "volume", volume)) &&
	    (!flag || cJSON_AddTrueToObject(request, flag)))
		r = cmk_control_call(c->cfg->socket, request, timeout_ms(c, op), answer, &c->err);
	else
		cmk_error_set(&c->err, CMK_EXIT_MEMORY, r, NULL, "out of memory");
	cJSON_Delete(request);
	return r;
}

bool ctl_agent_absent(int r)
{
	return r == -ENOENT || r == -ECONNREFUSED;
}

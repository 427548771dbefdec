/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* From an answer's status and body to evidence: which of the services' envelopes it is, and what
 * stands in it. Pure. */
#ifndef CMK_KMS_EVIDENCE_H
#define CMK_KMS_EVIDENCE_H

#include "common/verdict.h"

/**
 * evidence_from_answer() - read an error's body.
 * @source: who answered. @status: HTTP's.
 * @body, @len: as they came; of any content.
 * @ev: source, http_status, parsed, code, inner and message are set; the rest stays as it is.
 *
 * parsed is true only for an envelope that the service uses. For a 200 it stays false: who asked
 * knows what to expect.
 */
void evidence_from_answer(enum cmk_source source, int status, const char *body, size_t len,
			  struct cmk_evidence *ev);

#endif

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Frames, as either side gets them from a partner that was taken over. What is accepted has one
 * encoding: its own. */
#include "fuzz.h"

#include "common/proto.h"

static uint8_t again[CMK_FRAME_MAX_BYTES];
static bool ready;

static int config(const uint8_t *data, size_t size)
{
	static struct cmk_kms_config c;
	int r = cmk_proto_get_config(data, size, &c);

	return r < 0 ? r : cmk_proto_put_config(again, &c);
}

static int request(const uint8_t *data, size_t size)
{
	static struct cmk_kms_request rq;
	int r = cmk_proto_get_request(data, size, &rq);

	CHECK(r == 0 || !rq.credential.bytes);
	r = r < 0 ? r : cmk_proto_put_request(again, &rq);
	secret_wipe(&rq.credential);
	return r;
}

static int cancel(const uint8_t *data, size_t size)
{
	uint32_t id;
	int r = cmk_proto_get_cancel(data, size, &id);

	return r < 0 ? r : cmk_proto_put_cancel(again, id);
}

static int answer(const uint8_t *data, size_t size)
{
	static struct cmk_kms_answer an;
	struct cmk_judgement j;
	int r = cmk_proto_get_answer(data, size, &an);

	if (r < 0)
		CHECK(!an.output.bytes);
	else
		cmk_judge(&an.evidence, &j);
	r = r < 0 ? r : cmk_proto_put_answer(again, &an);
	secret_wipe(&an.output);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int r;

	if (!ready)
		CHECK(secret_process_init() == 0);
	ready = true;
	switch (cmk_proto_type(data, size)) {
	case CMK_FRAME_CONFIG:
		r = config(data, size);
		break;
	case CMK_FRAME_READY:
		r = cmk_proto_put_ready(again);
		break;
	case CMK_FRAME_REQUEST:
		r = request(data, size);
		break;
	case CMK_FRAME_CANCEL:
		r = cancel(data, size);
		break;
	case CMK_FRAME_ANSWER:
		r = answer(data, size);
		break;
	default:
		return 0;
	}
	CHECK(r == -EBADMSG || (r == (int)size && memcmp(again, data, size) == 0));
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/* Frames: there and back; and a frame that is cut, changed, or says too much is refused whole. */
#include "unit.h"

#include "common/proto.h"

static uint8_t buf[CMK_FRAME_MAX_BYTES], other[CMK_FRAME_MAX_BYTES];

static void make_config(struct cmk_kms_config *c)
{
	*c = (struct cmk_kms_config){
		.ca_file = "/etc/ssl/ca.pem",
		.proxy = "http://proxy:3128",
		.api_version = "7.4",
		.imds = "http://169.254.169.254",
		.connect_timeout_ms = 5000,
		.total_timeout_ms = 20000,
		.vaults = { "contoso.vault.azure.net", "*.managedhsm.azure.net" },
		.n_vaults = 2,
		.suffix = ".vault.example",
		.suffix_store = CMK_STORE_MHSM,
	};
}

static void make_request(struct cmk_kms_request *rq)
{
	*rq = (struct cmk_kms_request){
		.id = UINT32_MAX,
		.op = CMK_OP_UNWRAP,
		.key = { CMK_STORE_MHSM, "a.managedhsm.azure.net", 8443, "kek",
			 "0123456789abcdef0123456789abcdef" },
		.identity = { CMK_IDENTITY_PRINCIPAL, CMK_SELECT_CLIENT_ID, "id", "tenant",
			      "credential" },
		.alg = CMK_ALG_RSA_OAEP,
		.input_len = 384,
		.fresh_token = true,
	};
	memset(rq->input, 0xc3, 384);
}

static void make_answer(struct cmk_kms_answer *an, enum cmk_op op)
{
	*an = (struct cmk_kms_answer){
		.id = 7,
		.evidence = { CMK_SOURCE_VAULT, CMK_TRANSPORT_OK, 200, true, "", "", "", "guid",
			      -1 },
		.key = { CMK_STORE_VAULT, "a.vault.azure.net", 443, "kek",
			 "0123456789abcdef0123456789abcdef" },
		.region = "westeurope",
		.tenant = "t",
		.server_time = 1767225600,
	};
	if (op == CMK_OP_UNWRAP) {
		assert_int_equal(secret_from(&an->output, "0123456789abcdef0123456789abcdef", 32),
				 0);
		return;
	}
	an->n_len = 256;
	memset(an->n, 0xa5, 256);
	an->e_len = 3;
	memcpy(an->e, "\1\0\1", 3);
	an->attributes = (struct cmk_key_attributes){ true, 1, INT64_MAX, true, false };
	an->recoverable_days = 90;
	snprintf(an->kty, sizeof(an->kty), "RSA-HSM");
	snprintf(an->recovery_level, sizeof(an->recovery_level), "Recoverable");
}

/* Parse whatever it is, and write what was read to @other. Return: the length, or -errno. */
static int there_and_back(const uint8_t *frame, size_t len)
{
	static struct cmk_kms_config c;
	static struct cmk_kms_request rq;
	static struct cmk_kms_answer an;
	uint32_t id;
	int r;

	switch (cmk_proto_type(frame, len)) {
	case CMK_FRAME_CONFIG:
		r = cmk_proto_get_config(frame, len, &c);
		return r < 0 ? r : cmk_proto_put_config(other, &c);
	case CMK_FRAME_READY:
		return cmk_proto_put_ready(other);
	case CMK_FRAME_REQUEST:
		r = cmk_proto_get_request(frame, len, &rq);
		if (r == 0)
			r = cmk_proto_put_request(other, &rq);
		secret_wipe(&rq.credential);
		return r;
	case CMK_FRAME_CANCEL:
		r = cmk_proto_get_cancel(frame, len, &id);
		return r < 0 ? r : cmk_proto_put_cancel(other, id);
	case CMK_FRAME_ANSWER:
		r = cmk_proto_get_answer(frame, len, &an);
		if (r == 0)
			r = cmk_proto_put_answer(other, &an);
		secret_wipe(&an.output);
		return r;
	default:
		return -EBADMSG;
	}
}

/* One frame of each kind, in @buf. Return: its length, 0 behind the last. */
static size_t make_frame(int which)
{
	static struct cmk_kms_config c;
	static struct cmk_kms_request rq;
	static struct cmk_kms_answer an;
	int len = 0;

	switch (which) {
	case 0:
		make_config(&c);
		len = cmk_proto_put_config(buf, &c);
		break;
	case 1:
		make_request(&rq);
		assert_int_equal(secret_from(&rq.credential, "credential", 10), 0);
		len = cmk_proto_put_request(buf, &rq);
		secret_wipe(&rq.credential);
		break;
	case 2:
		len = cmk_proto_put_cancel(buf, 12);
		break;
	case 3:
	case 4:
		make_answer(&an, which == 3 ? CMK_OP_GET_KEY : CMK_OP_UNWRAP);
		len = cmk_proto_put_answer(buf, &an);
		secret_wipe(&an.output);
		break;
	case 5:
		len = cmk_proto_put_ready(buf);
		break;
	default:
		return 0;
	}
	assert_true(len > 0);
	return len;
}

static void round_trip(void **state)
{
	size_t len;

	(void)state;
	for (int which = 0; (len = make_frame(which)); which++) {
		assert_int_equal(there_and_back(buf, len), len);
		assert_memory_equal(buf, other, len);
	}
}

static void values_arrive(void **state)
{
	static struct cmk_kms_request a, b;
	static struct cmk_kms_answer x, y;
	int len;

	(void)state;
	make_request(&a);
	len = cmk_proto_put_request(buf, &a);
	assert_int_equal(cmk_proto_get_request(buf, len, &b), 0);
	assert_int_equal(b.id, UINT32_MAX);
	assert_string_equal(b.key.host, a.key.host);
	assert_int_equal(b.key.port, 8443);
	assert_string_equal(b.identity.credential, "credential");
	assert_memory_equal(b.input, a.input, 384);
	assert_int_equal(b.input_len, 384);
	assert_true(b.fresh_token);
	make_answer(&x, CMK_OP_UNWRAP);
	len = cmk_proto_put_answer(buf, &x);
	assert_int_equal(cmk_proto_get_answer(buf, len, &y), 0);
	assert_int_equal(y.evidence.retry_after_s, -1);
	assert_int_equal(y.server_time, 1767225600);
	assert_true(secret_equal(&x.output, &y.output));
	secret_wipe(&x.output);
	secret_wipe(&y.output);
}

static void cut(void **state)
{
	size_t len;

	(void)state;
	for (int which = 0; (len = make_frame(which)); which++) {
		for (size_t n = 0; n < len; n++) {
			uint32_t claimed = n;

			assert_int_equal(there_and_back(buf, n), -EBADMSG);
			/* and with a length that agrees */
			memcpy(other, buf, n);
			if (n < 12)
				continue;
			memcpy(other + 8, &claimed, sizeof(claimed));
			assert_int_equal(there_and_back(other, n), -EBADMSG);
		}
	}
}

static void longer(void **state)
{
	size_t len;

	(void)state;
	for (int which = 0; (len = make_frame(which)) && which < 5; which++) {
		uint32_t claimed = len + 1;

		buf[len] = 0;
		assert_int_equal(there_and_back(buf, len + 1), -EBADMSG);
		memcpy(buf + 8, &claimed, sizeof(claimed));
		assert_int_equal(there_and_back(buf, len + 1), -EBADMSG);
	}
}

/* With one bit changed a frame is refused, or it is another frame that says just that. */
static void flipped(void **state)
{
	size_t len, refused = 0;

	(void)state;
	for (int which = 0; (len = make_frame(which)); which++) {
		for (size_t bit = 0; bit < len * 8; bit++) {
			int r;

			buf[bit / 8] ^= 1 << bit % 8;
			r = there_and_back(buf, len);
			if (r < 0) {
				assert_int_equal(r, -EBADMSG);
				refused++;
			} else {
				assert_int_equal(r, len);
				assert_memory_equal(buf, other, len);
			}
			buf[bit / 8] ^= 1 << bit % 8;
		}
	}
	assert_true(refused > 1000);
}

/* A field twice, out of order, or unknown. */
static void tags(void **state)
{
	size_t len = make_frame(1);
	uint16_t tag;

	(void)state;
	/* the first field begins behind 12 bytes of header; an integer's is 4 + 8 bytes */
	for (tag = 0; tag < 40; tag++) {
		memcpy(buf + 12, &tag, sizeof(tag));
		assert_int_equal(there_and_back(buf, len), tag == 1 ? (int)len : -EBADMSG);
	}
	tag = 1;
	memcpy(buf + 12, &tag, sizeof(tag));
	memcpy(buf + 24, &tag, sizeof(tag));
	assert_int_equal(there_and_back(buf, len), -EBADMSG);
}

static void not_sent(void **state)
{
	static struct cmk_kms_request rq;
	static struct cmk_kms_config c;
	static struct cmk_kms_answer an;

	(void)state;
	make_request(&rq);
	rq.id = 0;
	assert_int_equal(cmk_proto_put_request(buf, &rq), -EINVAL);
	make_request(&rq);
	rq.input_len = 300;
	assert_int_equal(cmk_proto_put_request(buf, &rq), -EINVAL);
	make_request(&rq);
	rq.key.name[0] = '\0';
	assert_int_equal(cmk_proto_put_request(buf, &rq), -EINVAL);
	make_request(&rq);
	rq.op = 9;
	rq.input_len = 0;
	assert_int_equal(cmk_proto_put_request(buf, &rq), -EINVAL);
	make_request(&rq);
	rq.key.host[0] = '\n';
	assert_int_equal(cmk_proto_put_request(buf, &rq), -EINVAL);
	make_request(&rq);
	memset(rq.key.host, 'a', sizeof(rq.key.host)); /* no end */
	assert_int_equal(cmk_proto_put_request(buf, &rq), -EINVAL);
	make_config(&c);
	c.n_vaults = CMK_MAX_VAULTS + 1;
	assert_int_equal(cmk_proto_put_config(buf, &c), -EINVAL);
	make_answer(&an, CMK_OP_GET_KEY);
	an.evidence.http_status = 403; /* a refusal that brings a key */
	assert_int_equal(cmk_proto_put_answer(buf, &an), -EINVAL);
	make_answer(&an, CMK_OP_GET_KEY);
	an.n_len = 257;
	assert_int_equal(cmk_proto_put_answer(buf, &an), -EINVAL);
}

/* The longest of everything still fits a frame. */
static void largest(void **state)
{
	static struct cmk_kms_config c, d;
	int len;

	(void)state;
	make_config(&c);
	c.n_vaults = CMK_MAX_VAULTS;
	for (size_t i = 0; i < CMK_MAX_VAULTS; i++)
		memset(c.vaults[i], 'a' + i % 26, sizeof(c.vaults[i]) - 1);
	len = cmk_proto_put_config(buf, &c);
	assert_true(len > 0);
	assert_int_equal(cmk_proto_get_config(buf, len, &d), 0);
	assert_memory_equal(c.vaults, d.vaults, sizeof(c.vaults));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip), cmocka_unit_test(values_arrive),
		cmocka_unit_test(cut),	      cmocka_unit_test(longer),
		cmocka_unit_test(flipped),    cmocka_unit_test(tags),
		cmocka_unit_test(not_sent),   cmocka_unit_test(largest),
	};

	if (secret_process_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

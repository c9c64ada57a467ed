// SPDX-License-Identifier: GPL-2.0
/* Every operation in every state of a seal. */
#include <linux/pkram.h>
#include "core/seal.h"
#include "tap.h"

static const u8 zero[16];
static const u8 cookie[16] = "cookie", other[16] = "other cookie";
static const u8 vm[16] = "vm", stranger[16] = "stranger";

enum op { CLAIM, CLAIM_SEALED, CLAIM_SEALED_VM, CLAIM_SEALED_STRANGER,
	  CLAIM_UNSEAL, CLAIM_BOTH, CLAIM_UNKNOWN, SEAL, SEAL_ZERO, RESUME,
	  RESUME_OTHER, NR_OPS };

static const char * const op_name[] = { "claim", "claim sealed",
	"claim sealed of vm", "claim sealed of stranger", "claim unseal",
	"claim both flags", "claim unknown flag", "seal", "seal zero cookie",
	"resume", "resume other cookie" };

#define N PKRAM_SEAL_NONE
#define R PKRAM_SEAL_RUNNING
#define S PKRAM_SEAL_SEALED

static const struct {
	int ret;
	u32 state;
} table[3][NR_OPS] = {
	[N] = { { 0, R }, { -ENODATA, N }, { -ENODATA, N }, { -ENODATA, N },
		{ 0, R }, { -EINVAL, N }, { -EINVAL, N }, { 0, S },
		{ -EINVAL, N }, { -ENODATA, N }, { -ENODATA, N } },
	[R] = { { 0, R }, { -ENODATA, R }, { -ENODATA, R }, { -ENODATA, R },
		{ 0, R }, { -EINVAL, R }, { -EINVAL, R }, { 0, S },
		{ -EINVAL, R }, { -ENODATA, R }, { -ENODATA, R } },
	[S] = { { -EBUSY, S }, { 0, S }, { 0, S }, { -ESTALE, S },
		{ 0, R }, { -EINVAL, S }, { -EINVAL, S }, { 0, S },
		{ -EINVAL, S }, { 0, R }, { -ESTALE, S } },
};

static int apply(struct pkram_seal *s, enum op op)
{
	switch (op) {
	case CLAIM:
		return pkram_seal_claim(s, 0, stranger);
	case CLAIM_SEALED:
		return pkram_seal_claim(s, PKRAM_CLAIM_SEALED, zero);
	case CLAIM_SEALED_VM:
		return pkram_seal_claim(s, PKRAM_CLAIM_SEALED, vm);
	case CLAIM_SEALED_STRANGER:
		return pkram_seal_claim(s, PKRAM_CLAIM_SEALED, stranger);
	case CLAIM_UNSEAL:
		return pkram_seal_claim(s, PKRAM_CLAIM_UNSEAL, zero);
	case CLAIM_BOTH:
		return pkram_seal_claim(s, PKRAM_CLAIM_SEALED |
					PKRAM_CLAIM_UNSEAL, zero);
	case CLAIM_UNKNOWN:
		return pkram_seal_claim(s, 1U << 31, zero);
	case SEAL:
		return pkram_seal_set(s, other, stranger);
	case SEAL_ZERO:
		return pkram_seal_set(s, zero, vm);
	case RESUME:
		return pkram_seal_resume(s, cookie);
	case RESUME_OTHER:
		return pkram_seal_resume(s, other);
	default:
		return -ENOSYS;
	}
}

static struct pkram_seal seal_in(u32 state)
{
	struct pkram_seal s = { .state = state, .generation = 41 };

	if (state == S) {
		memcpy(s.cookie, cookie, 16);
		memcpy(s.vm_uuid, vm, 16);
	}
	return s;
}

static void check_one(u32 state, enum op op)
{
	struct pkram_seal s = seal_in(state), before = s;
	int ret = apply(&s, op);
	u32 want = table[state][op].state;

	if (ret != table[state][op].ret || s.state != want)
		tap_fail(__FILE__, __LINE__, "state %u, %s: %d, state %u",
			 state, op_name[op], ret, s.state);
	CHECK_EQ(s.generation, op == SEAL ? 42 : 41);
	if (ret) {
		CHECK(!memcmp(s.cookie, before.cookie, 16));
		CHECK(!memcmp(s.vm_uuid, before.vm_uuid, 16));
	} else if (s.state != S) {
		CHECK(!memcmp(s.cookie, zero, 16));
		CHECK(!memcmp(s.vm_uuid, zero, 16));
	} else {
		CHECK(!memcmp(s.cookie, op == SEAL ? other : cookie, 16));
		CHECK(!memcmp(s.vm_uuid, op == SEAL ? stranger : vm, 16));
	}
}

static void test_table(void)
{
	u32 state, op;

	for (state = 0; state < 3; state++)
		for (op = 0; op < NR_OPS; op++)
			check_one(state, op);
}

static void test_stream_used_twice(void)
{
	struct pkram_seal s = { 0 };

	CHECK_EQ(pkram_seal_claim(&s, 0, zero), 0);
	CHECK_EQ(pkram_seal_set(&s, cookie, vm), 0);
	CHECK_EQ(pkram_seal_claim(&s, PKRAM_CLAIM_SEALED, vm), 0);
	CHECK_EQ(pkram_seal_check(&s, other), -ESTALE);
	CHECK_EQ(pkram_seal_check(&s, cookie), 0);
	CHECK_EQ(pkram_seal_resume(&s, cookie), 0);
	CHECK_EQ(pkram_seal_check(&s, cookie), -ENODATA);
	CHECK_EQ(pkram_seal_claim(&s, PKRAM_CLAIM_SEALED, vm), -ENODATA);
	CHECK_EQ(pkram_seal_resume(&s, cookie), -ENODATA);
}

static void test_stream_of_an_older_seal(void)
{
	struct pkram_seal s = { 0 };

	CHECK_EQ(pkram_seal_set(&s, cookie, vm), 0);
	CHECK_EQ(pkram_seal_set(&s, other, vm), 0);
	CHECK_EQ(pkram_seal_resume(&s, cookie), -ESTALE);
	CHECK_EQ(pkram_seal_resume(&s, other), 0);
	CHECK_EQ(s.generation, 2);
}

TAP_MAIN({ "every state answers every operation as the table says", test_table },
	 { "a cookie resumes once", test_stream_used_twice },
	 { "the cookie of an older seal is refused", test_stream_of_an_older_seal },
)

// SPDX-License-Identifier: GPL-2.0
/*
 * Claim and seal: the state machine of seal.h.
 */
#include <linux/pkram.h>
#include "core/seal.h"

static bool seal_is_zero(const u8 id[16])
{
	u8 any = 0;
	int i;

	for (i = 0; i < 16; i++)
		any |= id[i];
	return !any;
}

/* The format requires cookie and owner to be zero while there is no seal. */
static void seal_clear(struct pkram_seal *s)
{
	s->state = PKRAM_SEAL_RUNNING;
	memset(s->cookie, 0, sizeof(s->cookie));
	memset(s->vm_uuid, 0, sizeof(s->vm_uuid));
}

int pkram_seal_claim(struct pkram_seal *s, u32 flags, const u8 vm_uuid[16])
{
	switch (flags) {
	case 0:
		if (s->state == PKRAM_SEAL_SEALED)
			return -EBUSY;
		seal_clear(s);
		return 0;
	case PKRAM_CLAIM_SEALED:
		if (s->state != PKRAM_SEAL_SEALED)
			return -ENODATA;
		if (!seal_is_zero(vm_uuid) &&
		    memcmp(vm_uuid, s->vm_uuid, sizeof(s->vm_uuid)))
			return -ESTALE;
		return 0;
	case PKRAM_CLAIM_UNSEAL:
		seal_clear(s);
		return 0;
	}
	return -EINVAL;
}

int pkram_seal_set(struct pkram_seal *s, const u8 cookie[16],
		   const u8 vm_uuid[16])
{
	if (seal_is_zero(cookie))
		return -EINVAL;
	s->state = PKRAM_SEAL_SEALED;
	s->generation++;
	memcpy(s->cookie, cookie, sizeof(s->cookie));
	memcpy(s->vm_uuid, vm_uuid, sizeof(s->vm_uuid));
	return 0;
}

int pkram_seal_check(const struct pkram_seal *s, const u8 cookie[16])
{
	if (s->state != PKRAM_SEAL_SEALED)
		return -ENODATA;
	if (memcmp(s->cookie, cookie, sizeof(s->cookie)))
		return -ESTALE;
	return 0;
}

int pkram_seal_resume(struct pkram_seal *s, const u8 cookie[16])
{
	int err = pkram_seal_check(s, cookie);

	if (!err)
		seal_clear(s);
	return err;
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Claim and seal: which open may use an object as guest RAM, and whether a saved state
 * belongs to it. Only the state machine, pure; the store keeps the claim's holder
 * and commits the result.
 *
 *	            claim                 seal(cookie)
 *	NONE ---------------> RUNNING ------------------> SEALED
 *	RUNNING (owner gone) --claim--> RUNNING             |  |
 *	   ^------------------------------------------------'  |
 *	   |      resume(cookie), by the owner before or after |
 *	   '---------------------------------------------------'
 *	                claim(UNSEAL): drop the seal
 *	SEALED --claim(SEALED)--> SEALED, held
 */
#ifndef _PKRAM_SEAL_H
#define _PKRAM_SEAL_H

#include "core/record.h"

/**
 * pkram_seal_claim() - Apply a claim to the state of an object
 * @s: in/out
 * @flags: PKRAM_CLAIM_*
 * @vm_uuid: expected owner, or all zero
 *
 * Return: 0; -EINVAL unknown flag, or both; -EBUSY sealed, and neither flag
 * given; -ENODATA %PKRAM_CLAIM_SEALED and not sealed; -ESTALE the seal is
 * another VM's.
 */
int pkram_seal_claim(struct pkram_seal *s, u32 flags, const u8 vm_uuid[16]);

/**
 * pkram_seal_set() - Seal an object for a saved state
 * @s: in/out; generation grows by one
 * @cookie: ties the object to the saved state
 * @vm_uuid: the VM whose RAM it is
 *
 * Sealing again replaces the cookie. Return: 0; -EINVAL cookie all zero.
 */
int pkram_seal_set(struct pkram_seal *s, const u8 cookie[16],
		   const u8 vm_uuid[16]);

/**
 * pkram_seal_check() - Compare a cookie with that of the seal
 * @s: the object's seal
 * @cookie: of the saved state
 *
 * Return: 0; -ENODATA: there is no seal; -ESTALE: it has another cookie
 */
int pkram_seal_check(const struct pkram_seal *s, const u8 cookie[16]);

/**
 * pkram_seal_resume() - Consume the seal when its VM resumes
 * @s: in/out
 * @cookie: of the saved state
 *
 * Return: 0; -ENODATA not sealed; -ESTALE another cookie.
 */
int pkram_seal_resume(struct pkram_seal *s, const u8 cookie[16]);

#endif /* _PKRAM_SEAL_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* Remove secrets from QEMU's arguments. Pure: no output, no system calls. */
#ifndef _PKRAMCTL_REDACT_H
#define _PKRAMCTL_REDACT_H

#define REDACTED	"(removed)"

/**
 * redact_arg() - Copy an argument of QEMU without the secrets in it
 * @option: the argument before it ("-object"), or ""
 * @arg: "KEY=VALUE,..." or JSON
 * @removed: in/out: number of values that were removed
 *
 * Removes the values of keys that hold secrets (password, secret, data, key, token,
 * credential; string of -fw_cfg, value of -smbios) up to the next comma, and user and
 * password in URLs. What looks like a secret and is none is removed too.
 *
 * Return: the copy, to be freed; NULL: out of memory.
 */
char *redact_arg(const char *option, const char *arg, unsigned int *removed);

#endif /* _PKRAMCTL_REDACT_H */

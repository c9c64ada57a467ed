/* SPDX-License-Identifier: GPL-2.0 */
/* Programs that ask logind not to end the host now. */
#ifndef _PKRAMCTL_INHIBITORS_H
#define _PKRAMCTL_INHIBITORS_H

struct preflight;

/*
 * Add a warning for each program, other than ours, that inhibits a shutdown: kexec.target,
 * which pkramctl starts, does not ask logind, and ends them in what they do.
 */
void inhibitors_check(struct preflight *p);

#endif /* _PKRAMCTL_INHIBITORS_H */

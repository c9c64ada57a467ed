/* SPDX-License-Identifier: GPL-2.0 */
/* The control plane: generic netlink family "pkram"; see uapi/pkram.yaml */
#ifndef _PKRAM_GENL_H
#define _PKRAM_GENL_H

int pkram_genl_init(void);
void pkram_genl_exit(void);

#endif /* _PKRAM_GENL_H */

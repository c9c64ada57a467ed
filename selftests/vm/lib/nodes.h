/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For tests on a host with several NUMA nodes. They include <pkram.h>, so that they are
 * linked with libpkram.
 */
#ifndef PKRAM_VM_NODES_H
#define PKRAM_VM_NODES_H

/* The free memory of the pool on this node, in bytes; -1 if unknown */
long long nodes_free(int node);

#endif

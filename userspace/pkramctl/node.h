/* SPDX-License-Identifier: GPL-2.0 */
/* NUMA nodes of this host. */
#ifndef _PKRAMCTL_NODE_H
#define _PKRAMCTL_NODE_H

#include <stdint.h>

/**
 * node_take() - Remove "--node N" from the arguments, and check that there is such a node
 * @verb: "pool grow", for messages
 * @argc: in, out
 * @argv: in, out
 * @node: out; unchanged without the option
 *
 * Return: 0; %CTL_USAGE or %CTL_FAILED: the reason was reported.
 */
int node_take(const char *verb, int *argc, char **argv, uint64_t *node);

#endif /* _PKRAMCTL_NODE_H */

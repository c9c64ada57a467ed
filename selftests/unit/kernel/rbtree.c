// SPDX-License-Identifier: GPL-2.0
/* Search trees: see rbtree.h. */
#include <stdint.h>
#include "kernel/list.h"
#include "kernel/rbtree.h"

static uint64_t priority(const struct rb_node *node)
{
	uint64_t z = (uintptr_t)node * 0x9e3779b97f4a7c15ULL;

	return (z ^ z >> 32) * 0xbf58476d1ce4e5b9ULL;
}

/* Let @node be where @old was below its parent. */
static void replace(struct rb_node *old, struct rb_node *node, struct rb_root *root)
{
	struct rb_node *parent = old->rb_parent;

	if (!parent)
		root->rb_node = node;
	else if (parent->rb_left == old)
		parent->rb_left = node;
	else
		parent->rb_right = node;
	if (node)
		node->rb_parent = parent;
}

/* Exchange a node and its parent. */
static void rotate_up(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *parent = node->rb_parent, *moves;

	replace(parent, node, root);
	if (parent->rb_left == node) {
		moves = node->rb_right;
		parent->rb_left = moves;
		node->rb_right = parent;
	} else {
		moves = node->rb_left;
		parent->rb_right = moves;
		node->rb_left = parent;
	}
	parent->rb_parent = node;
	if (moves)
		moves->rb_parent = parent;
}

void rb_insert_color(struct rb_node *node, struct rb_root *root)
{
	while (node->rb_parent && priority(node) < priority(node->rb_parent))
		rotate_up(node, root);
}

void rb_erase(struct rb_node *node, struct rb_root *root)
{
	while (node->rb_left && node->rb_right)
		rotate_up(priority(node->rb_left) < priority(node->rb_right) ?
			  node->rb_left : node->rb_right, root);
	replace(node, node->rb_left ? node->rb_left : node->rb_right, root);
}

struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *node = root->rb_node;

	while (node && node->rb_left)
		node = node->rb_left;
	return node;
}

struct rb_node *rb_last(const struct rb_root *root)
{
	struct rb_node *node = root->rb_node;

	while (node && node->rb_right)
		node = node->rb_right;
	return node;
}

struct rb_node *rb_next(const struct rb_node *node)
{
	if (node->rb_right)
		return rb_first(&(struct rb_root){ node->rb_right });
	while (node->rb_parent && node->rb_parent->rb_right == node)
		node = node->rb_parent;
	return node->rb_parent;
}

void rb_add(struct rb_node *node, struct rb_root *root,
	    bool (*less)(struct rb_node *node, const struct rb_node *other))
{
	struct rb_node **p = &root->rb_node, *parent = NULL;

	while (*p) {
		parent = *p;
		shim_steps++;
		p = less(node, parent) ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(node, parent, p);
	rb_insert_color(node, root);
}

struct rb_node *rb_find(const void *key, const struct rb_root *root,
			int (*cmp)(const void *key, const struct rb_node *node))
{
	struct rb_node *node = root->rb_node;
	int c;

	while (node) {
		shim_steps++;
		c = cmp(key, node);
		if (!c)
			return node;
		node = c < 0 ? node->rb_left : node->rb_right;
	}
	return NULL;
}

/* SPDX-License-Identifier: GPL-2.0 */
/* Processes that hold an object: they have its file open, or map it. */
#ifndef _PKRAMCTL_HOLDERS_H
#define _PKRAMCTL_HOLDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct holder - a process
 * @next: the next one, or NULL
 * @pid: its id
 * @name: its name, as in /proc/PID/comm
 * @maps: it maps the object, perhaps without having it open
 * @writes: it can change the object: the file is open for writing, or a mapping is writable
 */
struct holder {
	struct holder *next;
	pid_t pid;
	char name[32];
	bool maps, writes;
};

/**
 * struct held - an object, and the processes that hold it
 * @path: of the object; the caller's
 * @list: out: freed with holders_free()
 */
struct held {
	const char *path;
	struct holder *list;
};

/**
 * holders_look() - Look for the processes that hold some objects
 * @held: the objects
 * @nr: number of them
 *
 * A mapping of a file of pkramfs does not have the file's inode number, only its name: an
 * object with the same name in another directory is taken for this one. Without root only
 * processes of the same user are seen; this process is never one of them.
 */
void holders_look(struct held *held, unsigned int nr);

/* The same for one object. Return: a list, or NULL if there is none */
struct holder *holders_find(const char *path);
void holders_free(struct holder *list);

/* Write "NAME (PID 12), NAME (PID 14)"; at most some of them. Return: @buf */
char *holders_text(const struct holder *list, char *buf, size_t len);

#endif /* _PKRAMCTL_HOLDERS_H */

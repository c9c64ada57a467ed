/* SPDX-License-Identifier: GPL-2.0 */
/* Arguments of a verb: options and words. */
#ifndef _PKRAMCTL_ARGS_H
#define _PKRAMCTL_ARGS_H

#include <stdbool.h>
#include "ctl.h"

/**
 * args_known() - Check whether a verb has an option
 * @v: the verb; its synopsis names its options
 * @arg: "--option" or "--option=VALUE"
 */
bool args_known(const struct ctl_verb *v, const char *arg);

/**
 * args_flag() - Remove an option without a value from the arguments
 * @name: "--option"
 * @argc: in, out
 * @argv: in, out
 *
 * Return: the option was there.
 */
bool args_flag(const char *name, int *argc, char **argv);

/**
 * args_value() - Remove an option and its value from the arguments
 * @name: "--option"; "--option VALUE" and "--option=VALUE" are the same
 * @argc: in, out
 * @argv: in, out
 * @value: out: the value; NULL: the option is absent
 *
 * If an option is given several times, each call removes one, the first one first.
 *
 * Return: 0, or %CTL_USAGE: the value is missing, which was reported.
 */
int args_value(const char *name, int *argc, char **argv, const char **value);

/**
 * args_distance() - Count the typing errors between two words
 * @a: word
 * @b: word
 *
 * Return: number of letters inserted, removed, changed, or swapped with their neighbour.
 */
unsigned int args_distance(const char *a, const char *b);

/**
 * args_unknown() - Report a word that is not one of a list
 * @what: the kind of word: "verb", "object"
 * @of: what it belongs to ("pool"), or NULL
 * @word: the word
 * @known: the valid words; reordered: the most similar one first
 * @nr: number of valid words
 *
 * Return: %CTL_USAGE.
 */
int args_unknown(const char *what, const char *of, const char *word, const char **known,
		 unsigned int nr);

#endif /* _PKRAMCTL_ARGS_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* The unit map of a region: read and write the states of its units. */
#ifndef _PKRAM_UNITMAP_H
#define _PKRAM_UNITMAP_H

#include "core/layout.h"

/**
 * pkram_map_get() - Read the state of a unit
 * @head: unit 0 of the region
 * @region_id: region
 * @unit: unit in the region
 *
 * Return: &enum pkram_unit_state, or -EUCLEAN if both copies are damaged.
 */
int pkram_map_get(const void *head, u64 region_id, u32 unit);

/**
 * pkram_map_set() - Set the state of a run of units
 * @head: unit 0 of the region
 * @region_id: region
 * @unit: first unit
 * @nr: number of units
 * @state: &enum pkram_unit_state
 *
 * A word with two damaged copies stays damaged, unless the run covers all of it.
 * Context: the caller excludes other writers of this region's map. Return: 0;
 * -EUCLEAN a damaged word was found; -ERANGE the run does not fit the map, and
 * nothing was written.
 */
int pkram_map_set(void *head, u64 region_id, u32 unit, u32 nr, int state);

/**
 * pkram_map_word() - Read one word of the unit map
 * @head: unit 0 of the region
 * @region_id: region
 * @word: index: unit / %PKRAM_MAP_WORD_UNITS
 * @states: out: two bits for each unit
 *
 * Return: 0, or -EUCLEAN if both copies are damaged.
 */
int pkram_map_word(const void *head, u64 region_id, u32 word, u32 *states);

/**
 * pkram_map_mirror() - Copy valid words over damaged or older ones in a GiB's
 * words
 * @head: unit 0 of the region
 * @region_id: region
 * @gib: GiB of the region
 *
 * To be called once at attach, so that the other copy is up to date if a word is
 * damaged later. Words damaged in both copies stay damaged.
 */
void pkram_map_mirror(void *head, u64 region_id, u32 gib);

/**
 * pkram_map_init() - Write valid words for a GiB, every unit free
 * @head: unit 0 of the region
 * @region_id: region
 * @gib: GiB of the region
 */
void pkram_map_init(void *head, u64 region_id, u32 gib);

#endif /* _PKRAM_UNITMAP_H */

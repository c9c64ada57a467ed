/* SPDX-License-Identifier: GPL-2.0 */
/* The unit map of a region: reading and writing the states of its units. */
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
 * A word of which both copies are damaged stays damaged, unless the run
 * covers it wholly. Context: the caller keeps others from writing the map of
 * this region. Return: 0; -EUCLEAN if a damaged word was met; -ERANGE if the
 * run does not fit the map, then nothing was written.
 */
int pkram_map_set(void *head, u64 region_id, u32 unit, u32 nr, int state);

/**
 * pkram_map_word() - Read one word of the unit map
 * @head: unit 0 of the region
 * @region_id: region
 * @word: which word: unit / %PKRAM_MAP_WORD_UNITS
 * @states: out: two bits for each unit
 *
 * Return: 0, or -EUCLEAN if both copies are damaged.
 */
int pkram_map_word(const void *head, u64 region_id, u32 word, u32 *states);

/**
 * pkram_map_owned() - Check whether every unit of a run is stale or written
 * @head: unit 0 of the region
 * @region_id: region
 * @unit: first unit
 * @nr: number of units, within the region
 *
 * Return: true if every unit is known to be stale or written.
 */
bool pkram_map_owned(const void *head, u64 region_id, u32 unit, u32 nr);

/**
 * pkram_map_mirror() - Copy valid words over damaged or older ones in a GiB's words
 * @head: unit 0 of the region
 * @region_id: region
 * @gib: which GiB of the region
 *
 * To be called once at attach, so that a word damaged later is read from a
 * copy that is not out of date. Words damaged in both copies stay damaged.
 */
void pkram_map_mirror(void *head, u64 region_id, u32 gib);

/**
 * pkram_map_init() - Write valid words for a GiB, every unit free
 * @head: unit 0 of the region
 * @region_id: region
 * @gib: which GiB of the region
 */
void pkram_map_init(void *head, u64 region_id, u32 gib);

#endif /* _PKRAM_UNITMAP_H */

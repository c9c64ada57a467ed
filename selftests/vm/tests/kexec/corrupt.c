// SPDX-License-Identifier: GPL-2.0
/*
 * Damage each of many objects in a different way, in preserved memory between two kernels.
 * Each damage affects that object only; the object is listed, keeps its memory, and can be
 * discarded.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include "test.h"

#include "damage.h"
#include "pool.h"
#include <pkram.h>

#define FILE_SIZE	(5 * MIB + 4096)
#define FILE_UNITS	3
#define NR_FILES	((int)(sizeof(files) / sizeof(files[0])))

/* What happens to an object */
enum fate {
	GOOD,		/* as before */
	NAMED,		/* quarantined, and listed by its name */
	NAMELESS,	/* quarantined; its name is unknown */
	ORPHAN,		/* intact, under another name */
};

static struct file {
	const char *name;
	const char *reason;
	enum fate fate;
	bool dir;
	bool unknown;	/* extents cannot be read either */
} files[] = {
	/* Directories first, because files are created in this order */
	{ "lostdir", "both copies fail", NAMELESS, .dir = true },
	{ "gooddir", NULL, GOOD, .dir = true },
	{ "lostdir/sub", NULL, ORPHAN, .dir = true },
	{ "lostdir/child", NULL, ORPHAN },
	{ "lostdir/sub/deep", NULL, ORPHAN },
	{ "gooddir/child", NULL, GOOD },
	{ "good0", NULL, GOOD },
	{ "good1", NULL, GOOD },
	{ "good2", NULL, GOOD },
	{ "flip1", NULL, GOOD },
	{ "flip2", "both copies fail", NAMELESS, .unknown = true },
	{ "short", "impossible value", NAMED, .unknown = true },
	{ "outside", "outside its region", NAMED },
	{ "head", "outside its region", NAMED },
	{ "overlap0", "shares memory", NAMED },
	{ "overlap1", "shares memory", NAMED },
	{ "dupname", "same name", NAMED },
	{ "dupid0", "same id", NAMED },
	{ "dupid1", "same id", NAMED },
	{ "size", "size is not possible", NAMED },
	{ "kind", "kind of record", NAMED, .unknown = true },
	{ "labels", "labels are damaged", NAMED },
	{ "region", "region that is not there", NAMED },
	{ "seal", "impossible value", NAMED },
	{ "cookie", "impossible value", NAMED },
	{ "map", "unit map", NAMED },
};

/* Kept in the head of the first region, where the format does not use the space */
struct notes {
	uint64_t free_before;		/* with all files */
	uint64_t free_unknown;		/* free units whose state was damaged */
	uint64_t free_claimed;		/* free units that damaged extents name */
	uint32_t claimed[32];		/* the same for each object */
	uint64_t ids[32];
	uint32_t nr_extents[32];
	struct pkram_extent extents[32][FILE_UNITS];
};

static struct notes *notes;

static char *path_of(const struct file *f)
{
	static char path[4][600];
	static int n;
	char *p = path[n++ % 4];

	if (f->fate == ORPHAN && notes && strcmp(f->name, "lostdir/sub/deep"))
		sprintf(p, PKRAM_MNT "/lost+%llu+%s",
			(unsigned long long)notes->ids[f - files], f->name + 8);
	else if (f->fate == ORPHAN && notes)
		sprintf(p, PKRAM_MNT "/lost+%llu+sub/deep",
			(unsigned long long)notes->ids[2]);
	else
		sprintf(p, PKRAM_MNT "/%s", f->name);
	return p;
}

static const char *base_name(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

static struct file *file(const char *name)
{
	int i;

	for (i = 0; i < NR_FILES; i++)
		if (!strcmp(base_name(files[i].name), name) && files[i].fate != ORPHAN)
			return &files[i];
	abort();
}

STAGE(make)

TEST_F_TIMEOUT(make, creates_files_in_two_regions, 300)
{
	int i;

	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, pool_grow(2));
	ASSERT_EQ(0, pool_grow(1));
	EXPECT_LE(2, pool_number("regions"));
	for (i = 0; i < NR_FILES; i++) {
		if (files[i].dir) {
			ASSERT_EQ(0, mkdir(path_of(&files[i]), 0755));
			continue;
		}
		ASSERT_EQ(0, pool_file_fill(path_of(&files[i]), FILE_SIZE, i + 1));
		ASSERT_EQ(0, setxattr(path_of(&files[i]), "user.nr", &i, sizeof(i), 0));
	}
	TH_LOG("%lld objects, %lld bytes free", pool_number("objects"),
	       pool_number("free"));
}

STAGE(damage)

static void take_notes(struct __test_metadata *_metadata)
{
	struct dm_record *d;
	uint64_t at;
	int i;

	notes = (struct notes *)(dm_regions[0].head + DM_NOTES);
	memset(notes, 0, sizeof(*notes));
	for (i = 0; i < NR_FILES; i++) {
		/* Two files are named "child": one takes the name from its directory's record. */
		const char *name = base_name(files[i].name);
		bool orphan = files[i].fate == ORPHAN, in_first;
		int n;

		for (n = 0, d = NULL; n < dm_nr_records; n++) {
			in_first = dm_records[n].rec.parent == notes->ids[0];
			if (!strcmp(dm_records[n].rec.name, name) &&
			    (strcmp(name, "child") || in_first == orphan))
				d = &dm_records[n];
		}
		ASSERT_NE(NULL, d);
		notes->ids[i] = d->rec.id;
		ASSERT_EQ(!files[i].dir, d->rec.nr_extents);
		notes->nr_extents[i] = d->rec.nr_extents;
		memcpy(notes->extents[i], d->rec.extents,
		       d->rec.nr_extents * sizeof(struct pkram_extent));
	}
	for (i = 0; i < dm_nr_regions; i++) {
		struct dm_region *r = &dm_regions[i];

		for (at = 0; at < r->h.nr_gib * PKRAM_GIB_UNITS; at++)
			notes->free_before += pkram_map_get(r->head, r->h.region_id, at) ==
					      PKRAM_UNIT_FREE;
	}
}

/* Damage both copies of the word of the unit map that has the object's first unit */
static void damage_map(const struct dm_record *d)
{
	struct dm_region *r = dm_region(d->rec.extents[0].region_id);
	uint32_t word = d->rec.extents[0].region_unit / PKRAM_MAP_WORD_UNITS, i;

	for (i = 0; i < PKRAM_MAP_WORD_UNITS; i++)
		notes->free_unknown += pkram_map_get(r->head, r->h.region_id,
				word * PKRAM_MAP_WORD_UNITS + i) == PKRAM_UNIT_FREE;
	r->head[PKRAM_HEAD_MAP_A + word * 8 + 1] ^= 4;
	r->head[PKRAM_HEAD_MAP_B + word * 8 + 6] ^= 1;
}

/* Move an object to units that share no word of the map with another object */
static void move_away(struct dm_record *d, struct dm_region *r)
{
	uint32_t unit = r->h.nr_gib * PKRAM_GIB_UNITS - 32, i;
	uint8_t *from, *to;

	for (i = 0; i < d->rec.extents[0].nr_units; i++) {
		from = dm_map(dm_region(d->rec.extents[0].region_id)->base +
			      (d->rec.extents[0].region_unit + i) * PKRAM_UNIT, PKRAM_UNIT);
		to = dm_map(r->base + (unit + i) * PKRAM_UNIT, PKRAM_UNIT);
		memcpy(to, from, PKRAM_UNIT);
		pkram_map_set(r->head, r->h.region_id, unit + i, 1, PKRAM_UNIT_WRITTEN);
		munmap(from, PKRAM_UNIT);
		munmap(to, PKRAM_UNIT);
	}
	pkram_map_set(dm_region(d->rec.extents[0].region_id)->head,
		      d->rec.extents[0].region_id, d->rec.extents[0].region_unit,
		      d->rec.extents[0].nr_units, PKRAM_UNIT_FREE);
	d->rec.extents[0].region_id = r->h.region_id;
	d->rec.extents[0].region_unit = unit;
	dm_commit(d);
}

/* Free units that a damaged extent names are kept back as well; count them */
static void claims_falsely(const struct dm_record *d, const char *name)
{
	const struct pkram_extent *e = &d->rec.extents[0];
	struct dm_region *r = dm_region(e->region_id);
	uint32_t i, n = 0;

	for (i = e->region_unit; i < e->region_unit + e->nr_units; i++)
		n += i < r->h.nr_gib * PKRAM_GIB_UNITS &&
		     pkram_map_get(r->head, e->region_id, i) == PKRAM_UNIT_FREE;
	notes->claimed[file(name) - files] = n;
	notes->free_claimed += n;
}

static void patch(struct dm_record *d, void (*fn)(struct pkram_record_ser *ser))
{
	d->rec.seq++;
	pkram_record_encode(dm_buf, &d->rec, dm_seed());
	fn((struct pkram_record_ser *)dm_buf);
	dm_sign(dm_buf);
	dm_put(d, dm_buf);
}

static void patch_short(struct pkram_record_ser *ser)
{
	ser->len -= sizeof(struct pkram_extent_ser);
}

static void patch_kind(struct pkram_record_ser *ser)
{
	ser->kind = 9;
}

static void patch_labels(struct pkram_record_ser *ser)
{
	ser->data[0] = 200;	/* a name longer than the area */
}

static void patch_root(struct pkram_record_ser *ser)
{
	ser->mtime.nsec = ~0U;
}

static void flip(struct dm_record *d, bool both)
{
	d->a[offsetof(struct pkram_record_ser, size) + 1] ^= 0x10;
	if (both)
		d->a[d->slot + offsetof(struct pkram_record_ser, mtime)] ^= 0x01;
}

TEST_F(damage, damages_records)
{
	struct dm_record *d;

	ASSERT_LE(2, dm_find_regions());
	ASSERT_EQ(NR_FILES + 1, dm_find_records());
	d = dm_find("map");
	ASSERT_EQ(1, d->rec.nr_extents);
	move_away(d, &dm_regions[0]);
	take_notes(_metadata);

	damage_map(d);
	flip(dm_find("lostdir"), true);
	flip(dm_find("flip1"), false);
	flip(dm_find("flip2"), true);
	patch(dm_find("short"), patch_short);
	d = dm_find("outside");
	d->rec.extents[0].region_unit = dm_region(d->rec.extents[0].region_id)->h.nr_gib *
					PKRAM_GIB_UNITS - 1;
	dm_commit(d);
	claims_falsely(d, "outside");
	d = dm_find("head");
	d->rec.extents[0].region_unit = 0;
	dm_commit(d);
	claims_falsely(d, "head");
	d = dm_find("overlap1");
	d->rec.extents[0] = dm_find("overlap0")->rec.extents[0];
	d->rec.extents[0].nr_units = 1;
	dm_commit(d);
	d = dm_find("dupname");
	strcpy(d->rec.name, "good0");
	d->rec.name_len = 5;
	dm_commit(d);
	d = dm_find("dupid1");
	d->rec.id = dm_find("dupid0")->rec.id;
	dm_commit(d);
	d = dm_find("size");
	d->rec.size = 1ULL << 63;
	dm_commit(d);
	patch(dm_find("kind"), patch_kind);
	patch(dm_find("labels"), patch_labels);
	d = dm_find("region");
	d->rec.extents[0].region_id ^= 0x5555;
	dm_commit(d);
	d = dm_find("seal");
	d->rec.seal.state = 7;
	dm_commit(d);
	d = dm_find("cookie");
	d->rec.seal.cookie[3] = 7;
	dm_commit(d);
	patch(dm_find(""), patch_root);
}

/* Check the quarantined objects; the result is the same in each later kernel */
static void check_quarantine(struct __test_metadata *_metadata)
{
	struct pkram_object *list, *o;
	struct pkram_ctx *ctx;
	int nameless = 0, i;

	ASSERT_EQ(0, pkram_open(&ctx));
	ASSERT_EQ(0, pkram_object_dump(ctx, &list));
	for (i = 0; i < NR_FILES; i++) {
		const char *name = strcmp(files[i].name, "dupname") ? files[i].name : "good0";

		if (files[i].fate == NAMELESS)
			nameless++;
		if (files[i].fate != NAMED)
			continue;
		for (o = list; o; o = o->next)
			if (o->quarantine && o->name && !strcmp(o->name + 1, name))
				break;
		ASSERT_NE(NULL, o) {
			TH_LOG("%s is not quarantined", files[i].name);
		}
		EXPECT_NE(NULL, strstr(o->quarantine, files[i].reason)) {
			TH_LOG("%s: \"%s\"", files[i].name, o->quarantine);
		}
	}
	for (o = list; o; o = o->next)
		nameless -= o->quarantine && !o->name;
	EXPECT_EQ(0, nameless);
	pkram_object_free(list);
	pkram_close(ctx);
}

static int nr_of(enum fate fate)
{
	int i, n = 0;

	for (i = 0; i < NR_FILES; i++)
		n += files[i].fate == fate;
	return n;
}

static void check_good(struct __test_metadata *_metadata)
{
	struct stat st;
	int i, nr;

	for (i = 0; i < NR_FILES; i++) {
		if (files[i].fate != GOOD && files[i].fate != ORPHAN)
			continue;
		ASSERT_EQ(0, stat(path_of(&files[i]), &st)) {
			TH_LOG("%s: %m", path_of(&files[i]));
		}
		EXPECT_EQ(notes->ids[i], st.st_ino);
		if (files[i].dir)
			continue;
		EXPECT_EQ(0, pool_file_check(path_of(&files[i]), FILE_SIZE, i + 1)) {
			TH_LOG("%s differs", path_of(&files[i]));
		}
		EXPECT_EQ(sizeof(nr), getxattr(path_of(&files[i]), "user.nr", &nr,
					       sizeof(nr)));
		EXPECT_EQ(i, nr);
	}
}

/* Fill all free memory with a byte; return its size */
static long long fill_up(const char *path, int byte)
{
	static char buf[2 * MIB];
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	long long n = 0;
	ssize_t ret;

	memset(buf, byte, sizeof(buf));
	while ((ret = write(fd, buf, sizeof(buf))) > 0)
		n += ret;
	if (ret == 0 || errno != ENOSPC)
		n = -errno;
	close(fd);
	return n;
}

/* Load a copy of the notes from a file: the module has made their memory exclusive */
static void load_notes(struct __test_metadata *_metadata)
{
	int fd = open("/run/notes", O_RDONLY);

	notes = calloc(1, sizeof(*notes));
	ASSERT_LE(0, fd);
	ASSERT_EQ(sizeof(*notes), read(fd, notes, sizeof(*notes)));
	close(fd);
}

static void keep_notes(struct __test_metadata *_metadata)
{
	int fd = open("/run/notes", O_CREAT | O_WRONLY, 0600);

	ASSERT_LT(0, dm_find_regions());
	notes = (struct notes *)(dm_regions[0].head + DM_NOTES);
	ASSERT_EQ(sizeof(*notes), write(fd, notes, sizeof(*notes)));
	close(fd);
}

TEST_F(damage, damaged_objects_are_quarantined_by_name)
{
	char *out;

	keep_notes(_metadata);
	ASSERT_EQ(0, pool_up(NULL));
	EXPECT_EQ(nr_of(NAMED) + nr_of(NAMELESS), pool_number("quarantined"));
	EXPECT_EQ(nr_of(GOOD) + nr_of(ORPHAN), pool_number("objects"));
	check_quarantine(_metadata);
	EXPECT_TRUE(vm_kmsg_has("\"overlap0\" quarantined: shares memory with another object"));
	EXPECT_TRUE(vm_kmsg_has("\"size\" quarantined: the size is not possible"));
	EXPECT_TRUE(vm_kmsg_has("quarantined: both copies fail their checksum"));
	EXPECT_TRUE(vm_kmsg_has("root directory's record is lost"));
	ASSERT_EQ(0, vm_run(&out, CTL "-j object show"));
	EXPECT_NE(NULL, strstr(out, "\"quarantine\":\"another object has the same name"));
	free(out);
}

TEST_F(damage, open_of_quarantined_object_is_euclean)
{
	struct stat st;
	int i;

	for (i = 0; i < NR_FILES; i++) {
		const char *path = path_of(&files[i]);

		/* Its name is the name of an intact object. */
		if (files[i].fate != NAMED || !strcmp(files[i].name, "dupname"))
			continue;
		EXPECT_EQ(-1, open(path, O_RDONLY)) {
			TH_LOG("%s opens", path);
		}
		EXPECT_EQ(EUCLEAN, errno);
		EXPECT_EQ(-1, open(path, O_RDWR | O_CREAT, 0600));
		EXPECT_EQ(EUCLEAN, errno);
		EXPECT_EQ(-1, stat(path, &st));
		EXPECT_EQ(EUCLEAN, errno);
		EXPECT_EQ(-1, unlink(path));
		EXPECT_EQ(EUCLEAN, errno);
		EXPECT_EQ(-1, rename(PKRAM_MNT "/good1", path));
		EXPECT_EQ(EUCLEAN, errno);
	}
	EXPECT_EQ(-1, stat(PKRAM_MNT "/flip2", &st));
	EXPECT_EQ(ENOENT, errno);
}

TEST_F(damage, damaged_root_is_replaced_with_mode_0700)
{
	struct stat st;

	ASSERT_EQ(0, stat(PKRAM_MNT, &st));
	EXPECT_EQ(S_IFDIR | 0700, st.st_mode);
	EXPECT_EQ(1, st.st_ino);
}

TEST_F_TIMEOUT(damage, undamaged_objects_are_intact, 300)
{
	struct stat st;

	load_notes(_metadata);
	check_good(_metadata);
	/* The new file is usable. */
	ASSERT_EQ(0, pool_file_fill(PKRAM_MNT "/new", 3 * MIB, 77));
	ASSERT_EQ(0, stat(PKRAM_MNT "/new", &st));
	EXPECT_LT(notes->ids[NR_FILES - 1], st.st_ino);
	ASSERT_EQ(0, pool_file_fill(PKRAM_MNT "/good2", FILE_SIZE, 78));
	ASSERT_EQ(0, pool_file_fill(PKRAM_MNT "/good2", FILE_SIZE,
				    file("good2") - files + 1));
	EXPECT_EQ(0, setxattr(PKRAM_MNT "/good2", "user.nr",
			      &(int){ file("good2") - files }, sizeof(int), 0));
	ASSERT_EQ(0, rename(PKRAM_MNT "/good2", PKRAM_MNT "/x"));
	ASSERT_EQ(0, rename(PKRAM_MNT "/x", PKRAM_MNT "/good2"));
	ASSERT_EQ(0, mkdir(PKRAM_MNT "/newdir", 0755));
	ASSERT_EQ(0, rmdir(PKRAM_MNT "/newdir"));
	ASSERT_EQ(0, unlink(PKRAM_MNT "/new"));
	check_good(_metadata);
}

TEST_F_TIMEOUT(damage, quarantined_memory_is_not_allocated, 300)
{
	long long free;

	load_notes(_metadata);
	TH_LOG("%llu units free before, %llu of them unknown",
	       (unsigned long long)notes->free_before,
	       (unsigned long long)notes->free_unknown);
	/* All memory of damaged objects is kept, as some records cannot be read. */
	free = (notes->free_before - notes->free_unknown - notes->free_claimed) * PKRAM_UNIT;
	EXPECT_EQ(free, pool_number("free"));
	EXPECT_EQ(free, fill_up(PKRAM_MNT "/full", 0xee));
	EXPECT_EQ(0, pool_number("free"));
	check_good(_metadata);
}

STAGE(again)

TEST_F_TIMEOUT(again, contents_of_quarantined_objects_are_intact, 300)
{
	uint32_t e;
	int i;

	keep_notes(_metadata);
	for (i = 0; i < NR_FILES; i++)
		for (e = 0; e < notes->nr_extents[i] && files[i].reason; e++) {
			EXPECT_EQ(-1, dm_verify(&notes->extents[i][e], FILE_SIZE, i + 1)) {
				TH_LOG("%s was overwritten", files[i].name);
			}
		}
}

TEST_F_TIMEOUT(again, quarantine_is_the_same_in_the_next_kernel, 300)
{
	load_notes(_metadata);
	ASSERT_EQ(0, pool_up(NULL));
	EXPECT_EQ(nr_of(NAMED) + nr_of(NAMELESS), pool_number("quarantined"));
	EXPECT_EQ(nr_of(GOOD) + nr_of(ORPHAN) + 1, pool_number("objects"));
	check_quarantine(_metadata);
	check_good(_metadata);
	EXPECT_EQ(0, pool_number("free"));
	/* The damaged slot was repaired, and the root was written again. */
	EXPECT_FALSE(vm_kmsg_has("root directory's record is lost"));
	ASSERT_EQ(0, unlink(PKRAM_MNT "/full"));
}

TEST_F(again, discard_of_undamaged_object_is_refused)
{
	char *out;

	load_notes(_metadata);
	EXPECT_EQ(1, vm_run(&out, CTL "object discard 0x%llx",
			    (unsigned long long)notes->ids[file("good0") - files]));
	EXPECT_NE(NULL, strstr(out, "not quarantined"));
	free(out);
	EXPECT_EQ(1, vm_run(NULL, CTL "object discard 0x7777777"));
}

static void discard(struct __test_metadata *_metadata, uint64_t key)
{
	EXPECT_EQ(0, vm_run(NULL, CTL "object discard 0x%llx", (unsigned long long)key));
}

/*
 * Memory whose owner is unknown is freed only with the last record whose contents are
 * unknown. Therefore discard these records first; each of the others then frees its own
 * memory.
 */
TEST_F_TIMEOUT(again, discard_frees_memory, 300)
{
	long long before = pool_number("free"), free;
	struct pkram_object *list, *o;
	struct pkram_ctx *ctx;
	int unknown = nr_of(NAMELESS);

	load_notes(_metadata);
	ASSERT_EQ(0, pkram_open(&ctx));
	ASSERT_EQ(0, pkram_object_dump(ctx, &list));
	for (o = list; o; o = o->next) {
		if (!o->quarantine || (o->name && !file(o->name + 1)->unknown))
			continue;
		unknown -= !o->name;
		EXPECT_EQ(before, pool_number("free"));
		discard(_metadata, o->key);
	}
	EXPECT_EQ(0, unknown);
	/* flip2, short, kind; and the former memory of outside, head, region, overlap1 */
	free = pool_number("free");
	EXPECT_EQ(before + 7 * FILE_UNITS * (long long)PKRAM_UNIT, free);
	before = free;
	for (o = list; o; o = o->next) {
		if (!o->quarantine || !o->name ||
		    (file(o->name + 1)->unknown && o->nr_extents == 0) ||
		    !strcmp(o->name, "/overlap0"))
			continue;
		discard(_metadata, o->key);
		free = pool_number("free");
		TH_LOG("%s: %lld units", o->name, (free - before) / (long long)PKRAM_UNIT);
		if (!strcmp(o->name, "/size") || !strcmp(o->name, "/good0") ||
		    !strcmp(o->name, "/labels") || !strcmp(o->name, "/seal") ||
		    !strcmp(o->name, "/cookie") || !strcmp(o->name, "/dupid0") ||
		    !strcmp(o->name, "/dupid1")) {
			EXPECT_EQ(FILE_UNITS * (long long)PKRAM_UNIT, free - before);
		} else {
			/* units that it claimed wrongly; none of unknown state */
			EXPECT_EQ(notes->claimed[file(o->name + 1) - files] *
				  (long long)PKRAM_UNIT, free - before);
		}
		before = free;
	}
	EXPECT_EQ(1, pool_number("quarantined"));
	pkram_object_free(list);
	pkram_close(ctx);
	check_good(_metadata);
}

STAGE(last)

TEST_F_TIMEOUT(last, repaired_object_leaves_quarantine, 300)
{
	keep_notes(_metadata);
	ASSERT_EQ(0, pool_up(NULL));
	EXPECT_EQ(0, pool_number("quarantined"));
	EXPECT_EQ(0, pool_file_check(PKRAM_MNT "/overlap0", FILE_SIZE,
				     file("overlap0") - files + 1));
	check_good(_metadata);
	EXPECT_EQ(0, vm_run(NULL, "rm -r " PKRAM_MNT "/*"));
	EXPECT_EQ(0, pool_number("objects"));
	EXPECT_EQ(pool_number("size") - pool_number("meta") - 16 * (long long)PKRAM_UNIT,
		  pool_number("free"));
}

TEST_HARNESS_MAIN

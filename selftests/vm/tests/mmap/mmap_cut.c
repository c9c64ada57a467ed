// SPDX-License-Identifier: GPL-2.0
/* Mappings of memory that is removed or missing: truncate, punch, unlink, holes, races */
#include <pthread.h>

#include "mmap_fixture.h"

#define PUNCH	(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)
#define READERS	3

/* Processes that map a file and read it repeatedly */
struct reader {
	pid_t pid;
	int go[2], done[2];
};

/* A reader's answer for an address */
enum { SAME = 'a', ZERO = '0', BUS = 'b', OTHER = 'x' };

static char look(const char *p, size_t at, uint64_t seed)
{
	uint64_t v;
	int sig = try_read(p + at, &v);

	if (sig)
		return sig == SIGBUS ? BUS : OTHER;
	if (!v)
		return ZERO;
	return vm_verify(&v, 8, seed, at) < 0 ? SAME : OTHER;
}

static void reader_main(struct reader *r, int fd, size_t len, uint64_t seed)
{
	char *p = map_file(fd, len), answer;
	size_t at;

	/* Fill the TLB and the page tables. */
	if (p == MAP_FAILED || marked(p, len, seed, 0) >= 0)
		_exit(1);
	if (write(r->done[1], "r", 1) != 1)
		_exit(2);
	while (read(r->go[0], &at, sizeof(at)) == sizeof(at)) {
		answer = look(p, at, seed);
		if (write(r->done[1], &answer, 1) != 1)
			_exit(3);
	}
	_exit(0);
}

static void start_readers(struct __test_metadata *_metadata, struct reader *r, int fd,
			  size_t len, uint64_t seed)
{
	char c;
	int i;

	for (i = 0; i < READERS; i++) {
		ASSERT_OK(pipe(r[i].go));
		ASSERT_OK(pipe(r[i].done));
		r[i].pid = fork();
		if (!r[i].pid) {
			for (; i >= 0; i--)
				close(r[i].go[1]);
			for (i = 0; r[i].pid; i++)
				;
			reader_main(&r[i], fd, len, seed);
		}
		close(r[i].done[1]);
		EXPECT_EQ(1, read(r[i].done[0], &c, 1));
		EXPECT_EQ('r', c);
	}
}

/* Ask all readers what they see */
#define EXPECT_ALL_SEE(what, r, where)					\
	do {								\
		size_t at_ = (where);					\
		for (int i_ = 0; i_ < READERS; i_++) {			\
			char c_ = 0;					\
			EXPECT_EQ(sizeof(at_), write((r)[i_].go[1], &at_, sizeof(at_))); \
			EXPECT_EQ(1, read((r)[i_].done[0], &c_, 1));	\
			EXPECT_EQ(what, c_) {				\
				TH_LOG("reader %d at %#zx: %c", i_, at_, c_); \
			}						\
		}							\
	} while (0)

static void stop_readers(struct __test_metadata *_metadata, struct reader *r)
{
	int i;

	for (i = 0; i < READERS; i++)
		close(r[i].go[1]);
	for (i = 0; i < READERS; i++) {
		EXPECT_EQ(0, wait_for(r[i].pid));
		close(r[i].done[0]);
	}
}

/* Allocate all free memory to files filled with a value that must not show up elsewhere */
static void take_the_rest(struct __test_metadata *_metadata, int *fds, int max)
{
	char name[32];
	int i;

	for (i = 0; i < max; i++)
		fds[i] = -1;
	for (i = 0; i < max && fs_free() >= UNIT; i++) {
		size_t n = fs_free() / UNIT * UNIT;

		snprintf(name, sizeof(name), "secret%d", i);
		fds[i] = fs_file(name, 0);
		ASSERT_LE(0, fds[i]);
		while (n >= UNIT && ftruncate(fds[i], n))
			n = n / 2 / UNIT * UNIT;
		ASSERT_LE(UNIT, n);
	}
	EXPECT_LT(fs_free(), UNIT);
}

/* Truncate and punch mapped memory */

static void truncate_mapped(struct __test_metadata *_metadata, size_t len, size_t to)
{
	struct reader r[READERS] = {};
	int fd = fs_file("file", len), other;
	char *p = map_file(fd, len);
	size_t end = (to + PAGE - 1) / PAGE * PAGE;

	ASSERT_NE(MAP_FAILED, p);
	mark(p, len, 1);
	munmap(p, len);
	start_readers(_metadata, r, fd, len, 1);
	EXPECT_ALL_SEE(SAME, r, len - PAGE);
	ASSERT_OK(ftruncate(fd, to));
	/* Reuse the freed memory and fill it. */
	other = fs_file("other", len / 2);
	if (other >= 0)
		taint(other);
	EXPECT_ALL_SEE(BUS, r, end);
	EXPECT_ALL_SEE(BUS, r, len - PAGE);
	if (to >= PAGE) {
		EXPECT_ALL_SEE(SAME, r, 0);
		EXPECT_ALL_SEE(SAME, r, (to - PAGE) / PAGE * PAGE);
	}
	/* Extend it again: new bytes are zero, old ones are unchanged. */
	ASSERT_OK(ftruncate(fd, len));
	EXPECT_ALL_SEE(ZERO, r, end);
	EXPECT_ALL_SEE(ZERO, r, len - PAGE);
	if (to >= PAGE)
		EXPECT_ALL_SEE(SAME, r, 0);
	stop_readers(_metadata, r);
	if (other >= 0) {
		EXPECT_EQ(-1, tainted(other));
		close(other);
		unlink("other");
	}
	close(fd);
	unlink("file");
}

TEST_F(map, truncate_unmaps_from_other_processes)
{
	truncate_mapped(_metadata, 64 * MIB, 0);
	truncate_mapped(_metadata, 64 * MIB, 10 * UNIT);
	truncate_mapped(_metadata, 64 * MIB, 10 * UNIT + 5 * PAGE);
	truncate_mapped(_metadata, 64 * MIB, 10 * UNIT + 5 * PAGE + 100);
}

TEST_F(map, truncate_inside_a_1g_leaf)
{
	truncate_mapped(_metadata, GIB, GIB / 2);
	truncate_mapped(_metadata, GIB, GIB / 4 + UNIT + 3 * PAGE);
}

static void punch_mapped(struct __test_metadata *_metadata, size_t len, size_t at, size_t n)
{
	struct reader r[READERS] = {};
	int fd = fs_file("file", len), fds[8];
	char *p = map_file(fd, len);
	size_t i;

	ASSERT_NE(MAP_FAILED, p);
	mark(p, len, 2);
	munmap(p, len);
	start_readers(_metadata, r, fd, len, 2);
	ASSERT_OK(fallocate(fd, PUNCH, at, n));
	/* The punched memory is reused and filled by other files. */
	take_the_rest(_metadata, fds, 8);
	for (i = 0; i < 8 && fds[i] >= 0; i++)
		if (fs_size(fds[i]) <= (off_t)n)
			taint(fds[i]);
	/* The pool is full: the hole cannot be filled. */
	EXPECT_ALL_SEE(n < UNIT ? ZERO : BUS, r, at);
	EXPECT_ALL_SEE(n < UNIT ? ZERO : BUS, r, at + n - PAGE);
	EXPECT_ALL_SEE(SAME, r, at - PAGE);
	EXPECT_ALL_SEE(SAME, r, at + n);
	for (i = 0; i < 8 && fds[i] >= 0; i++)
		close(fds[i]);
	vm_run(NULL, "rm secret*");
	EXPECT_ALL_SEE(ZERO, r, at);
	EXPECT_ALL_SEE(ZERO, r, at + n - PAGE);
	EXPECT_ALL_SEE(SAME, r, at + n);
	stop_readers(_metadata, r);
	close(fd);
	unlink("file");
}

TEST_F(map, punch_unmaps_from_other_processes)
{
	punch_mapped(_metadata, 64 * MIB, 20 * UNIT, 5 * UNIT);
	punch_mapped(_metadata, 64 * MIB, 20 * UNIT + 5 * PAGE, 7 * PAGE);
}

TEST_F(map, punch_a_1g_leaf)
{
	punch_mapped(_metadata, GIB, GIB / 2, 10 * UNIT);
	punch_mapped(_metadata, GIB, GIB / 2 + PAGE, PAGE);
}

TEST_F(map, unlinked_file_stays_mapped_until_munmap)
{
	struct reader r[READERS] = {};
	uint64_t free = fs_free();
	int fd = fs_file("file", GIB), other;
	char *p = map_file(fd, GIB);

	ASSERT_NE(MAP_FAILED, p);
	mark(p, GIB, 3);
	start_readers(_metadata, r, fd, GIB, 3);
	close(fd);
	ASSERT_OK(unlink("file"));
	EXPECT_EQ(free - GIB, fs_free());
	other = fs_file("other", fs_free() > GIB ? GIB : UNIT);
	ASSERT_LE(0, other);
	taint(other);
	EXPECT_MARKED(p, GIB, 3, 0);
	EXPECT_ALL_SEE(SAME, r, GIB - PAGE);
	munmap(p, GIB);
	EXPECT_ALL_SEE(SAME, r, 0);
	close(other);
	unlink("other");
	EXPECT_EQ(free - GIB, fs_free());
	stop_readers(_metadata, r);
	EXPECT_EQ(free, fs_free());
	EXPECT_EQ(0, pool_number("pending"));
}

/* Two objects share a GiB, which is one folio on the newest kernels. */
TEST_F(map, freed_part_of_a_mapped_gib_is_free_at_once)
{
	uint64_t free = fs_free();
	int fd = fs_file("file", GIB), other;
	char *p = map_file(fd, GIB), *q;
	struct stat st;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_TRUE(has_whole_gib(fd));
	mark(p, GIB, 3);
	EXPECT_OK(fallocate(fd, PUNCH, GIB / 2, GIB / 2));
	EXPECT_MARKED(p, GIB / 2, 3, 0);
	EXPECT_EQ(0, pool_number("pending"));
	EXPECT_EQ(free - GIB / 2, fs_free());

	/* The rest of the pool is taken, so that another file gets what was punched. */
	other = fs_file("rest", fs_free() - GIB / 2);
	ASSERT_LE(0, other);
	close(other);
	other = fs_file("other", fs_free() / UNIT * UNIT);
	ASSERT_LE(0, other);
	ASSERT_OK(fstat(other, &st));
	q = map_file(other, st.st_size);
	ASSERT_NE(MAP_FAILED, q);
	mark(q, st.st_size, 9);
	EXPECT_MARKED(p, GIB / 2, 3, 0);
	EXPECT_MARKED(q, st.st_size, 9, 0);

	/* It is removed while the first one is mapped. */
	EXPECT_OK(munmap(q, st.st_size));
	close(other);
	EXPECT_OK(unlink("other"));
	EXPECT_OK(unlink("rest"));
	EXPECT_EQ(0, pool_number("pending"));
	EXPECT_EQ(free - GIB / 2, fs_free());
	EXPECT_MARKED(p, GIB / 2, 3, 0);
	EXPECT_OK(munmap(p, GIB));
	close(fd);
}

TEST_F(map, last_page_is_zero_past_eof)
{
	int fd = fs_file("file", UNIT);
	char *p = map_file(fd, UNIT);

	ASSERT_NE(MAP_FAILED, p);
	memset(p, 0xff, UNIT);
	ASSERT_OK(ftruncate(fd, 100));
	EXPECT_EQ((char)0xff, p[99]);
	EXPECT_EQ(-1, vm_verify_zero(p + 100, PAGE - 100));
	EXPECT_EQ(SIGBUS, try_read(p + PAGE, NULL));
	/* Data written there does not become part of the file. */
	p[200] = 1;
	ASSERT_OK(ftruncate(fd, UNIT));
	EXPECT_EQ(-1, vm_verify_zero(p + 100, UNIT - 100));
	close(fd);
}

/* Holes */

TEST_F(map, page_fault_fills_a_hole)
{
	int fd = fs_file("file", 16 * UNIT);
	char *p = map_file(fd, 16 * UNIT);

	ASSERT_NE(MAP_FAILED, p);
	memset(p, 0xff, 16 * UNIT);
	ASSERT_OK(fallocate(fd, PUNCH, 0, 16 * UNIT));
	EXPECT_EQ(0, fs_blocks(fd));
	EXPECT_LEAVES(fd, 0, 0, 0);
	EXPECT_EQ(0, try_write(p + 3 * UNIT + 8, 1));
	EXPECT_EQ(0, try_read(p + 5 * UNIT + 16, NULL));
	EXPECT_EQ(2 * UNIT, fs_blocks(fd));
	EXPECT_EQ(1, *(uint64_t *)(p + 3 * UNIT + 8));
	*(uint64_t *)(p + 3 * UNIT + 8) = 0;
	EXPECT_EQ(-1, vm_verify_zero(p, 16 * UNIT));
	EXPECT_EQ(16 * UNIT, fs_blocks(fd));
	close(fd);
}

TEST_F(map, fault_in_full_pool_is_sigbus)
{
	int fd = fs_file("file", 4 * UNIT), fds[8], i;
	char *p = map_file(fd, 4 * UNIT), buf[8];

	ASSERT_NE(MAP_FAILED, p);
	memset(p, 0xff, 4 * UNIT);
	ASSERT_OK(fallocate(fd, PUNCH, UNIT, UNIT));
	take_the_rest(_metadata, fds, 8);
	EXPECT_EQ(SIGBUS, try_read(p + UNIT, NULL));
	EXPECT_EQ(SIGBUS, try_write(p + UNIT, 1));
	EXPECT_EQ(SIGBUS, try_read(p + 2 * UNIT - 8, NULL));
	EXPECT_EQ(0, try_read(p + 2 * UNIT, NULL));
	/* A system call fails without a signal. */
	EXPECT_EQ(8, pread(fd, buf, 8, UNIT));
	EXPECT_ERR(EFAULT, pread(fds[0], p + UNIT, 8, 0));
	EXPECT_ERR(ENOSPC, pwrite(fd, buf, 8, UNIT));
	for (i = 0; i < 8 && fds[i] >= 0; i++)
		close(fds[i]);
	vm_run(NULL, "rm secret*");
	EXPECT_EQ(0, try_write(p + UNIT, 1));
	close(fd);
}

TEST_F(map, truncate_up_reserves_memory)
{
	int fd = fs_file("file", 0), more = fs_file("more", 0), fds[8];
	size_t len = 40 * UNIT;
	char *p, *q;

	ASSERT_OK(ftruncate(fd, len));
	ASSERT_OK(fallocate(more, 0, 0, len));
	take_the_rest(_metadata, fds, 8);
	EXPECT_ERR(ENOSPC, ftruncate(fd, len + 2 * UNIT));
	EXPECT_EQ(len, fs_size(fd));
	p = map_file(fd, len);
	q = map_file(more, len);
	/* None of these may die. */
	mark(p, len, 4);
	mark(q, len, 5);
	EXPECT_MARKED(p, len, 4, 0);
	EXPECT_MARKED(q, len, 5, 0);
	close(fd);
	close(more);
}

TEST_F(map, new_memory_is_zero)
{
	size_t len = fs_free() / UNIT * UNIT, i;
	int fds[8], fd;
	char *p;

	take_the_rest(_metadata, fds, 8);
	for (i = 0; i < 8 && fds[i] >= 0; i++) {
		taint(fds[i]);
		close(fds[i]);
	}
	vm_run(NULL, "rm secret*");
	/* By 1G leaves where possible, by smaller ones otherwise */
	fd = fs_file("file", 0);
	ASSERT_LE(0, fd);
	if (ftruncate(fd, len))
		ASSERT_OK(ftruncate(fd, len -= UNIT));
	p = map_file(fd, len);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(-1, vm_verify_zero(p, len));
	munmap(p, len);
	taint(fd);
	close(fd);
	unlink("file");
	fd = fs_file("small", 9 * UNIT + 3 * PAGE);
	p = map_file(fd, 10 * UNIT);
	EXPECT_EQ(-1, vm_verify_zero(p, 9 * UNIT + 3 * PAGE));
	close(fd);
}

/* Races: several threads touch the memory while one thread changes the mapping or file. */

struct race {
	int fd;
	char *p;
	size_t len;
	uint64_t seed;
	bool may_be_zero;
	bool stop;
	int bad;
	uint64_t touched;
};

static void *racing_reader(void *arg)
{
	struct race *r = arg;
	unsigned int rnd = (uintptr_t)&rnd >> 4;
	uint64_t v;

	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		size_t at = rand_r(&rnd) % (r->len / PAGE) * PAGE;
		int sig = try_read(r->p + at, &v);

		__atomic_add_fetch(&r->touched, 1, __ATOMIC_RELAXED);
		if (sig || (r->may_be_zero && !v) || vm_verify(&v, 8, r->seed, at) < 0)
			continue;
		__atomic_add_fetch(&r->bad, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Writes next to the marks */
static void *racing_writer(void *arg)
{
	struct race *r = arg;
	unsigned int rnd = (uintptr_t)&rnd >> 5;

	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		size_t at = rand_r(&rnd) % (r->len / PAGE) * PAGE + 64;

		try_write(r->p + at, rnd);
	}
	return NULL;
}

static void race(struct __test_metadata *_metadata, struct race *r, size_t len,
		 void (*change)(struct race *r, unsigned int *rnd))
{
	pthread_t t[3];
	double end;
	unsigned int rnd = 1;
	uint64_t rounds = 0;
	int i;

	r->len = len;
	r->seed = 6;
	r->fd = fs_file("file", len);
	r->p = map_file(r->fd, len);
	ASSERT_NE(MAP_FAILED, r->p);
	mark(r->p, len, r->seed);
	for (i = 0; i < 3; i++)
		ASSERT_OK(pthread_create(&t[i], NULL, i < 2 ? racing_reader : racing_writer,
					 r));
	for (end = vm_now() + 6; vm_now() < end; rounds++)
		change(r, &rnd);
	__atomic_store_n(&r->stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	EXPECT_EQ(0, r->bad);
	TH_LOG("%llu changes, %llu reads", (unsigned long long)rounds,
	       (unsigned long long)r->touched);
	EXPECT_LT(0, rounds);
	munmap(r->p, len);
	EXPECT_LEAVES(r->fd, 0, 0, 0);
	if (!r->may_be_zero) {
		r->p = map_file(r->fd, len);
		EXPECT_MARKED(r->p, len, r->seed, 0);
		munmap(r->p, len);
	}
	close(r->fd);
	unlink("file");
}

static char *some_page(struct race *r, unsigned int *rnd)
{
	return r->p + rand_r(rnd) % (r->len / PAGE) * PAGE;
}

static void change_protection(struct race *r, unsigned int *rnd)
{
	char *at = some_page(r, rnd);

	mprotect(at, PAGE, PROT_READ);
	mprotect(at, PAGE, RW);
	mprotect(r->p, r->len, PROT_READ);
	mprotect(r->p, r->len, RW);
}

static void change_advice(struct race *r, unsigned int *rnd)
{
	madvise(some_page(r, rnd), PAGE, MADV_DONTNEED);
	madvise(r->p, r->len, MADV_DONTNEED);
}

static void change_mapping(struct race *r, unsigned int *rnd)
{
	char *at = some_page(r, rnd);

	munmap(at, PAGE);
	map_file_at(r->fd, at, PAGE, at - r->p);
	if (rand_r(rnd) % 16 == 0)
		map_file_at(r->fd, r->p, r->len, 0);
}

static void change_place(struct race *r, unsigned int *rnd)
{
	static char *away;

	if (!away)
		away = reserve(r->len, PAGE);
	if (mremap(r->p, r->len, r->len, MREMAP_MAYMOVE | MREMAP_FIXED, away) == MAP_FAILED)
		return;
	if (mremap(away, r->len, r->len, MREMAP_MAYMOVE | MREMAP_FIXED, r->p) == MAP_FAILED)
		r->bad++;
}

static void change_hole(struct race *r, unsigned int *rnd)
{
	off_t at = rand_r(rnd) % (r->len / UNIT) * UNIT;

	fallocate(r->fd, PUNCH, at, UNIT);
}

static void change_size(struct race *r, unsigned int *rnd)
{
	static int other;
	static char buf[PAGE];

	if (!other)
		other = fs_file("other", 0);
	memset(buf, 0xff, sizeof(buf));
	ftruncate(r->fd, r->len / 2 + PAGE * (rand_r(rnd) % 1000));
	ftruncate(other, 8 * UNIT);
	for (int i = 0; i < 8; i++)
		pwrite(other, buf, sizeof(buf), i * UNIT + PAGE);
	ftruncate(r->fd, r->len);
	ftruncate(other, 0);
}

static void change_tables(struct race *r, unsigned int *rnd)
{
	struct pkram_ioc_leaves l = leaves(r->fd);
	unsigned char vec[512];
	pid_t pid;

	if (l.leaves_1g > 1)
		r->bad++;
	mincore(r->p, UNIT, vec);
	madvise(r->p, r->len, MADV_COLD);
	free(vm_read_file("/proc/self/smaps"));
	pid = fork();
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
}

TEST_F(map, race_mprotect)
{
	race(_metadata, &(struct race){}, GIB, change_protection);
	race(_metadata, &(struct race){}, 8 * UNIT, change_protection);
}

TEST_F(map, race_dontneed)
{
	race(_metadata, &(struct race){}, GIB, change_advice);
	race(_metadata, &(struct race){}, 8 * UNIT, change_advice);
}

TEST_F(map, race_munmap)
{
	race(_metadata, &(struct race){}, GIB, change_mapping);
	race(_metadata, &(struct race){}, 8 * UNIT, change_mapping);
}

TEST_F(map, race_mremap)
{
	race(_metadata, &(struct race){}, GIB, change_place);
}

TEST_F(map, race_walks_and_fork)
{
	race(_metadata, &(struct race){}, GIB, change_tables);
}

TEST_F(map, race_punch)
{
	race(_metadata, &(struct race){ .may_be_zero = true }, GIB, change_hole);
}

TEST_F(map, race_truncate)
{
	race(_metadata, &(struct race){ .may_be_zero = true }, GIB, change_size);
}

/* Afterwards */

TEST(module_unloads_when_pool_is_empty)
{
	ASSERT_OK(chdir("/"));
	if (!vm_module_loaded("pkram"))
		ASSERT_OK(pool_up(NULL));
	ASSERT_OK(fs_mount());
	ASSERT_OK(fs_empty(PKRAM_MNT));
	EXPECT_EQ(0, pool_number("pending"));
	EXPECT_EQ(0, pool_number("objects"));
	EXPECT_OK(pool_down());
	/* The pool can be attached again. */
	EXPECT_OK(pool_up(NULL));
	EXPECT_OK(pool_down());
}

TEST_HARNESS_MAIN

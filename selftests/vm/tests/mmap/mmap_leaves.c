// SPDX-License-Identifier: GPL-2.0
/* Mappings: sizes of leaves, and operations on a part of one */
#include "mmap_fixture.h"

/* Sizes of leaves */

TEST_F(map, aligned_gib_gets_one_1g_leaf)
{
	int fd = fs_file("file", GIB);
	char *p, buf[PAGE];

	ASSERT_LE(0, fd);
	ASSERT_TRUE(has_whole_gib(fd));
	p = map_file(fd, GIB);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(0, (uintptr_t)p % GIB);
	EXPECT_LEAVES(fd, 0, 0, 0);
	EXPECT_EQ(0, *(volatile char *)(p + GIB / 3));
	EXPECT_LEAVES(fd, 1, 0, 0);
	EXPECT_EQ(-1, vm_verify_zero(p, GIB));
	mark(p, GIB, 1);
	EXPECT_LEAVES(fd, 1, 0, 0);
	/* Data written through a mapping is visible to read(2), and the other way around. */
	EXPECT_EQ(PAGE, pread(fd, buf, PAGE, 700 * MIB));
	EXPECT_MARKED(buf, PAGE, 1, 700 * MIB);
	EXPECT_EQ(5, pwrite(fd, "hello", 5, GIB - 5));
	EXPECT_EQ(0, memcmp(p + GIB - 5, "hello", 5));
	ASSERT_OK(munmap(p, GIB));
	EXPECT_LEAVES(fd, 0, 0, 0);
	p = map_file(fd, GIB);
	EXPECT_MARKED(p, GIB, 1, 0);
	EXPECT_LEAVES(fd, 1, 0, 0);
	ASSERT_OK(munmap(p, GIB));
	close(fd);
}

TEST_F(map, leaves_count_per_mapping)
{
	int fd = fs_file("file", GIB), to_child[2], to_parent[2];
	char *p = map_file(fd, GIB), *q = map_file(fd, GIB), c;
	pid_t pid;

	ASSERT_TRUE(has_whole_gib(fd));
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_NE(MAP_FAILED, q);
	*p = 'a';
	EXPECT_EQ('a', *q);
	EXPECT_LEAVES(fd, 2, 0, 0);
	ASSERT_OK(pipe(to_child));
	ASSERT_OK(pipe(to_parent));
	IN_CHILD(pid) {
		char d = p[0] == 'a' ? q[0] : 'x';

		write(to_parent[1], &d, 1);
		read(to_child[0], &d, 1);
	}
	EXPECT_EQ(1, read(to_parent[0], &c, 1));
	EXPECT_EQ('a', c);
	EXPECT_LEAVES(fd, 4, 0, 0);
	write(to_child[1], "x", 1);
	EXPECT_EQ(0, wait_for(pid));
	EXPECT_LEAVES(fd, 2, 0, 0);
	close(fd);
}

TEST_F(map, small_file_gets_2m_leaves)
{
	int fd = fs_file("file", 64 * MIB);
	char *p = map_file(fd, 64 * MIB);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(0, (uintptr_t)p % UNIT);
	mark(p, 64 * MIB, 2);
	EXPECT_LEAVES(fd, 0, 32, 0);
	EXPECT_MARKED(p, 64 * MIB, 2, 0);
	close(fd);
}

TEST_F(map, rest_of_a_gib_gets_2m_leaves)
{
	int fd = fs_file("file", GIB + 8 * MIB);
	char *p = map_file(fd, GIB + 8 * MIB);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_TRUE(has_whole_gib(fd));
	mark(p, GIB + 8 * MIB, 3);
	EXPECT_LEAVES(fd, 1, 4, 0);
	EXPECT_MARKED(p, GIB + 8 * MIB, 3, 0);
	close(fd);
}

TEST_F(map, misaligned_address_gets_smaller_leaves)
{
	int fd = fs_file("file", GIB), small = fs_file("small", 64 * MIB);
	char *p = reserve(GIB, 2 * MIB), *q;

	ASSERT_TRUE(has_whole_gib(fd));
	ASSERT_NE(NULL, p);
	ASSERT_EQ(p, map_file_at(fd, p, GIB, 0));
	*p = 1;
	p[GIB - 1] = 2;
	if (leaves_are_folios())
		EXPECT_LEAVES(fd, 0, 0, 2);
	else
		EXPECT_LEAVES(fd, 0, 2, 0);
	ASSERT_EQ(p, map_file_at(small, p, 64 * MIB, 0));
	mark(p, 64 * MIB, 4);
	EXPECT_LEAVES(small, 0, 32, 0);
	munmap(p, GIB);

	q = reserve(64 * MIB, 4 * PAGE);
	ASSERT_EQ(q, map_file_at(small, q, 64 * MIB, 0));
	EXPECT_MARKED(q, 64 * MIB, 4, 0);
	EXPECT_LEAVES(small, 0, 0, 64 * MIB / PAGE);
	ASSERT_EQ(q, map_file_at(fd, q, GIB, 0));
	EXPECT_EQ(1, *q);
	EXPECT_EQ(2, q[GIB - 1]);
	EXPECT_LEAVES(fd, 0, 0, 2);
	close(small);
	close(fd);
}

TEST_F(map, vma_of_part_of_a_gib_gets_2m_leaves)
{
	int fd = fs_file("file", 2 * GIB);
	char *p;

	ASSERT_LE(0, fd);
	ASSERT_TRUE(has_whole_gib(fd));
	p = map_file(fd, 2 * GIB);
	mark(p, 2 * GIB, 5);
	EXPECT_LEAVES(fd, 2, 0, 0);
	munmap(p, 2 * GIB);
	/* From the middle of one GiB to the middle of the next */
	p = map_file_at(fd, NULL, GIB, GIB / 2);
	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(GIB / 2, (uintptr_t)p % GIB);
	EXPECT_EQ(-1, marked(p, PAGE, 5, GIB / 2));
	EXPECT_EQ(-1, marked(p + GIB - PAGE, PAGE, 5, GIB / 2 + GIB - PAGE));
	if (leaves_are_folios())
		EXPECT_LEAVES(fd, 0, 0, 2);
	else
		EXPECT_LEAVES(fd, 0, 2, 0);
	munmap(p, GIB);
	/* All but the last page */
	p = map_file(fd, 2 * GIB - PAGE);
	EXPECT_EQ(-1, marked(p + GIB, PAGE, 5, GIB));
	EXPECT_EQ(-1, marked(p, PAGE, 5, 0));
	EXPECT_EQ(-1, marked(p + 2 * GIB - 2 * PAGE, PAGE, 5, 2 * GIB - 2 * PAGE));
	if (leaves_are_folios())
		EXPECT_LEAVES(fd, 1, 0, 2);
	else
		EXPECT_LEAVES(fd, 1, 1, 1);
	close(fd);
}

TEST_F(map, tail_gets_4k_leaves_up_to_eof)
{
	size_t size = UNIT + 5 * KIB;
	int fd = fs_file("file", size);
	char *p = map_file(fd, 2 * UNIT);

	ASSERT_NE(MAP_FAILED, p);
	EXPECT_EQ(0, try_write(p, 1));
	EXPECT_EQ(0, try_write(p + UNIT, 2));
	EXPECT_EQ(0, try_write(p + UNIT + PAGE, 3));
	EXPECT_LEAVES(fd, 0, 1, 2);
	EXPECT_EQ(SIGBUS, try_read(p + UNIT + 2 * PAGE, NULL));
	EXPECT_EQ(SIGBUS, try_write(p + UNIT + 2 * PAGE, 4));
	EXPECT_EQ(SIGBUS, try_read(p + 2 * UNIT - 8, NULL));
	EXPECT_EQ(2 * UNIT, fs_blocks(fd));
	/* The mapping extends with the file. */
	ASSERT_OK(ftruncate(fd, 2 * UNIT));
	EXPECT_EQ(0, try_write(p + UNIT + 2 * PAGE, 4));
	EXPECT_EQ(2, *(uint64_t *)(p + UNIT));
	close(fd);
}

TEST_F(map, without_thp_leaves_are_4k)
{
	int fd = fs_file("file", GIB);
	char *p = map_file(fd, GIB);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_OK(madvise(p, GIB, MADV_NOHUGEPAGE));
	mark(p, UNIT, 6);
	EXPECT_LEAVES(fd, 0, 0, 512);
	ASSERT_OK(madvise(p, GIB, MADV_HUGEPAGE));
	EXPECT_MARKED(p, UNIT, 6, 0);
	munmap(p, GIB);
	close(fd);
}

/* Parts of leaves: @len is the size of the leaf */

static void unmap_a_part(struct __test_metadata *_metadata, size_t len)
{
	int fd = fs_file("file", len);
	size_t at = len / 2 + 3 * PAGE;
	char *p = map_file(fd, len);

	ASSERT_NE(MAP_FAILED, p);
	mark(p, len, 7);
	EXPECT_LEAVES(fd, len == GIB, len == UNIT, 0);
	ASSERT_OK(munmap(p + at, PAGE));
	EXPECT_EQ(SIGSEGV, try_read(p + at, NULL));
	EXPECT_EQ(0, leaves(fd).leaves_1g);
	EXPECT_MARKED(p, at, 7, 0);
	EXPECT_MARKED(p + at + PAGE, len - at - PAGE, 7, at + PAGE);
	/* Head and tail */
	ASSERT_OK(munmap(p, PAGE));
	ASSERT_OK(munmap(p + len - PAGE, PAGE));
	EXPECT_MARKED(p + PAGE, at - PAGE, 7, PAGE);
	mark(p + PAGE, at - PAGE, 8);
	ASSERT_OK(munmap(p, len));
	EXPECT_LEAVES(fd, 0, 0, 0);
	p = map_file(fd, len);
	EXPECT_MARKED(p + PAGE, at - PAGE, 8, 0);
	EXPECT_MARKED(p + at, len - at, 7, at);
	munmap(p, len);
	close(fd);
}

TEST_F(map, munmap_page_splits_1g_leaf)
{
	unmap_a_part(_metadata, GIB);
}

TEST_F(map, munmap_page_splits_2m_leaf)
{
	unmap_a_part(_metadata, UNIT);
}

static void protect_a_part(struct __test_metadata *_metadata, size_t len)
{
	int fd = fs_file("file", len);
	size_t at = len / 2 + 3 * PAGE;
	char *p = map_file(fd, len);

	ASSERT_NE(MAP_FAILED, p);
	mark(p, len, 9);
	ASSERT_OK(mprotect(p + at, PAGE, PROT_READ));
	EXPECT_EQ(SIGSEGV, try_write(p + at, 1));
	EXPECT_EQ(0, try_write(p + at - PAGE + 8, 1));
	EXPECT_EQ(0, try_write(p + at + PAGE + 8, 1));
	EXPECT_MARKED(p, len, 9, 0);
	EXPECT_EQ(SIGSEGV, try_write(p + at + PAGE - 8, 1));
	ASSERT_OK(mprotect(p + at, PAGE, RW));
	EXPECT_EQ(0, try_write(p + at + 8, 1));
	EXPECT_MARKED(p, len, 9, 0);
	ASSERT_OK(mprotect(p + at, PAGE, PROT_NONE));
	EXPECT_EQ(SIGSEGV, try_read(p + at, NULL));
	munmap(p, len);

	/* The whole leaf, before it is split */
	p = map_file(fd, len);
	EXPECT_MARKED(p, PAGE, 9, 0);
	EXPECT_LEAVES(fd, len == GIB, len == UNIT, 0);
	EXPECT_EQ(0, try_write(p + 16, 1));
	ASSERT_OK(mprotect(p, len, PROT_READ));
	EXPECT_EQ(SIGSEGV, try_write(p + 16, 2));
	EXPECT_EQ(SIGSEGV, try_write(p + len - 8, 2));
	EXPECT_EQ(1, *(volatile uint64_t *)(p + 16));
	EXPECT_LEAVES(fd, len == GIB, len == UNIT, 0);
	ASSERT_OK(mprotect(p, len, RW));
	EXPECT_EQ(0, try_write(p + 16, 3));
	EXPECT_MARKED(p, len, 9, 0);
	EXPECT_LEAVES(fd, len == GIB, len == UNIT, 0);
	munmap(p, len);
	close(fd);
}

TEST_F(map, mprotect_page_splits_1g_leaf)
{
	protect_a_part(_metadata, GIB);
}

TEST_F(map, mprotect_page_splits_2m_leaf)
{
	protect_a_part(_metadata, UNIT);
}

TEST_F(map, leaf_can_be_split_into_page_sized_vmas)
{
	size_t i, n = 64;
	int fd = fs_file("file", GIB);
	char *p = map_file(fd, GIB);

	ASSERT_NE(MAP_FAILED, p);
	mark(p, GIB, 10);
	for (i = 0; i < n; i += 2)
		ASSERT_OK(mprotect(p + UNIT * 100 + i * PAGE, PAGE, PROT_READ));
	for (i = 0; i < n; i++)
		EXPECT_EQ(i % 2 ? 0 : SIGSEGV, try_write(p + UNIT * 100 + i * PAGE + 8, i));
	for (i = 1; i < n; i += 2)
		ASSERT_OK(munmap(p + UNIT * 100 + i * PAGE, PAGE));
	for (i = 0; i < n; i++)
		EXPECT_EQ(i % 2 ? SIGSEGV : 0, try_read(p + UNIT * 100 + i * PAGE, NULL));
	ASSERT_OK(munmap(p, GIB));
	p = map_file(fd, GIB);
	EXPECT_MARKED(p, GIB, 10, 0);
	close(fd);
}

/* Move @len bytes at @from of a mapping of @size bytes to @skew from a multiple of 1G */
static void move_a_part(struct __test_metadata *_metadata, size_t size, size_t from,
			size_t len, size_t skew)
{
	int fd = fs_file("file", size);
	char *p = map_file(fd, size), *q = reserve(len, skew);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_NE(NULL, q);
	mark(p, size, 11);
	ASSERT_EQ(q, mremap(p + from, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, q)) {
		TH_LOG("%s", strerror(errno));
	}
	EXPECT_EQ(SIGSEGV, try_read(p + from, NULL));
	EXPECT_EQ(SIGSEGV, try_read(p + from + len - PAGE, NULL));
	EXPECT_MARKED(q, len, 11, from);
	EXPECT_MARKED(p, from, 11, 0);
	EXPECT_MARKED(p + from + len, size - from - len, 11, from + len);
	*(uint64_t *)(q + 8) = 0x1234;
	ASSERT_OK(munmap(q, len));
	ASSERT_OK(munmap(p, size));
	EXPECT_LEAVES(fd, 0, 0, 0);
	p = map_file(fd, size);
	EXPECT_MARKED(p, size, 11, 0);
	EXPECT_EQ(0x1234, *(uint64_t *)(p + from + 8));
	munmap(p, size);
	close(fd);
	unlink("file");
}

TEST_F(map, mremap_1g)
{
	move_a_part(_metadata, GIB, 0, GIB, 0);
	move_a_part(_metadata, GIB, 0, GIB, UNIT);
	move_a_part(_metadata, GIB, 0, GIB, PAGE);
}

TEST_F(map, mremap_part_of_1g)
{
	move_a_part(_metadata, GIB, 0, UNIT, 0);
	move_a_part(_metadata, GIB, GIB / 2 + PAGE, UNIT, PAGE);
	move_a_part(_metadata, 2 * GIB, GIB / 2, GIB, GIB / 2);
}

TEST_F(map, mremap_2m)
{
	move_a_part(_metadata, 4 * UNIT, UNIT, UNIT, 0);
	move_a_part(_metadata, 4 * UNIT, UNIT, 2 * UNIT, 5 * PAGE);
	move_a_part(_metadata, 4 * UNIT, UNIT + PAGE, UNIT, PAGE);
}

TEST_F(map, mremap_shrinks_but_does_not_grow)
{
	int fd = fs_file("file", GIB + 4 * UNIT);
	char *p = map_file(fd, GIB + 4 * UNIT);

	ASSERT_NE(MAP_FAILED, p);
	mark(p, GIB + 4 * UNIT, 12);
	EXPECT_EQ(p, mremap(p, GIB + 4 * UNIT, GIB - PAGE, 0));
	EXPECT_EQ(SIGSEGV, try_read(p + GIB - PAGE, NULL));
	EXPECT_MARKED(p, GIB - PAGE, 12, 0);
	EXPECT_ERR(EFAULT, mremap(p, GIB - PAGE, GIB, MREMAP_MAYMOVE));
	EXPECT_ERR(EINVAL, mremap(p, GIB - PAGE, GIB - PAGE,
				  MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL));
	EXPECT_MARKED(p, GIB - PAGE, 12, 0);
	/* With old_len 0, mremap makes a second mapping of the same memory. */
	p = mremap(p, 0, GIB / 2, MREMAP_MAYMOVE);
	if (p != MAP_FAILED)
		EXPECT_MARKED(p, GIB / 2, 12, 0);
	close(fd);
}

TEST_F(map, fork_shares_the_mapping)
{
	int fd = fs_file("file", GIB + 8 * MIB);
	size_t len = GIB + 8 * MIB;
	char *p = map_file(fd, len);
	pid_t pid;

	ASSERT_NE(MAP_FAILED, p);
	mark(p, len, 13);
	IN_CHILD(pid) {
		if (marked(p, len, 13, 0) >= 0)
			_exit(1);
		mark(p, len, 14);
		if (munmap(p + UNIT, PAGE))
			_exit(2);
		if (try_read(p + UNIT, NULL) != SIGSEGV)
			_exit(3);
		if (marked(p, UNIT, 14, 0) >= 0)
			_exit(4);
	}
	EXPECT_EQ(0, wait_for(pid));
	EXPECT_MARKED(p, len, 14, 0);
	/* fork() of some kernels makes the parent's leaf read-only. */
	IN_CHILD(pid) {
		pause();
	}
	mark(p, len, 15);
	EXPECT_MARKED(p, len, 15, 0);
	kill(pid, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, wait_for(pid));
	EXPECT_MARKED(p, len, 15, 0);
	close(fd);
}

TEST_HARNESS_MAIN

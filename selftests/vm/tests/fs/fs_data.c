// SPDX-License-Identifier: GPL-2.0
/* pkramfs: contents of files, and memory use */
#include "fs_fixture.h"

#include <linux/fiemap.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/sendfile.h>

TEST_F(main, read_returns_written_data_at_any_offset)
{
	static const off_t at[] = { 0, 1, 4095, UNIT - 1, UNIT, 3 * UNIT - 7, 5 * UNIT + 13 };
	static const size_t len[] = { 1, 7, 4096, 65537, UNIT, UNIT + 1, 3 * UNIT };
	size_t size = 9 * UNIT, i, j;
	unsigned char *ref = calloc(1, size), *got = malloc(size);
	int fd = fs_file("file", size);

	ASSERT_LE(0, fd);
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		for (j = 0; j < sizeof(len) / sizeof(len[0]); j++) {
			memset(ref + at[i], i * 16 + j + 1, len[j]);
			ASSERT_EQ(len[j], pwrite(fd, ref + at[i], len[j], at[i]));
		}
	}
	EXPECT_EQ(size, pread(fd, got, size, 0));
	EXPECT_EQ(0, memcmp(ref, got, size));
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		ASSERT_EQ(UNIT + 3, pread(fd, got, UNIT + 3, at[i]));
		ASSERT_EQ(0, memcmp(ref + at[i], got, UNIT + 3));
	}
	EXPECT_EQ(size, fs_size(fd));
	EXPECT_EQ(0, pread(fd, got, 10, size));
	EXPECT_EQ(0, pread(fd, got, 10, size + 5 * UNIT));
	EXPECT_EQ(4, pread(fd, got, 10, size - 4));
	close(fd);
}

TEST_F(main, write_past_eof_leaves_zeroes_between)
{
	int fd = fs_file("file", 0);

	EXPECT_OK(fs_set(fd, 0xff, 100, 0));
	EXPECT_OK(fs_set(fd, 0xee, 100, 5 * UNIT + 50));
	EXPECT_EQ(5 * UNIT + 150, fs_size(fd));
	EXPECT_EQ(-1, fs_find_other(fd, 0xff, 100, 0));
	EXPECT_EQ(-1, fs_find_other(fd, 0, 5 * UNIT - 50, 100));
	EXPECT_EQ(-1, fs_find_other(fd, 0xee, 100, 5 * UNIT + 50));
	close(fd);
}

TEST_F(main, readv_and_writev_of_any_shape)
{
	static unsigned char a[5000], b[UNIT + 3000], c[1], got[sizeof(a) + sizeof(b) + 1];
	struct iovec v[] = { { a, sizeof(a) }, { NULL, 0 }, { c, 1 }, { b, sizeof(b) } };
	int fd = fs_file("file", 0);

	memset(a, 'a', sizeof(a));
	memset(b, 'b', sizeof(b));
	*c = 'c';
	EXPECT_EQ(sizeof(got), pwritev(fd, v, 4, 0));
	EXPECT_EQ(sizeof(got), pread(fd, got, sizeof(got), 0));
	EXPECT_EQ(0, memcmp(got, a, sizeof(a)));
	EXPECT_EQ('c', got[sizeof(a)]);
	EXPECT_EQ(0, memcmp(got + sizeof(a) + 1, b, sizeof(b)));
	memset(a, 0, sizeof(a));
	memset(b, 0, sizeof(b));
	EXPECT_EQ(sizeof(got), preadv(fd, v, 4, 0));
	EXPECT_EQ('a', a[4999]);
	EXPECT_EQ('b', b[0]);
	close(fd);
}

TEST_F(main, write_from_bad_buffer_is_short)
{
	unsigned char *buf;
	int fd = fs_file("file", 0);
	ssize_t n;

	buf = mmap(NULL, 3 * UNIT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(buf, 0x77, 3 * UNIT);
	ASSERT_OK(mprotect(buf + UNIT + 4096, 4096, PROT_NONE));
	n = write(fd, buf, 3 * UNIT);
	EXPECT_EQ(UNIT + 4096, n);
	EXPECT_EQ(n, fs_size(fd));
	EXPECT_EQ(-1, fs_find_other(fd, 0x77, n, 0));
	/* The first byte cannot be read: nothing happens. */
	EXPECT_ERR(EFAULT, pwrite(fd, buf + UNIT + 4096, UNIT, 10 * UNIT));
	EXPECT_EQ(n, fs_size(fd));
	EXPECT_OK(ftruncate(fd, 4 * UNIT));
	EXPECT_EQ(-1, fs_find_other(fd, 0, 4 * UNIT - n, n));
	EXPECT_ERR(EFAULT, pread(fd, buf + UNIT + 4096, 10, 0));
	EXPECT_EQ(4096, pread(fd, buf + UNIT, 3 * 4096, 0));
	close(fd);
}

TEST_F(main, concurrent_appends_are_atomic)
{
	enum { NR = 4, LINES = 200, LEN = 1000 };
	char line[LEN];
	int fd, i, j, status, count[NR] = { 0 };

	close(fs_file("file", 0));
	for (i = 0; i < NR; i++) {
		if (fork())
			continue;
		fd = open("file", O_WRONLY | O_APPEND);
		memset(line, 'a' + i, LEN);
		for (j = 0; j < LINES; j++)
			if (write(fd, line, LEN) != LEN)
				_exit(1);
		_exit(0);
	}
	for (i = 0; i < NR; i++) {
		wait(&status);
		EXPECT_EQ(0, status);
	}
	fd = open("file", O_RDONLY);
	EXPECT_EQ(NR * LINES * LEN, fs_size(fd));
	for (i = 0; i < NR * LINES; i++) {
		ASSERT_EQ(LEN, read(fd, line, LEN));
		ASSERT_LE('a', line[0]);
		ASSERT_GT('a' + NR, line[0]);
		for (j = 1; j < LEN; j++)
			ASSERT_EQ(line[0], line[j]);
		count[line[0] - 'a']++;
	}
	for (i = 0; i < NR; i++)
		EXPECT_EQ(LINES, count[i]);
	close(fd);
}

TEST_F(main, truncate_shows_no_old_bytes)
{
	int fd = fs_file("file", 0);

	EXPECT_OK(fs_set(fd, 0xff, 4 * UNIT, 0));
	EXPECT_OK(ftruncate(fd, UNIT + 1000));
	EXPECT_EQ(UNIT + 1000, fs_size(fd));
	EXPECT_EQ(2 * UNIT, fs_blocks(fd));
	EXPECT_OK(ftruncate(fd, 4 * UNIT));
	EXPECT_EQ(-1, fs_find_other(fd, 0xff, UNIT + 1000, 0));
	EXPECT_EQ(-1, fs_find_other(fd, 0, 3 * UNIT - 1000, UNIT + 1000));
	EXPECT_OK(ftruncate(fd, 0));
	EXPECT_EQ(0, fs_blocks(fd));
	EXPECT_OK(ftruncate(fd, 100));
	EXPECT_EQ(-1, fs_find_other(fd, 0, 100, 0));
	close(fd);
	fd = open("file", O_WRONLY | O_TRUNC);
	EXPECT_EQ(0, fs_size(fd));
	EXPECT_ERR(EINVAL, ftruncate(fd, -1));
	EXPECT_ERR(EFBIG, ftruncate(fd, (1LL << 53) + 1));
	close(fd);
}

TEST_F(main, truncate_up_reserves_all_or_nothing)
{
	int fd = fs_file("file", 0);

	EXPECT_OK(ftruncate(fd, 100 * MIB));
	EXPECT_EQ(100 * MIB, fs_blocks(fd));
	EXPECT_LE(fs_free() + 100 * MIB, self->free);
	EXPECT_ERR(ENOSPC, ftruncate(fd, 100 * GIB));
	EXPECT_EQ(100 * MIB, fs_size(fd));
	EXPECT_EQ(100 * MIB, fs_blocks(fd));
	close(fd);
}

TEST_F(main, fallocate_reserves_with_and_without_keep_size)
{
	int fd = fs_file("file", 0);

	EXPECT_OK(fallocate(fd, 0, 1000, 3 * UNIT));
	EXPECT_EQ(3 * UNIT + 1000, fs_size(fd));
	EXPECT_EQ(4 * UNIT, fs_blocks(fd));
	EXPECT_OK(fs_set(fd, 1, UNIT, 0));
	EXPECT_OK(fallocate(fd, 0, 0, UNIT));
	EXPECT_EQ(-1, fs_find_other(fd, 1, UNIT, 0));
	EXPECT_OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 10 * UNIT));
	EXPECT_EQ(3 * UNIT + 1000, fs_size(fd));
	EXPECT_EQ(10 * UNIT, fs_blocks(fd));
	EXPECT_ERR(ENOSPC, fallocate(fd, 0, 0, 100 * GIB));
	EXPECT_ERR(ENOSPC, fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 100 * GIB));
	EXPECT_EQ(3 * UNIT + 1000, fs_size(fd));
	EXPECT_EQ(10 * UNIT, fs_blocks(fd));
	EXPECT_EQ(-1, fs_find_other(fd, 1, UNIT, 0));
	EXPECT_ERR(EINVAL, fallocate(fd, 0, 0, 0));
	EXPECT_ERR(EOPNOTSUPP, fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, UNIT));
	EXPECT_ERR(EOPNOTSUPP, fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, UNIT));
	EXPECT_ERR(EOPNOTSUPP, fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, UNIT));
	EXPECT_ERR(EOPNOTSUPP, fallocate(fd, FALLOC_FL_UNSHARE_RANGE, 0, UNIT));
	EXPECT_ERR(EFBIG, fallocate(fd, FALLOC_FL_KEEP_SIZE, 1LL << 53, UNIT));
	close(fd);
	fd = open("file", O_RDONLY);
	EXPECT_ERR(EBADF, fallocate(fd, 0, 0, UNIT));
	close(fd);
}

TEST_F(main, fallocate_reaches_16_tib)
{
	int fd = fs_file("file", 4096);

	EXPECT_OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 16LL << 40, 2 * UNIT));
	EXPECT_EQ(4096, fs_size(fd));
	EXPECT_EQ(3 * UNIT, fs_blocks(fd));
	EXPECT_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 16LL << 40, UNIT));
	EXPECT_EQ(2 * UNIT, fs_blocks(fd));
	EXPECT_OK(ftruncate(fd, 4096));
	close(fd);
}

TEST_F(main, punched_holes_read_as_zero_and_free_memory)
{
	int fd = fs_file("file", 0);
	uint64_t free;

	EXPECT_OK(fs_set(fd, 0xff, 6 * UNIT, 0));
	free = fs_free();
	EXPECT_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, UNIT / 2, 3 * UNIT));
	EXPECT_EQ(6 * UNIT, fs_size(fd));
	EXPECT_EQ(4 * UNIT, fs_blocks(fd));
	EXPECT_EQ(free + 2 * UNIT, fs_free());
	EXPECT_EQ(-1, fs_find_other(fd, 0xff, UNIT / 2, 0));
	EXPECT_EQ(-1, fs_find_other(fd, 0, 3 * UNIT, UNIT / 2));
	EXPECT_EQ(-1, fs_find_other(fd, 0xff, 2 * UNIT + UNIT / 2, 3 * UNIT + UNIT / 2));
	/* Inside one unit */
	EXPECT_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 5 * UNIT + 10, 10));
	EXPECT_EQ(-1, fs_find_other(fd, 0xff, 10, 5 * UNIT));
	EXPECT_EQ(-1, fs_find_other(fd, 0, 10, 5 * UNIT + 10));
	EXPECT_EQ(-1, fs_find_other(fd, 0xff, UNIT - 20, 5 * UNIT + 20));
	/* A hole can be written again. */
	EXPECT_OK(fs_set(fd, 0xaa, 100, 2 * UNIT - 50));
	EXPECT_EQ(-1, fs_find_other(fd, 0xaa, 100, 2 * UNIT - 50));
	EXPECT_EQ(-1, fs_find_other(fd, 0, UNIT, UNIT - 50));
	EXPECT_EQ(6 * UNIT, fs_blocks(fd));
	close(fd);
}

TEST_F(main, zero_range_keeps_memory)
{
	int fd = fs_file("file", 0);

	EXPECT_OK(fs_set(fd, 0xff, 4 * UNIT, 0));
	EXPECT_OK(fallocate(fd, FALLOC_FL_ZERO_RANGE, UNIT / 2, 2 * UNIT));
	EXPECT_EQ(4 * UNIT, fs_blocks(fd));
	EXPECT_EQ(-1, fs_find_other(fd, 0xff, UNIT / 2, 0));
	EXPECT_EQ(-1, fs_find_other(fd, 0, 2 * UNIT, UNIT / 2));
	EXPECT_EQ(-1, fs_find_other(fd, 0xff, UNIT, 3 * UNIT));
	EXPECT_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, UNIT, UNIT));
	EXPECT_EQ(3 * UNIT, fs_blocks(fd));
	EXPECT_OK(fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 0, 6 * UNIT));
	EXPECT_EQ(4 * UNIT, fs_size(fd));
	EXPECT_EQ(6 * UNIT, fs_blocks(fd));
	EXPECT_EQ(-1, fs_find_other(fd, 0, 4 * UNIT, 0));
	EXPECT_OK(fallocate(fd, FALLOC_FL_ZERO_RANGE, 3 * UNIT, 2 * UNIT));
	EXPECT_EQ(5 * UNIT, fs_size(fd));
	EXPECT_EQ(-1, fs_find_other(fd, 0, 5 * UNIT, 0));
	close(fd);
}

TEST_F(main, file_size_limits_apply)
{
	struct rlimit old, limit;
	int fd = fs_file("file", 0);

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	limit = old;
	limit.rlim_cur = UNIT;
	ASSERT_OK(setrlimit(RLIMIT_FSIZE, &limit));
	EXPECT_OK(ftruncate(fd, UNIT));
	EXPECT_ERR(EFBIG, ftruncate(fd, UNIT + 1));
	EXPECT_ERR(EFBIG, fallocate(fd, 0, UNIT, 1));
	EXPECT_ERR(EFBIG, pwrite(fd, "x", 1, UNIT));
	EXPECT_EQ(1, pwrite(fd, "xx", 2, UNIT - 1));
	EXPECT_OK(setrlimit(RLIMIT_FSIZE, &old));
	EXPECT_EQ(UNIT, fs_size(fd));
	close(fd);
}

TEST_F(main, splice_sendfile_and_copy_file_range_move_data)
{
	size_t len = UNIT + 12345, left;
	int in = fs_file("in", 0), out = fs_file("out", 0), p[2];
	loff_t from = 0, to = 0;
	ssize_t n, m;

	EXPECT_OK(fs_set(in, 0x42, len, 0));
	ASSERT_OK(pipe(p));
	for (left = len; left; left -= n) {
		n = splice(in, &from, p[1], NULL, left, 0);
		ASSERT_LT(0, n);
		for (m = 0; m < n;) {
			ssize_t k = splice(p[0], NULL, out, &to, n - m, 0);

			ASSERT_LT(0, k);
			m += k;
		}
	}
	EXPECT_EQ(len, fs_size(out));
	EXPECT_EQ(-1, fs_find_other(out, 0x42, len, 0));

	EXPECT_OK(ftruncate(out, 0));
	EXPECT_EQ(0, lseek(out, 0, SEEK_SET));
	from = 1000;
	for (left = len - 1000; left; left -= n) {
		n = sendfile(out, in, &from, left);
		ASSERT_LT(0, n);
	}
	EXPECT_EQ(len - 1000, fs_size(out));
	EXPECT_EQ(-1, fs_find_other(out, 0x42, len - 1000, 0));

	EXPECT_OK(ftruncate(out, 0));
	from = 0;
	to = 777;
	for (left = len; left; left -= n) {
		n = copy_file_range(in, &from, out, &to, left, 0);
		ASSERT_LT(0, n);
	}
	EXPECT_EQ(-1, fs_find_other(out, 0, 777, 0));
	EXPECT_EQ(-1, fs_find_other(out, 0x42, len, 777));
	/* A splice of a hole returns zeroes. */
	EXPECT_OK(fallocate(in, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, UNIT));
	from = 0;
	EXPECT_EQ(100, splice(in, &from, p[1], NULL, 100, 0));
	{
		char buf[100];

		EXPECT_EQ(100, read(p[0], buf, 100));
		EXPECT_EQ(0, buf[0] | buf[99]);
	}
	close(in);
	close(out);
}

TEST_F(main, direct_io_works_at_any_alignment)
{
	char *buf = aligned_alloc(4096, 2 * UNIT);
	int fd = open("file", O_RDWR | O_CREAT | O_DIRECT, 0644), plain;

	ASSERT_LE(0, fd);
	memset(buf, 0x31, 2 * UNIT);
	EXPECT_EQ(2 * UNIT, pwrite(fd, buf, 2 * UNIT, 0));
	EXPECT_EQ(3, pwrite(fd, "abc", 3, 4095));
	memset(buf, 0, 2 * UNIT);
	EXPECT_EQ(2 * UNIT, pread(fd, buf, 2 * UNIT, 0));
	EXPECT_EQ(0x31, buf[4094]);
	EXPECT_EQ(0, memcmp(buf + 4095, "abc", 3));
	EXPECT_EQ(0x31, buf[2 * UNIT - 1]);
	plain = open("file", O_RDONLY);
	EXPECT_EQ(-1, fs_find_other(plain, 0x31, UNIT, UNIT));
	close(plain);
	close(fd);
}

TEST_F(main, seek_data_and_seek_hole)
{
	int fd = fs_file("file", 10 * UNIT);

	/* Memory that is reserved but was never written is a hole. */
	EXPECT_ERR(ENXIO, lseek(fd, 0, SEEK_DATA));
	EXPECT_EQ(0, lseek(fd, 0, SEEK_HOLE));
	EXPECT_OK(fs_set(fd, 1, 10, 2 * UNIT + 5));
	EXPECT_OK(fs_set(fd, 1, UNIT + 1, 5 * UNIT));
	EXPECT_EQ(2 * UNIT, lseek(fd, 0, SEEK_DATA));
	EXPECT_EQ(2 * UNIT + 9, lseek(fd, 2 * UNIT + 9, SEEK_DATA));
	EXPECT_EQ(3 * UNIT, lseek(fd, 2 * UNIT + 9, SEEK_HOLE));
	EXPECT_EQ(5 * UNIT, lseek(fd, 3 * UNIT, SEEK_DATA));
	EXPECT_EQ(7 * UNIT, lseek(fd, 5 * UNIT, SEEK_HOLE));
	EXPECT_ERR(ENXIO, lseek(fd, 7 * UNIT, SEEK_DATA));
	EXPECT_EQ(9 * UNIT + 1, lseek(fd, 9 * UNIT + 1, SEEK_HOLE));
	EXPECT_ERR(ENXIO, lseek(fd, 10 * UNIT, SEEK_DATA));
	EXPECT_ERR(ENXIO, lseek(fd, 10 * UNIT, SEEK_HOLE));
	EXPECT_ERR(ENXIO, lseek(fd, -1, SEEK_DATA));
	EXPECT_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 5 * UNIT, UNIT));
	EXPECT_EQ(6 * UNIT, lseek(fd, 5 * UNIT, SEEK_DATA));
	EXPECT_OK(ftruncate(fd, 6 * UNIT + 1));
	EXPECT_EQ(6 * UNIT + 1, lseek(fd, 6 * UNIT, SEEK_HOLE));
	EXPECT_EQ(6 * UNIT + 1, lseek(fd, 0, SEEK_END));
	EXPECT_EQ(7, lseek(fd, 7, SEEK_SET));
	EXPECT_EQ(10, lseek(fd, 3, SEEK_CUR));
	EXPECT_ERR(EINVAL, lseek(fd, -11, SEEK_CUR));
	close(fd);
}

struct map {
	struct fiemap head;
	struct fiemap_extent ext[16];
};

static int get_map(int fd, struct map *m, uint64_t start, uint64_t len, int count)
{
	memset(m, 0, sizeof(*m));
	m->head.fm_start = start;
	m->head.fm_length = len;
	m->head.fm_extent_count = count;
	return ioctl(fd, FS_IOC_FIEMAP, &m->head);
}

TEST_F(main, fiemap_reports_extents)
{
	int fd = fs_file("file", 4 * UNIT), i, status;
	uint64_t pos = 0;
	struct map m;
	pid_t pid;

	EXPECT_OK(fs_set(fd, 1, 1, UNIT));
	EXPECT_OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 8 * UNIT, UNIT));
	ASSERT_OK(get_map(fd, &m, 0, ~0ULL, 16));
	ASSERT_LE(4, m.head.fm_mapped_extents);
	for (i = 0; i < m.head.fm_mapped_extents; i++) {
		struct fiemap_extent *e = &m.ext[i];
		bool last = i == m.head.fm_mapped_extents - 1;

		EXPECT_EQ(last ? 8 * UNIT : pos, e->fe_logical);
		EXPECT_EQ(0, e->fe_length % UNIT);
		EXPECT_NE(0, e->fe_physical);
		EXPECT_EQ(0, e->fe_physical % UNIT);
		EXPECT_EQ(last, !!(e->fe_flags & FIEMAP_EXTENT_LAST));
		EXPECT_EQ(e->fe_logical != UNIT, !!(e->fe_flags & FIEMAP_EXTENT_UNWRITTEN));
		pos = e->fe_logical + e->fe_length;
	}
	EXPECT_EQ(9 * UNIT, pos);
	/* With no space for extents, FIEMAP only counts. */
	i = m.head.fm_mapped_extents;
	ASSERT_OK(get_map(fd, &m, 0, ~0ULL, 0));
	EXPECT_EQ(i, m.head.fm_mapped_extents);
	/* A part of the file: its last extent is not the last of the file. */
	ASSERT_OK(get_map(fd, &m, UNIT + 5, 10, 16));
	EXPECT_EQ(1, m.head.fm_mapped_extents);
	EXPECT_EQ(UNIT, m.ext[0].fe_logical);
	EXPECT_EQ(0, m.ext[0].fe_flags);
	ASSERT_OK(get_map(fd, &m, 5 * UNIT, UNIT, 16));
	EXPECT_EQ(0, m.head.fm_mapped_extents);
	/* No addresses for ordinary users */
	pid = fork();
	if (!pid) {
		if (setgid(NOBODY) || setuid(NOBODY) || get_map(fd, &m, 0, ~0ULL, 16))
			_exit(1);
		for (i = 0; i < m.head.fm_mapped_extents; i++)
			if (m.ext[i].fe_physical ||
			    !(m.ext[i].fe_flags & FIEMAP_EXTENT_UNKNOWN))
				_exit(2);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status);
	close(fd);
}

TEST_F(main, reused_memory_reads_as_zero)
{
	size_t len = 300 * MIB, i;
	int fd = fs_file("ones", 0);
	uint64_t all;

	ASSERT_OK(fs_set(fd, 0xff, len, 0));
	close(fd);
	EXPECT_OK(unlink("ones"));
	/* Take all free memory, so that it includes the memory just freed. */
	fd = fs_file("new", 0);
	all = fs_free() - fs_free() % UNIT;
	while (all && ftruncate(fd, all))
		all -= UNIT;
	EXPECT_LT(GIB - 64 * MIB, all);
	/* Read units, write parts of units, and write whole units */
	for (i = 0; i < all; i += 16 * UNIT) {
		ASSERT_EQ(1, pwrite(fd, "x", 1, i + 1000));
		ASSERT_OK(fs_set(fd, 0xaa, UNIT < all - i - UNIT ? UNIT : 0, i + UNIT));
		ASSERT_EQ(-1, fs_find_other(fd, 0, 1000, i));
		ASSERT_EQ(-1, fs_find_other(fd, 0, UNIT - 1001, i + 1001));
	}
	for (i = 2 * UNIT; i + 14 * UNIT < all; i += 16 * UNIT)
		ASSERT_EQ(-1, fs_find_other(fd, 0, 14 * UNIT, i));
	close(fd);
}

TEST_F(main, full_pool_is_enospc_and_loses_nothing)
{
	static char buf[3 * UNIT];
	int keep = fs_file("keep", 0), fill = fs_file("fill", 0), fd, i;
	uint64_t step;
	ssize_t n;
	char name[32];

	EXPECT_OK(fs_set(keep, 0x33, 3 * UNIT + 77, 0));
	for (step = GIB; step >= UNIT; step /= 2)
		while (!fallocate(fill, 0, fs_size(fill), step))
			;
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(0, fs_free());
	EXPECT_ERR(ENOSPC, ftruncate(fill, fs_size(fill) + 1));
	/* A write fills the last unit, then fails. */
	memset(buf, 0x33, sizeof(buf));
	i = 3 * UNIT + 77;
	while ((n = pwrite(keep, buf, sizeof(buf), i)) > 0)
		i += n;
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(4 * UNIT, i);
	EXPECT_EQ(i, fs_size(keep));
	EXPECT_EQ(-1, fs_find_other(keep, 0x33, i, 0));
	EXPECT_EQ(1, pwrite(keep, "\x33", 1, UNIT));
	/* Names use the space left in records; then there is no more. */
	for (i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		fd = open(name, O_WRONLY | O_CREAT, 0644);
		if (fd < 0)
			break;
		close(fd);
	}
	EXPECT_EQ(-1, fd);
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_ERR(ENOENT, unlink(name));
	EXPECT_EQ(-1, fs_find_other(keep, 0x33, fs_size(keep), 0));
	EXPECT_OK(rename("keep", "kept"));
	EXPECT_OK(unlink("fill"));
	close(fill);
	EXPECT_OK(fs_set(keep, 0x34, 10 * UNIT, 0));
	EXPECT_EQ(-1, fs_find_other(keep, 0x34, 10 * UNIT, 0));
	close(keep);
}

TEST_F(main, large_write_is_short_when_pool_fills)
{
	size_t len = 64 * UNIT, got = 0;
	char *buf = malloc(len);
	int fill = fs_file("fill", 0), fd = fs_file("file", 0);
	uint64_t step, left = 21 * UNIT;
	ssize_t n;

	memset(buf, 0x44, len);
	for (step = GIB; step >= UNIT; step /= 2)
		while (!fallocate(fill, 0, fs_size(fill), step))
			;
	ASSERT_OK(ftruncate(fill, fs_size(fill) - left));
	while ((n = write(fd, buf, len)) > 0)
		got += n;
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(left, got);
	EXPECT_EQ(left, fs_size(fd));
	EXPECT_EQ(-1, fs_find_other(fd, 0x44, got, 0));
	close(fill);
	close(fd);
	free(buf);
}

/* Copies between a file and mappings of it */

TEST_F(main, private_mappings_are_refused)
{
	int fd = fs_file("file", UNIT);

	EXPECT_EQ(MAP_FAILED, mmap(NULL, UNIT, PROT_READ, MAP_PRIVATE, fd, 0));
	EXPECT_EQ(EINVAL, errno);
	close(fd);
}

TEST_F(main, mappings_and_file_io_are_coherent)
{
	int fd = fs_file("file", 4 * UNIT);
	unsigned char *map;

	map = mmap(NULL, 4 * UNIT, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	memset(map + UNIT - 50, 0x66, 100);
	EXPECT_EQ(-1, fs_find_other(fd, 0x66, 100, UNIT - 50));
	EXPECT_EQ(-1, fs_find_other(fd, 0, UNIT - 50, 0));
	EXPECT_OK(fs_set(fd, 0x67, 2 * UNIT, UNIT));
	EXPECT_EQ(0x66, map[UNIT - 1]);
	EXPECT_EQ(0x67, map[UNIT]);
	EXPECT_EQ(0x67, map[3 * UNIT - 1]);
	EXPECT_EQ(0, map[3 * UNIT]);
	EXPECT_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, UNIT, UNIT));
	EXPECT_EQ(0, map[UNIT]);
	EXPECT_OK(fallocate(fd, FALLOC_FL_ZERO_RANGE, 2 * UNIT, 100));
	EXPECT_EQ(0, map[2 * UNIT]);
	EXPECT_EQ(0x67, map[2 * UNIT + 100]);
	EXPECT_OK(munmap(map, 4 * UNIT));
	close(fd);
}

TEST_F(main, io_with_own_mapping_as_buffer)
{
	int fd = fs_file("file", 8 * UNIT);
	unsigned char *map;

	map = mmap(NULL, 8 * UNIT, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	memset(map, 0x55, UNIT);
	/* From a written unit to a stale one, from a stale one, and to itself */
	EXPECT_EQ(UNIT, pwrite(fd, map, UNIT, 2 * UNIT));
	EXPECT_EQ(0x55, map[3 * UNIT - 1]);
	EXPECT_EQ(UNIT, pwrite(fd, map + 5 * UNIT, UNIT, 0));
	EXPECT_EQ(0, map[UNIT - 1]);
	EXPECT_EQ(UNIT, pwrite(fd, map + 6 * UNIT, UNIT, 6 * UNIT));
	EXPECT_EQ(0, map[6 * UNIT]);
	EXPECT_EQ(UNIT, pread(fd, map + 7 * UNIT, UNIT, 2 * UNIT));
	EXPECT_EQ(0x55, map[7 * UNIT]);
	EXPECT_OK(munmap(map, 8 * UNIT));
	close(fd);
}

TEST_HARNESS_MAIN

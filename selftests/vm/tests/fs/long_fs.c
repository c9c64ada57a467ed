// SPDX-License-Identifier: GPL-2.0
/*
 * pkramfs under random operations, for as long as FS_SECONDS says; not in CI, but in
 * `make test-fs`. One file against a model of its bytes (as fsx does it); processes
 * that change one tree, which must be the same after a kexec (as fsstress does it); fio
 * and stress-ng. Debian has no package of the public fsx and fsstress.
 */
#include "test.h"

#include "fs.h"
#include "pool.h"

#include <stdlib.h>
#include <sys/xattr.h>
#include <time.h>

#define TREE	PKRAM_MNT "/tree"
#define RW	(PROT_READ | PROT_WRITE)
#define PAGE	4096UL
#define LIMIT	7200

static unsigned int option(const char *name, unsigned int otherwise)
{
	char *cmdline = vm_read_file("/proc/cmdline"), *word, key[40];
	unsigned int value = otherwise;

	snprintf(key, sizeof(key), " long_fs.%s=", name);
	word = cmdline ? strstr(cmdline, key) : NULL;
	if (word)
		value = strtoul(word + strlen(key), NULL, 10);
	free(cmdline);
	return value;
}

/* A generator of its own: the same seed, the same run */
static uint64_t rnd_state;

static void rnd_seed(uint64_t seed)
{
	rnd_state = seed * 0x9e3779b97f4a7c15ULL + 1;
}

static uint64_t rnd(uint64_t below)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	rnd_state ^= rnd_state << 17;
	return (rnd_state >> 11) % below;
}

/* One file against a model */

#define FILE_MAX	(5 * UNIT)

struct model {
	int fd;
	unsigned char *want;	/* FILE_MAX bytes; beyond the size, what a mapping shows */
	unsigned char *got;
	unsigned char *map;	/* all of it, for the whole run */
	off_t size;
	unsigned long nr;
	char what[100];		/* the operation */
	char error[200];
};

static off_t page_end(off_t pos)
{
	return (pos + PAGE - 1) / PAGE * PAGE;
}

static int fail(struct model *m, const char *text, long long pos)
{
	snprintf(m->error, sizeof(m->error), "operation %lu, %s: %s at %#llx, size %#llx: %s",
		 m->nr, m->what, text, pos, (long long)m->size, strerror(errno));
	return -1;
}

static int compare(struct model *m, const unsigned char *got, off_t pos, size_t len,
		   const char *text)
{
	size_t i;

	if (!memcmp(got, m->want + pos, len))
		return 0;
	for (i = 0; got[i] == m->want[pos + i]; i++)
		;
	return fail(m, text, pos + i);
}

/* The size becomes @size: what was beyond it, or the old one, is zero. */
static void set_size(struct model *m, off_t size)
{
	off_t from = size < m->size ? size : m->size;

	memset(m->want + from, 0, FILE_MAX - from);
	m->size = size;
}

static void random_bytes(struct model *m, size_t len)
{
	vm_fill(m->got, (len + 7) / 8 * 8, rnd(1ULL << 50), 0);
}

static int op_write(struct model *m, off_t pos, size_t len)
{
	random_bytes(m, len);
	if (pwrite(m->fd, m->got, len, pos) != len)
		return fail(m, "short", pos);
	if (pos + len > m->size)
		set_size(m, pos + len);
	memcpy(m->want + pos, m->got, len);
	return 0;
}

static int op_read(struct model *m, off_t pos, size_t len)
{
	ssize_t n = pread(m->fd, m->got, len, pos);
	off_t want = pos >= m->size ? 0 : m->size - pos < len ? m->size - pos : len;

	if (n != want)
		return fail(m, "length", pos);
	return compare(m, m->got, pos, n, "read");
}

/* Through the mapping, as far as the last page goes */
static int op_map(struct model *m, off_t pos, size_t len, bool write)
{
	if (pos >= page_end(m->size))
		return 0;
	if (pos + len > page_end(m->size))
		len = page_end(m->size) - pos;
	if (!write)
		return compare(m, m->map + pos, pos, len, "mapped");
	random_bytes(m, len);
	memcpy(m->map + pos, m->got, len);
	memcpy(m->want + pos, m->got, len);
	return 0;
}

static int op_fallocate(struct model *m, int mode, off_t pos, size_t len)
{
	if (fallocate(m->fd, mode, pos, len))
		return fail(m, "refused", pos);
	if (!(mode & FALLOC_FL_KEEP_SIZE) && pos + len > m->size)
		set_size(m, pos + len);
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		memset(m->want + pos, 0, len);
	return 0;
}

static int op_reopen(struct model *m)
{
	int fd = open(PKRAM_MNT "/file", O_RDWR);

	if (fd < 0)
		return fail(m, "open", 0);
	close(m->fd);
	m->fd = fd;
	return 0;
}

static int op_copy(struct model *m, off_t from, off_t to, size_t len)
{
	ssize_t n;

	/* Within one file the ranges must not overlap. */
	if (from + len > m->size || (from < to + len && to < from + len))
		return 0;
	for (; len; len -= n) {
		loff_t in = from, out = to;

		n = copy_file_range(m->fd, &in, m->fd, &out, len, 0);
		if (n <= 0)
			return fail(m, "short", to);
		if (to + n > m->size)
			set_size(m, to + n);
		memmove(m->want + to, m->want + from, n);
		from += n;
		to += n;
	}
	return 0;
}

static int one_op(struct model *m)
{
	off_t pos = rnd(FILE_MAX), to = rnd(FILE_MAX);
	size_t len = 1 + rnd(rnd(4) ? 3 * PAGE : UNIT + PAGE);
	int op = rnd(14);

	/* Close to the end of the file or of a unit more often than not */
	if (!rnd(3) && m->size)
		pos = m->size - rnd(m->size < 100 ? m->size : 100);
	if (pos + len > FILE_MAX)
		len = FILE_MAX - pos;
	if (to + len > FILE_MAX)
		to = FILE_MAX - len;
	snprintf(m->what, sizeof(m->what), "%d of %#zx bytes at %#llx, to %#llx", op, len,
		 (long long)pos, (long long)to);
	errno = 0;
	switch (op) {
	case 0: case 1:
		return op_write(m, pos, len);
	case 2:
		return op_write(m, m->size, m->size + len > FILE_MAX ?
				FILE_MAX - m->size : len);
	case 3: case 4:
		return op_read(m, pos, len);
	case 5: case 6:
		return op_map(m, pos, len, true);
	case 7:
		return op_map(m, pos, len, false);
	case 8:
		if (ftruncate(m->fd, pos))
			return fail(m, "refused", pos);
		set_size(m, pos);
		return 0;
	case 9:
		return op_fallocate(m, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, pos, len);
	case 10:
		return op_fallocate(m, FALLOC_FL_ZERO_RANGE |
				    (rnd(2) ? FALLOC_FL_KEEP_SIZE : 0), pos, len);
	case 11:
		return op_fallocate(m, rnd(2) ? FALLOC_FL_KEEP_SIZE : 0, pos, len);
	case 12:
		return op_copy(m, pos, to, len);
	}
	return rnd(2) ? op_reopen(m) : msync(m->map, FILE_MAX, MS_SYNC);
}

static int run_model(struct model *m, unsigned int seconds)
{
	double end = vm_now() + seconds;

	for (m->nr = 0; vm_now() < end; m->nr++) {
		if (one_op(m))
			return -1;
		if (fs_size(m->fd) != m->size)
			return fail(m, "size", fs_size(m->fd));
		/* All of it, both ways, at times */
		if (m->nr % 16)
			continue;
		if (op_read(m, 0, m->size) || op_map(m, 0, m->size, false) ||
		    op_map(m, m->size, PAGE, false))
			return -1;
	}
	return 0;
}

FIXTURE(run)
{
	uint64_t free;
	unsigned int seconds;
	unsigned int seed;
};

FIXTURE_SETUP(run)
{
	ASSERT_OK(fs_load());
	ASSERT_OK(fs_mount());
	if (!fs_total())
		ASSERT_OK(pool_grow(2));
	self->free = fs_free();
	self->seconds = option("seconds", 60);
	self->seed = option("seed", time(NULL));
	printf("# seed %u, FS_SEED=%u repeats it\n", self->seed, self->seed);
	rnd_seed(self->seed);
}

FIXTURE_TEARDOWN(run)
{
	EXPECT_EQ(0, pool_number("quarantined"));
}

TEST_F_TIMEOUT(run, one_file_is_what_was_written, LIMIT)
{
	struct model m = { .want = calloc(1, FILE_MAX), .got = malloc(FILE_MAX) };

	m.fd = fs_file(PKRAM_MNT "/file", 0);
	m.map = mmap(NULL, FILE_MAX, RW, MAP_SHARED, m.fd, 0);
	ASSERT_NE(MAP_FAILED, m.map);
	EXPECT_OK(run_model(&m, self->seconds)) {
		TH_LOG("seed %u, %s", self->seed, m.error);
	}
	printf("# %lu operations\n", m.nr);
	munmap(m.map, FILE_MAX);
	close(m.fd);
	EXPECT_OK(unlink(PKRAM_MNT "/file"));
	VM_WAIT(fs_free() + 64 * UNIT >= self->free);
	EXPECT_GE(fs_free() + 64 * UNIT, self->free);
}

/* Processes that change one tree, and take any error for an answer */

#define NAMES	12

static void random_path(char *path, size_t size)
{
	int depth = 1 + rnd(3);
	size_t n = snprintf(path, size, TREE);

	while (depth--)
		n += snprintf(path + n, size - n, "/%s%d", depth ? "d" : rnd(3) ? "f" : "d",
			      (int)rnd(NAMES));
}

static void change_file(const char *path)
{
	static char buf[UNIT];
	int fd = open(path, O_RDWR | (rnd(3) ? O_CREAT : 0), 0644);
	off_t pos = rnd(4 * UNIT);
	size_t len = 1 + rnd(rnd(3) ? 9000 : sizeof(buf));
	char *p;

	if (fd < 0)
		return;
	memset(buf, 'a' + rnd(26), len);
	switch (rnd(8)) {
	case 0: case 1:
		(void)!pwrite(fd, buf, len, pos);
		break;
	case 2:
		(void)!pread(fd, buf, len, pos);
		break;
	case 3:
		(void)!ftruncate(fd, pos);
		break;
	case 4:
		fallocate(fd, rnd(2) ? FALLOC_FL_KEEP_SIZE : 0, pos, len);
		break;
	case 5:
		fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, pos, len);
		break;
	case 6:
		/* Not by the CPU: others truncate, which would be SIGBUS. */
		p = mmap(NULL, UNIT, RW, MAP_SHARED, fd, 0);
		if (p != MAP_FAILED) {
			(void)!process_vm_writev(getpid(),
						 &(struct iovec){ buf, PAGE }, 1,
						 &(struct iovec){ p, PAGE }, 1, 0);
			munmap(p, UNIT);
		}
		break;
	case 7:
		if (rnd(2))
			fsetxattr(fd, "user.label", buf, rnd(9000), 0);
		else
			fremovexattr(fd, "user.label");
		break;
	}
	close(fd);
}

static void change_tree(void)
{
	char path[200], other[200];
	struct stat st;
	DIR *dir;

	random_path(path, sizeof(path));
	random_path(other, sizeof(other));
	switch (rnd(12)) {
	case 0: case 1:
		mkdir(path, 0755);
		break;
	case 2:
		rename(path, other);
		break;
	case 3:
		renameat2(AT_FDCWD, path, AT_FDCWD, other, RENAME_NOREPLACE);
		break;
	case 4:
		unlink(path);
		break;
	case 5:
		rmdir(path);
		break;
	case 6:
		dir = opendir(path);
		while (dir && readdir(dir))
			;
		if (dir)
			closedir(dir);
		break;
	case 7:
		stat(path, &st);
		chmod(path, 0600 + rnd(0200));
		break;
	default:
		change_file(path);
	}
}

static int run_tree(unsigned int seconds, unsigned int seed, int nr)
{
	double end = vm_now() + seconds;
	int i, status, bad = 0;

	for (i = 0; i < nr; i++) {
		if (fork())
			continue;
		rnd_seed(seed + i);
		while (vm_now() < end)
			change_tree();
		_exit(0);
	}
	while (nr--) {
		wait(&status);
		bad |= status;
	}
	return bad;
}

/* A sum over names, attributes, labels and bytes, in whatever order they are found */

static uint64_t sum;

static uint64_t mix(uint64_t h, const void *p, size_t len)
{
	const unsigned char *c = p;

	while (len--)
		h = (h ^ *c++) * 0x100000001b3ULL;
	return h;
}

static int sum_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	static char buf[65536];
	uint64_t h = mix(0xcbf29ce484222325ULL, path, strlen(path));
	ssize_t n;
	int fd;

	h = mix(h, &st->st_mode, sizeof(st->st_mode));
	h = mix(h, &st->st_ino, sizeof(st->st_ino));
	h = mix(h, &st->st_nlink, sizeof(st->st_nlink));
	h = mix(h, &st->st_mtim, sizeof(st->st_mtim));
	n = getxattr(path, "user.label", buf, sizeof(buf));
	h = mix(h, buf, n > 0 ? n : 0);
	if (type == FTW_F) {
		fd = open(path, O_RDONLY);
		if (fd < 0)
			return -1;
		h = mix(h, &st->st_size, sizeof(st->st_size));
		while ((n = read(fd, buf, sizeof(buf))) > 0)
			h = mix(h, buf, n);
		close(fd);
		if (n < 0)
			return -1;
	}
	sum += h;
	return 0;
}

static int sum_tree(void)
{
	sum = 0;
	return nftw(TREE, sum_one, 16, FTW_PHYS);
}

TEST_F_TIMEOUT(run, one_tree_is_changed_by_many, LIMIT)
{
	ASSERT_OK(mkdir(TREE, 0755));
	EXPECT_EQ(0, run_tree(self->seconds, self->seed, 4));
	EXPECT_OK(sum_tree());
	/* Beside the tree, and all of it is there after the kexec. */
	ASSERT_OK(mkdir(PKRAM_MNT "/sum", 0755));
	EXPECT_OK(setxattr(PKRAM_MNT "/sum", "user.sum", &sum, sizeof(sum), 0));
	printf("# sum %#llx\n", (unsigned long long)sum);
}

/* The public ones that Debian has, for longer than the scenario exerciser */

static int stress(unsigned int seconds, const char *stressors)
{
	char *out = NULL;
	int ret;

	ret = vm_run(&out, "cd /tmp && stress-ng --temp-path " PKRAM_MNT
		     "/stress --verify --timeout %us %s", seconds, stressors);
	if (!ret && strstr(out, "fail:"))
		ret = -EBADMSG;
	if (ret)
		printf("%s\nstress-ng: %d\n", out, ret);
	free(out);
	return ret;
}

TEST_F_TIMEOUT(run, stress_ng_finds_nothing, LIMIT)
{
	ASSERT_OK(mkdir(PKRAM_MNT "/stress", 0777));
	EXPECT_EQ(0, stress(self->seconds / 2, "--dentry 1 --dir 1 --rename 1 --getdent 1\t"
			    "--open 1 --xattr 1 --utime 1 --lease 1 --flock 1 --locka 1"));
	EXPECT_EQ(0, stress(self->seconds / 2, "--hdd 1 --hdd-bytes 32m --iomix 1\t"
			    "--iomix-bytes 32m --fallocate 1 --fallocate-bytes 64m\t"
			    "--fpunch 1 --fiemap 1 --fiemap-bytes 16m --mmap 1 --mmap-file\t"
			    "--mmap-bytes 32m --msync 1 --msync-bytes 16m --copy-file 1\t"
			    "--copy-file-bytes 128m"));
	EXPECT_OK(fs_empty(PKRAM_MNT "/stress"));
	EXPECT_OK(rmdir(PKRAM_MNT "/stress"));
}

TEST_F_TIMEOUT(run, fio_reads_what_it_wrote, LIMIT)
{
	char *out = NULL;
	int ret;

	ret = vm_run(&out, "cd /tmp && fio --minimal --directory=" PKRAM_MNT
		     " --thread --size=64m --time_based --runtime=%u --verify=crc32c\t"
		     "--verify_fatal=1 --verify_backlog=64 --fallocate=none --unlink=1\t"
		     "--name=sync --rw=randrw --bssplit=512/20:4k/40:64k/30:2m/10\t"
		     "--bs_unaligned=1 --name=mmap --ioengine=mmap --rw=randrw --bs=16k\t"
		     "--name=uring --ioengine=io_uring --iodepth=16 --direct=1 --rw=randrw\t"
		     "--bs=16k", self->seconds);
	EXPECT_EQ(0, ret);
	EXPECT_EQ(NULL, strstr(out ?: "", "verify:"));
	if (ret)
		printf("%s\n", out);
	free(out);
}

/* The next kernel */

FIXTURE(after) {};

FIXTURE_SETUP(after)
{
	ASSERT_OK(fs_load());
	ASSERT_OK(fs_mount());
}

FIXTURE_TEARDOWN(after) {}

TEST_F_TIMEOUT(after, the_tree_is_as_it_was, LIMIT)
{
	uint64_t before = 0;

	EXPECT_EQ(0, pool_number("quarantined"));
	EXPECT_EQ(sizeof(before),
		  getxattr(PKRAM_MNT "/sum", "user.sum", &before, sizeof(before)));
	EXPECT_OK(sum_tree());
	EXPECT_EQ(before, sum);
	EXPECT_OK(fs_empty(PKRAM_MNT));
	ASSERT_OK(chdir("/"));
	EXPECT_EQ(0, pool_down());
}

TEST_HARNESS_MAIN

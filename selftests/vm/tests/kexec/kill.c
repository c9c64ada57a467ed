// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that constantly change files are killed at any moment, and the machine boots
 * the next kernel while others are running. The state found afterwards must be one that
 * they passed through: the one before the interrupted step, or the one after it.
 *
 * Each process keeps a model of its directory in memory that is a file of the pool, so that
 * the model is preserved as well. The model of the next state is written before a step,
 * and becomes the current one by a single store after it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "test.h"

#include "pool.h"

#define WORKERS		3
#define NAMES		5
#define BLOCK		4096
#define BLOCKS		1300	/* size of a file: somewhat more than two units */
#define KILLS		60
#define LOG		PKRAM_MNT "/log"
#define SEED		20261122

enum { NONE, FILE_, DIR_ };

struct file {
	uint32_t kind;
	uint32_t size;		/* in blocks */
	uint64_t label;		/* 0: none */
	uint32_t seed[BLOCKS];	/* of the pattern; 0: zeroes */
};

struct model {
	struct file f[NAMES];
};

enum op { CREATE, WRITE, RENAME, TRUNCATE, ALLOCATE, PUNCH, ZERO, LABEL, UNLINK,
	MKDIR, RMDIR, NR_OPS };

struct step {
	enum op op;
	uint32_t name, other, off, len, seed;
};

/* State: bit 0: a step is in progress; bit 1: which model is the current one */
#define TAKING	1
#define WHICH	2

struct worker {
	volatile uint32_t state;
	uint32_t steps;
	uint64_t random;
	struct step step;
	struct model model[2];
};

static struct worker *workers;

static uint32_t pick(uint64_t *random, uint32_t n)
{
	*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (*random >> 33) % n;
}

static char *path_of(int w, int name)
{
	static char path[8][64];
	static int n;
	char *p = path[n++ % 8];

	sprintf(p, PKRAM_MNT "/w%d/%d", w, name);
	return p;
}

/* The worker */

/* Choose a step that is possible with this model */
static void choose(struct worker *w, const struct model *m, struct step *s)
{
	const struct file *f;

	do {
		s->op = pick(&w->random, NR_OPS + 4);
		if (s->op >= NR_OPS)
			s->op = WRITE;
		s->name = pick(&w->random, NAMES);
		s->other = pick(&w->random, NAMES);
		s->off = pick(&w->random, BLOCKS - 1);
		s->len = 1 + pick(&w->random, BLOCKS - s->off);
		s->seed = 1 + pick(&w->random, 1 << 30);
		f = &m->f[s->name];
	} while (s->op == CREATE || s->op == MKDIR ? f->kind != NONE :
		 s->op == RMDIR ? f->kind != DIR_ :
		 s->op == RENAME ? f->kind != FILE_ || s->name == s->other ||
				   m->f[s->other].kind == DIR_ :
		 f->kind != FILE_);
}

/* Compute the model after a step */
static void apply(struct model *m, const struct step *s)
{
	struct file *f = &m->f[s->name];
	uint32_t end = s->off + s->len, i;

	switch (s->op) {
	case CREATE:
		f->kind = FILE_;
		break;
	case MKDIR:
		f->kind = DIR_;
		break;
	case WRITE:
	case ALLOCATE:
		if (end > f->size)
			f->size = end;
		for (i = s->off; s->op == WRITE && i < end; i++)
			f->seed[i] = s->seed;
		break;
	case PUNCH:
	case ZERO:
		for (i = s->off; i < end; i++)
			f->seed[i] = 0;
		break;
	case TRUNCATE:
		f->size = s->off;
		for (i = s->off; i < BLOCKS; i++)
			f->seed[i] = 0;
		break;
	case LABEL:
		f->label = s->seed;
		break;
	case RENAME:
		m->f[s->other] = *f;
		memset(f, 0, sizeof(*f));
		break;
	default:
		memset(f, 0, sizeof(*f));
	}
}

static int take(int w, const struct step *s)
{
	static char buf[BLOCKS * BLOCK];
	const char *path = path_of(w, s->name);
	off_t off = (off_t)s->off * BLOCK;
	size_t len = (size_t)s->len * BLOCK;
	uint64_t label = s->seed;
	int fd, ret = 0;

	switch (s->op) {
	case MKDIR:
		return mkdir(path, 0700);
	case RMDIR:
		return rmdir(path);
	case UNLINK:
		return unlink(path);
	case RENAME:
		return rename(path, path_of(w, s->other));
	case LABEL:
		return setxattr(path, "user.label", &label, sizeof(label), 0);
	default:
		break;
	}
	fd = open(path, O_RDWR | (s->op == CREATE ? O_CREAT | O_EXCL : 0), 0600);
	if (fd < 0)
		return -1;
	switch (s->op) {
	case WRITE:
		vm_fill(buf, len, s->seed, off);
		ret = pwrite(fd, buf, len, off) == (ssize_t)len ? 0 : -1;
		break;
	case TRUNCATE:
		ret = ftruncate(fd, off);
		break;
	case ALLOCATE:
		ret = fallocate(fd, 0, off, len);
		break;
	case PUNCH:
		ret = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off, len);
		break;
	case ZERO:
		ret = fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, off, len);
		break;
	default:
		break;
	}
	close(fd);
	return ret;
}

static void __attribute__((noreturn)) work(int n)
{
	struct worker *w = &workers[n];

	for (;;) {
		uint32_t now = w->state & WHICH;
		struct model *cur = &w->model[!!now], *next = &w->model[!now];

		*next = *cur;
		choose(w, cur, &w->step);
		apply(next, &w->step);
		w->state = now | TAKING;
		if (take(n, &w->step))
			_exit(100 + w->step.op);
		w->state = now ^ WHICH;
		w->steps++;
	}
}

static pid_t start_worker(int n)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	setsid();
	work(n);
}

/* The checks */

static bool content_step(const struct step *s)
{
	return s->op == WRITE || s->op == ALLOCATE || s->op == PUNCH ||
	       s->op == ZERO || s->op == TRUNCATE;
}

static bool bytes_are(const uint8_t *word, const uint8_t *a, const uint8_t *b)
{
	int i;

	for (i = 0; i < 8; i++)
		if (word[i] != a[i] && word[i] != b[i] && word[i])
			return false;
	return true;
}

/*
 * Check that a block has the pattern of one seed or of the other. If the end of the kernel
 * interrupted a copy, each word may have either.
 */
static bool block_is(struct __test_metadata *_metadata, const uint64_t *block,
		     off_t off, uint32_t before, uint32_t after, bool words)
{
	static uint64_t a[BLOCK / 8], b[BLOCK / 8];
	bool as_a, as_b;
	int i, torn = 0;

	memset(a, 0, sizeof(a));
	memset(b, 0, sizeof(b));
	if (before)
		vm_fill(a, BLOCK, before, off);
	if (after && after != before)
		vm_fill(b, BLOCK, after, off);
	else if (after)
		memcpy(b, a, sizeof(b));
	as_a = !memcmp(block, a, BLOCK);
	as_b = !memcmp(block, b, BLOCK);
	if (as_a || as_b || !words)
		return as_a || as_b;
	for (i = 0; i < BLOCK / 8; i++) {
		if (block[i] == a[i] || block[i] == b[i] || !block[i])
			continue;
		/* The CPU copies bytes; the copy may end within a word, but only within one. */
		if (torn++ || !bytes_are((void *)&block[i], (void *)&a[i], (void *)&b[i])) {
			TH_LOG("block at %lld, word %d: %llx; before %llx, after %llx",
			       (long long)off, i, (long long)block[i],
			       (long long)a[i], (long long)b[i]);
			return false;
		}
	}
	return true;
}

/*
 * Return NULL if a file matches @b, or @a, or (if @between) a state in between; else a
 * description of the difference
 */
static const char *compare(struct __test_metadata *_metadata, int w, int name,
			   const struct file *b, const struct file *a,
			   bool between, bool words)
{
	static uint64_t block[BLOCK / 8];
	const char *path = path_of(w, name), *bad = NULL;
	uint64_t label = 0;
	struct stat st;
	uint32_t i, size, lo, hi;
	int fd;

	if (lstat(path, &st))
		return errno == ENOENT && b->kind == NONE ? NULL : "is not there";
	if (b->kind == DIR_)
		return S_ISDIR(st.st_mode) ? NULL : "is no directory";
	if (b->kind != FILE_ || !S_ISREG(st.st_mode))
		return "is there, or of another kind";
	if (getxattr(path, "user.label", &label, sizeof(label)) < 0 && errno != ENODATA)
		return "has no label to read";
	if (label != b->label)
		return "has another label";
	size = st.st_size / BLOCK;
	lo = b->size < a->size ? b->size : a->size;
	hi = b->size > a->size ? b->size : a->size;
	/* Only a write can stop at a size in between. */
	if (st.st_size % BLOCK || size < lo || size > hi)
		return "has another size";
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return "does not open";
	for (i = 0; !bad && i < size; i++) {
		if (pread(fd, block, BLOCK, (off_t)i * BLOCK) != BLOCK)
			bad = "cannot be read";
		else if (!block_is(_metadata, block, (off_t)i * BLOCK, b->seed[i],
				   between ? a->seed[i] : b->seed[i], words))
			bad = "has other content";
	}
	close(fd);
	return bad;
}

static int nr_entries(int w)
{
	char path[64];
	struct dirent *d;
	int n = 0;
	DIR *dir;

	sprintf(path, PKRAM_MNT "/w%d", w);
	dir = opendir(path);
	if (!dir)
		return -1;
	while ((d = readdir(dir)))
		n += d->d_name[0] != '.';
	closedir(dir);
	return n;
}

static const char *compare_all(struct __test_metadata *_metadata, int w,
			       const struct model *m, int *name)
{
	const char *bad;
	int n = 0;

	for (*name = 0; *name < NAMES; (*name)++) {
		bad = compare(_metadata, w, *name, &m->f[*name], &m->f[*name], false, false);
		if (bad)
			return bad;
		n += m->f[*name].kind != NONE;
	}
	return nr_entries(w) == n ? NULL : "something else is there";
}

/*
 * Compare a directory with its model, and update the model. A file whose content was
 * interrupted is removed. @words: see block_is().
 */
static void check_worker(struct __test_metadata *_metadata, int n, bool words)
{
	struct worker *w = &workers[n];
	struct model *before = &w->model[!!(w->state & WHICH)];
	struct model *after = &w->model[!(w->state & WHICH)];
	const char *bad, *bad2;
	int name = 0, name2, i;

	if (!(w->state & TAKING)) {
		bad = compare_all(_metadata, n, before, &name);
		EXPECT_EQ(NULL, bad) {
			TH_LOG("worker %d, step %u: %d %s", n, w->steps, name, bad);
		}
		return;
	}
	if (!content_step(&w->step)) {
		bad = compare_all(_metadata, n, before, &name);
		bad2 = bad ? compare_all(_metadata, n, after, &name2) : NULL;
		EXPECT_EQ(NULL, bad2) {
			TH_LOG("worker %d, step %u (op %d of %u, %u): before: %d %s; after: %d %s",
			       n, w->steps, w->step.op, w->step.name, w->step.other, name,
			       bad, name2, bad2);
		}
		w->state = (w->state & WHICH) ^ (bad ? WHICH : 0);
		return;
	}
	for (i = 0; i < NAMES; i++) {
		bad = compare(_metadata, n, i, &before->f[i], &after->f[i],
			      i == w->step.name, words);
		EXPECT_EQ(NULL, bad) {
			TH_LOG("worker %d, step %u (op %d of %u at %u, %u): %d %s", n,
			       w->steps, w->step.op, w->step.name, w->step.off,
			       w->step.len, i, bad);
		}
	}
	EXPECT_EQ(0, unlink(path_of(n, w->step.name)));
	memset(&before->f[w->step.name], 0, sizeof(struct file));
	w->state &= WHICH;
}

static int open_log(bool create)
{
	int fd = open(LOG, O_RDWR | (create ? O_CREAT | O_EXCL : 0), 0600);

	if (fd < 0 || (create && ftruncate(fd, WORKERS * sizeof(*workers))))
		return -errno;
	workers = mmap(NULL, WORKERS * sizeof(*workers), PROT_READ | PROT_WRITE,
		       MAP_SHARED, fd, 0);
	close(fd);
	return workers == MAP_FAILED ? -errno : 0;
}

static void leave_at_work(struct __test_metadata *_metadata)
{
	int i;

	for (i = 0; i < WORKERS; i++)
		ASSERT_LT(0, start_worker(i));
	usleep(500000);
	for (i = 0; i < WORKERS; i++)
		ASSERT_EQ(0, waitpid(-1, NULL, WNOHANG));
}

STAGE(kill)

TEST_F(kill, creates_a_pool)
{
	int i;

	ASSERT_EQ(0, pool_up(NULL));
	ASSERT_EQ(0, pool_grow(1));
	ASSERT_EQ(0, open_log(true));
	for (i = 0; i < WORKERS; i++) {
		char path[64];

		sprintf(path, PKRAM_MNT "/w%d", i);
		ASSERT_EQ(0, mkdir(path, 0755));
		workers[i].random = SEED + i;
	}
}

TEST_F_TIMEOUT(kill, every_step_is_atomic, 400)
{
	uint64_t random = SEED;
	pid_t pid[WORKERS];
	int i, n, taking = 0, status;
	double begin = vm_now();
	uint32_t steps = 0;

	ASSERT_EQ(0, open_log(false));
	for (i = 0; i < WORKERS; i++)
		pid[i] = start_worker(i);
	for (i = 0; i < KILLS && vm_now() - begin < 240; i++) {
		n = pick(&random, WORKERS);
		usleep(20000 + pick(&random, 200000));
		kill(pid[n], SIGKILL);
		ASSERT_EQ(pid[n], waitpid(pid[n], &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status)) {
			TH_LOG("worker %d: op %d failed", n, workers[n].step.op);
		}
		taking += workers[n].state & TAKING;
		check_worker(_metadata, n, false);
		pid[n] = start_worker(n);
	}
	for (n = 0; n < WORKERS; n++) {
		kill(pid[n], SIGKILL);
		waitpid(pid[n], NULL, 0);
		check_worker(_metadata, n, false);
		steps += workers[n].steps;
	}
	TH_LOG("%d kills, %d of them within a step, of %u steps", i, taking, steps);
	EXPECT_LT(5, taking);
	EXPECT_EQ(0, pool_number("quarantined"));
}

TEST_F(kill, workers_run_during_kexec)
{
	ASSERT_EQ(0, open_log(false));
	leave_at_work(_metadata);
}

static void check_after_kexec(struct __test_metadata *_metadata)
{
	int i;

	ASSERT_EQ(0, pool_up(NULL));
	EXPECT_EQ(0, pool_number("quarantined"));
	ASSERT_EQ(0, open_log(false));
	for (i = 0; i < WORKERS; i++) {
		TH_LOG("worker %d: %u steps, %s of op %d", i, workers[i].steps,
		       workers[i].state & TAKING ? "in the middle" : "after the end",
		       workers[i].step.op);
		check_worker(_metadata, i, true);
	}
}

STAGE(cut)

TEST_F_TIMEOUT(cut, every_step_is_atomic, 200)
{
	check_after_kexec(_metadata);
	leave_at_work(_metadata);
}

STAGE(last)

TEST_F_TIMEOUT(last, every_step_is_atomic, 200)
{
	check_after_kexec(_metadata);
	ASSERT_EQ(0, munmap(workers, WORKERS * sizeof(*workers)));
	EXPECT_EQ(0, vm_run(NULL, "rm -r " PKRAM_MNT "/*"));
	EXPECT_EQ(0, pool_number("objects"));
	EXPECT_EQ(pool_number("size") - pool_number("meta"), pool_number("free"));
	EXPECT_EQ(0, vm_run(NULL, CTL "pool shrink 1G"));
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0
/* pkramfs: ioctls and exclusive claims */
#include <sys/wait.h>

#include "fs_fixture.h"

static const uint8_t vm_a[16] = "guest a", vm_b[16] = "guest b", no_vm[16];
static const uint8_t cookie_1[16] = "cookie 1", cookie_2[16] = "cookie 2", no_cookie[16];

static int info(int fd, struct pkram_ioc_info *i)
{
	memset(i, 0, sizeof(*i));
	i->size = sizeof(*i);
	return ioctl(fd, PKRAM_IOC_INFO, i);
}

static int state_of(int fd)
{
	struct pkram_ioc_info i;

	return info(fd, &i) ? -errno : (int)i.state;
}

static int claim(int fd, uint32_t flags, const uint8_t vm[16], uint64_t bytes)
{
	struct pkram_ioc_claim c = { .size = sizeof(c), .flags = flags, .bytes = bytes };

	memcpy(c.vm_uuid, vm, 16);
	return ioctl(fd, PKRAM_IOC_CLAIM, &c);
}

static int seal_ioctl(int fd, unsigned long cmd, const uint8_t cookie[16],
		      const uint8_t vm[16], uint64_t *generation)
{
	struct pkram_ioc_seal s = { .size = sizeof(s) };

	memcpy(s.cookie, cookie, 16);
	memcpy(s.vm_uuid, vm, 16);
	if (ioctl(fd, cmd, &s))
		return -1;
	if (generation)
		*generation = s.generation;
	return 0;
}

static int seal(int fd, const uint8_t cookie[16])
{
	return seal_ioctl(fd, PKRAM_IOC_SEAL, cookie, vm_a, NULL);
}

static int resume_flags(int fd, const uint8_t cookie[16], uint32_t flags)
{
	struct pkram_ioc_seal s = { .size = sizeof(s), .flags = flags };

	memcpy(s.cookie, cookie, 16);
	return ioctl(fd, PKRAM_IOC_RESUME, &s);
}

static int resume(int fd, const uint8_t cookie[16])
{
	return seal_ioctl(fd, PKRAM_IOC_RESUME, cookie, no_vm, NULL);
}

TEST_F(main, info_reports_the_object)
{
	int fd = fs_file("file", 3 * UNIT + 5), other = fs_file("other", 0);
	struct pkram_ioc_info i, j;
	struct stat st;

	ASSERT_OK(info(fd, &i));
	EXPECT_OK(fstat(fd, &st));
	EXPECT_EQ(sizeof(i), i.size);
	EXPECT_EQ(st.st_ino, i.object_id);
	EXPECT_EQ(3 * UNIT + 5, i.bytes);
	EXPECT_EQ(4 * UNIT, i.allocated);
	EXPECT_EQ(0, i.generation);
	EXPECT_EQ(PKRAM_STATE_IDLE, i.state);
	EXPECT_LE(1, i.nr_extents);
	EXPECT_EQ(UNIT, i.align);
	EXPECT_EQ(0, memcmp(i.vm_uuid, no_vm, 16));
	EXPECT_NE(0, memcmp(i.pool_uuid, no_vm, 16));
	ASSERT_OK(info(other, &j));
	EXPECT_NE(i.object_id, j.object_id);
	EXPECT_EQ(0, memcmp(i.pool_uuid, j.pool_uuid, 16));
	close(fd);
	/* Read access is sufficient for INFO. */
	fd = open("file", O_RDONLY);
	EXPECT_OK(info(fd, &i));
	close(fd);
	close(other);
}

TEST_F(main, ioctl_accepts_older_and_newer_structs)
{
	struct {
		struct pkram_ioc_info i;
		uint64_t newer[2];
	} big = { .i = { .size = sizeof(big) } };
	struct pkram_ioc_info small = { .size = 24, .generation = 0x1234 };
	struct pkram_ioc_claim c = { .size = sizeof(c) };
	int fd = fs_file("file", UNIT);

	EXPECT_OK(ioctl(fd, PKRAM_IOC_INFO, &big));
	EXPECT_EQ(UNIT, big.i.bytes);
	EXPECT_EQ(sizeof(big), big.i.size);
	EXPECT_EQ(0, big.newer[0] | big.newer[1]);
	/* The ioctl number that a newer header would define */
	EXPECT_OK(ioctl(fd, _IOC(_IOC_READ | _IOC_WRITE, PKRAM_IOC_MAGIC, 0, sizeof(big)), &big));
	big.newer[1] = 1;
	EXPECT_ERR(E2BIG, ioctl(fd, PKRAM_IOC_INFO, &big));
	EXPECT_OK(ioctl(fd, PKRAM_IOC_INFO, &small));
	EXPECT_EQ(UNIT, small.bytes);
	EXPECT_EQ(0x1234, small.generation);
	small.size = 7;
	EXPECT_ERR(EINVAL, ioctl(fd, PKRAM_IOC_INFO, &small));
	small.size = 1U << 30;
	EXPECT_ERR(E2BIG, ioctl(fd, PKRAM_IOC_INFO, &small));
	small.size = sizeof(small);
	small.flags = 1;
	EXPECT_ERR(EINVAL, ioctl(fd, PKRAM_IOC_INFO, &small));
	c.size = 16;
	EXPECT_ERR(EINVAL, ioctl(fd, PKRAM_IOC_CLAIM, &c));
	EXPECT_ERR(EFAULT, ioctl(fd, PKRAM_IOC_INFO, (void *)8));
	EXPECT_ERR(ENOTTY, ioctl(fd, _IOWR(PKRAM_IOC_MAGIC, 99, struct pkram_ioc_info), &small));
	EXPECT_ERR(ENOTTY, ioctl(fd, _IO('x', 1), NULL));
	close(fd);
}

TEST_F(main, claim_needs_write_access_and_valid_arguments)
{
	int fd = fs_file("file", UNIT), ro = open("file", O_RDONLY);

	EXPECT_ERR(EBADF, claim(ro, 0, no_vm, 0));
	EXPECT_ERR(EBADF, seal(ro, cookie_1));
	EXPECT_ERR(EBADF, resume(ro, cookie_1));
	EXPECT_ERR(EPERM, seal(fd, cookie_1));
	EXPECT_ERR(EPERM, resume(fd, cookie_1));
	EXPECT_ERR(EINVAL, claim(fd, 1U << 31, no_vm, 0));
	EXPECT_ERR(EINVAL, claim(fd, PKRAM_CLAIM_SEALED | PKRAM_CLAIM_UNSEAL, no_vm, 0));
	EXPECT_ERR(EINVAL, claim(fd, 0, no_vm, 2 * UNIT));
	EXPECT_ERR(ENODATA, claim(fd, PKRAM_CLAIM_SEALED, no_vm, 0));
	EXPECT_EQ(PKRAM_STATE_IDLE, state_of(fd));
	EXPECT_OK(claim(fd, 0, no_vm, UNIT));
	EXPECT_EQ(PKRAM_STATE_CLAIMED, state_of(ro));
	EXPECT_ERR(EINVAL, seal(fd, no_cookie));
	EXPECT_ERR(ENODATA, resume(fd, cookie_1));
	EXPECT_ERR(ENODATA, resume_flags(fd, cookie_1, PKRAM_RESUME_CHECK));
	close(ro);
	close(fd);
}

TEST_F(main, claim_with_second_writer_is_ebusy)
{
	int a = fs_file("file", UNIT), b = open("file", O_RDWR);

	ASSERT_LE(0, b);
	EXPECT_ERR(EBUSY, claim(a, 0, no_vm, 0));
	close(b);
	EXPECT_OK(claim(a, 0, no_vm, 0));
	close(a);
}

/* What other openers may not do to a claimed or sealed object; refusals change nothing */
static void expect_others_ebusy(struct __test_metadata *_metadata)
{
	struct stat before, after;
	int ro;

	EXPECT_OK(stat("file", &before));
	EXPECT_ERR(EBUSY, open("file", O_RDWR));
	EXPECT_ERR(EBUSY, open("file", O_WRONLY | O_TRUNC));
	EXPECT_ERR(EBUSY, open("file", O_RDONLY | O_TRUNC));
	EXPECT_ERR(EBUSY, open("file", O_WRONLY | O_CREAT, 0644));
	EXPECT_ERR(EBUSY, truncate("file", 0));
	EXPECT_ERR(EBUSY, truncate("file", 8 * UNIT));
	EXPECT_ERR(EBUSY, unlink("file"));
	EXPECT_ERR(EBUSY, rename("other", "file"));
	EXPECT_ERR(EBUSY, rename("file", "away"));
	EXPECT_OK(stat("file", &after));
	EXPECT_EQ(before.st_ino, after.st_ino);
	EXPECT_EQ(4 * UNIT, after.st_size);
	EXPECT_EQ(before.st_blocks, after.st_blocks);
	ro = open("file", O_RDONLY);
	EXPECT_LE(0, ro);
	EXPECT_ERR(EBADF, fallocate(ro, 0, 0, UNIT));
	EXPECT_EQ(-1, fs_find_other(ro, 0x99, 4 * UNIT, 0));
	close(ro);
}

TEST_F(main, claimed_object_refuses_other_openers)
{
	int fd = fs_file("file", 0);

	close(fs_file("other", 0));
	EXPECT_OK(fs_set(fd, 0x99, 4 * UNIT, 0));
	ASSERT_OK(claim(fd, 0, no_vm, 0));
	expect_others_ebusy(_metadata);
	EXPECT_ERR(EBUSY, open("file", O_RDWR | O_EXCL));
	/* The holder of the claim may do all of it. */
	EXPECT_EQ(1, pwrite(fd, "x", 1, 0));
	EXPECT_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, UNIT, UNIT));
	EXPECT_OK(ftruncate(fd, 2 * UNIT));
	EXPECT_OK(ftruncate(fd, 3 * UNIT));
	/* Claiming again changes nothing. */
	EXPECT_OK(claim(fd, 0, no_vm, 0));
	close(fd);
}

TEST_F(main, claim_ends_with_last_close)
{
	int fd = fs_file("file", UNIT), dup_fd, ro;

	ASSERT_OK(claim(fd, 0, no_vm, 0));
	dup_fd = dup(fd);
	close(fd);
	ro = open("file", O_RDONLY);
	EXPECT_EQ(PKRAM_STATE_CLAIMED, state_of(ro));
	EXPECT_ERR(EBUSY, unlink("file"));
	close(dup_fd);
	EXPECT_EQ(PKRAM_STATE_RUNNING, state_of(ro));
	fd = open("file", O_RDWR);
	EXPECT_LE(0, fd);
	EXPECT_OK(claim(fd, 0, no_vm, 0));
	close(fd);
	close(ro);
	EXPECT_OK(unlink("file"));
}

TEST_F(main, sealed_object_refuses_other_openers)
{
	int fd = fs_file("file", 0), ro;
	struct pkram_ioc_info i;

	close(fs_file("other", 0));
	EXPECT_OK(fs_set(fd, 0x99, 4 * UNIT, 0));
	ASSERT_OK(claim(fd, 0, no_vm, 0));
	ASSERT_OK(seal(fd, cookie_1));
	expect_others_ebusy(_metadata);
	close(fd);
	expect_others_ebusy(_metadata);
	ro = open("file", O_RDONLY);
	ASSERT_OK(info(ro, &i));
	EXPECT_EQ(PKRAM_STATE_SEALED, i.state);
	EXPECT_EQ(1, i.generation);
	EXPECT_EQ(0, memcmp(i.vm_uuid, vm_a, 16));
	close(ro);
	/* An open with O_EXCL, to resume, is accepted; but nothing may change before the claim. */
	fd = open("file", O_RDWR | O_EXCL);
	ASSERT_LE(0, fd);
	EXPECT_ERR(EBUSY, pwrite(fd, "x", 1, 0));
	EXPECT_ERR(EBUSY, ftruncate(fd, 0));
	EXPECT_ERR(EBUSY, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, UNIT));
	expect_others_ebusy(_metadata);
	EXPECT_ERR(EBUSY, claim(fd, 0, no_vm, 0));
	EXPECT_OK(claim(fd, PKRAM_CLAIM_UNSEAL, no_vm, 0));
	EXPECT_EQ(1, pwrite(fd, "x", 1, 0));
	close(fd);
}

TEST_F(main, seal_resumes_once_with_its_cookie)
{
	int fd = fs_file("file", 4 * UNIT);
	uint64_t generation = 0;

	ASSERT_OK(claim(fd, 0, no_vm, 0));
	ASSERT_OK(seal_ioctl(fd, PKRAM_IOC_SEAL, cookie_1, vm_a, &generation));
	EXPECT_EQ(1, generation);
	close(fd);
	fd = open("file", O_RDWR | O_EXCL);
	ASSERT_LE(0, fd);
	EXPECT_ERR(EPERM, resume(fd, cookie_1));
	EXPECT_ERR(ESTALE, claim(fd, PKRAM_CLAIM_SEALED, vm_b, 0));
	EXPECT_ERR(EINVAL, claim(fd, PKRAM_CLAIM_SEALED, vm_a, 5 * UNIT));
	EXPECT_OK(claim(fd, PKRAM_CLAIM_SEALED, vm_a, 4 * UNIT));
	EXPECT_EQ(PKRAM_STATE_SEALED, state_of(fd));
	EXPECT_ERR(ESTALE, resume(fd, cookie_2));
	/* PKRAM_RESUME_CHECK does not consume the seal. */
	EXPECT_ERR(EINVAL, resume_flags(fd, cookie_1, PKRAM_RESUME_CHECK << 1));
	EXPECT_ERR(ESTALE, resume_flags(fd, cookie_2, PKRAM_RESUME_CHECK));
	EXPECT_OK(resume_flags(fd, cookie_1, PKRAM_RESUME_CHECK));
	EXPECT_EQ(PKRAM_STATE_SEALED, state_of(fd));
	EXPECT_OK(seal_ioctl(fd, PKRAM_IOC_RESUME, cookie_1, no_vm, &generation));
	EXPECT_EQ(1, generation);
	EXPECT_EQ(PKRAM_STATE_CLAIMED, state_of(fd));
	EXPECT_ERR(ENODATA, resume(fd, cookie_1));
	/* Sealed again: the generation is new, and the old cookie is refused. */
	EXPECT_OK(seal_ioctl(fd, PKRAM_IOC_SEAL, cookie_2, vm_a, &generation));
	EXPECT_EQ(2, generation);
	EXPECT_ERR(ESTALE, resume(fd, cookie_1));
	EXPECT_OK(resume(fd, cookie_2));
	close(fd);
	EXPECT_OK(unlink("file"));
}

TEST_F(main, cookie_is_shown_to_the_owner)
{
	int fd = fs_file("file", UNIT), status = -1;
	struct pkram_ioc_info i;
	pid_t pid;

	ASSERT_OK(info(fd, &i));
	EXPECT_EQ(0, memcmp(i.cookie, no_cookie, 16));
	ASSERT_OK(claim(fd, 0, no_vm, 0));
	ASSERT_OK(seal(fd, cookie_1));
	ASSERT_OK(info(fd, &i));
	EXPECT_EQ(0, memcmp(i.cookie, cookie_1, 16));
	/* Not to another user, who got the open file */
	pid = fork();
	if (!pid) {
		if (setgid(65534) || setuid(65534) || info(fd, &i))
			_exit(2);
		_exit(i.generation != 1 || memcmp(i.cookie, no_cookie, 16));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	/* But if it is that user's file */
	ASSERT_OK(fchown(fd, 65534, 65534));
	pid = fork();
	if (!pid) {
		if (setgid(65534) || setuid(65534) || info(fd, &i))
			_exit(2);
		_exit(!!memcmp(i.cookie, cookie_1, 16));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_OK(resume(fd, cookie_1));
	ASSERT_OK(info(fd, &i));
	EXPECT_EQ(0, memcmp(i.cookie, no_cookie, 16));
	close(fd);
	EXPECT_OK(unlink("file"));
}

static int resume_all(struct pkram_resume_one *one, uint32_t nr)
{
	struct pkram_ioc_resume_all r = { .size = sizeof(r), .nr = nr,
					  .objects = (uintptr_t)one };

	return ioctl(one->fd, PKRAM_IOC_RESUME_ALL, &r);
}

TEST_F(main, seals_of_several_objects_resume_together_or_not_at_all)
{
	struct pkram_resume_one one[3] = {};
	struct pkram_ioc_resume_all r = { .size = sizeof(r), .nr = 3,
					  .objects = (uintptr_t)one };
	char name[] = "0";
	int i, ro, third;

	for (i = 0; i < 3; i++) {
		name[0] = '0' + i;
		one[i].fd = fs_file(name, UNIT);
		ASSERT_OK(claim(one[i].fd, 0, no_vm, 0));
		ASSERT_OK(seal(one[i].fd, cookie_1));
		memcpy(one[i].cookie, cookie_1, 16);
	}
	/* The last of them is refused: the first two stay sealed. */
	memcpy(one[2].cookie, cookie_2, 16);
	EXPECT_ERR(ESTALE, resume_all(one, 3));
	memcpy(one[2].cookie, cookie_1, 16);
	EXPECT_OK(resume(one[2].fd, cookie_1));
	EXPECT_ERR(ENODATA, resume_all(one, 3));
	third = one[2].fd;
	one[2].fd = one[0].fd;
	EXPECT_ERR(ENODATA, resume_all(one, 3));
	one[2].fd = open("1", O_RDONLY);
	EXPECT_ERR(EBADF, resume_all(one, 3));
	close(one[2].fd);
	EXPECT_ERR(EBADF, resume_all(one, 3));
	ro = open("/dev/zero", O_RDWR);
	one[2].fd = ro;
	EXPECT_ERR(EBADF, resume_all(one, 3));
	close(ro);
	one[2].fd = fs_file("other", 0);
	EXPECT_ERR(EPERM, resume_all(one, 3));
	close(one[2].fd);
	one[1].reserved = 1;
	EXPECT_ERR(EINVAL, resume_all(one, 2));
	one[1].reserved = 0;
	EXPECT_ERR(EINVAL, resume_all(one, 0));
	EXPECT_ERR(EINVAL, resume_all(one, PKRAM_RESUME_MAX + 1));
	r.objects = 8;
	EXPECT_ERR(EFAULT, ioctl(one[0].fd, PKRAM_IOC_RESUME_ALL, &r));
	EXPECT_EQ(PKRAM_STATE_SEALED, state_of(one[0].fd));
	EXPECT_EQ(PKRAM_STATE_SEALED, state_of(one[1].fd));
	EXPECT_OK(resume_all(one, 2));
	EXPECT_EQ(PKRAM_STATE_CLAIMED, state_of(one[0].fd));
	EXPECT_EQ(PKRAM_STATE_CLAIMED, state_of(one[1].fd));
	EXPECT_ERR(ENODATA, resume_all(one, 2));
	close(one[0].fd);
	close(one[1].fd);
	close(third);
	EXPECT_OK(unlink("0"));
	EXPECT_OK(unlink("1"));
	EXPECT_OK(unlink("2"));
	EXPECT_OK(unlink("other"));
}

/* A file can be longer than the pool; memory comes when it is written. */
TEST_F(main, sparse_size_takes_no_memory)
{
	struct pkram_ioc_alloc a = { .size = sizeof(a), .flags = PKRAM_ALLOC_SPARSE,
				     .offset = 64ULL << 30, .bytes = UNIT };
	int fd = fs_file("file", UNIT), ro = open("file", O_RDONLY);
	struct pkram_ioc_info i;
	char byte = 'x';

	ASSERT_OK(info(fd, &i));
	EXPECT_EQ(UNIT, i.allocated);
	EXPECT_OK(ioctl(fd, PKRAM_IOC_ALLOC, &a));
	ASSERT_OK(info(fd, &i));
	EXPECT_EQ((64ULL << 30) + UNIT, i.bytes);
	EXPECT_EQ(UNIT, i.allocated);
	EXPECT_EQ(1, pwrite(fd, &byte, 1, 64ULL << 30));
	ASSERT_OK(info(fd, &i));
	EXPECT_EQ(2 * UNIT, i.allocated);
	/* It does not become shorter. */
	a.offset = 0;
	EXPECT_OK(ioctl(fd, PKRAM_IOC_ALLOC, &a));
	ASSERT_OK(info(fd, &i));
	EXPECT_EQ((64ULL << 30) + UNIT, i.bytes);
	EXPECT_ERR(EBADF, ioctl(ro, PKRAM_IOC_ALLOC, &a));
	a.flags |= PKRAM_ALLOC_STRICT;
	EXPECT_ERR(EINVAL, ioctl(fd, PKRAM_IOC_ALLOC, &a));
	a.flags = PKRAM_ALLOC_SPARSE;
	a.offset = -UNIT;
	EXPECT_ERR(EFBIG, ioctl(fd, PKRAM_IOC_ALLOC, &a));
	a.offset = 1ULL << 62;
	EXPECT_ERR(EFBIG, ioctl(fd, PKRAM_IOC_ALLOC, &a));
	close(ro);
	close(fd);
	EXPECT_OK(unlink("file"));
}

TEST_F(main, exclusive_open_excludes_other_opens)
{
	int fd = fs_file("file", UNIT), excl;

	EXPECT_ERR(EBUSY, open("file", O_RDWR | O_EXCL));
	close(fd);
	excl = open("file", O_RDWR | O_EXCL);
	ASSERT_LE(0, excl);
	EXPECT_ERR(EBUSY, open("file", O_RDWR));
	EXPECT_ERR(EBUSY, open("file", O_RDWR | O_EXCL));
	EXPECT_ERR(EBUSY, truncate("file", 0));
	EXPECT_EQ(1, pwrite(excl, "x", 1, 0));
	close(excl);
	fd = open("file", O_RDWR);
	EXPECT_LE(0, fd);
	close(fd);
}

TEST_F(main, claim_of_unlinked_object_is_refused)
{
	int fd = fs_file("file", UNIT);

	EXPECT_OK(unlink("file"));
	EXPECT_ERR(ENOENT, claim(fd, 0, no_vm, 0));
	close(fd);
}

TEST_F(main, claims_and_seals_survive_a_remount)
{
	int fd = fs_file("file", UNIT);
	struct pkram_ioc_info i;

	ASSERT_OK(claim(fd, 0, no_vm, 0));
	ASSERT_OK(seal(fd, cookie_1));
	close(fd);
	EXPECT_OK(chdir("/"));
	ASSERT_OK(vm_umount(PKRAM_MNT));
	ASSERT_OK(fs_mount());
	ASSERT_OK(chdir(PKRAM_MNT "/test"));
	fd = open("file", O_RDWR | O_EXCL);
	ASSERT_LE(0, fd);
	ASSERT_OK(info(fd, &i));
	EXPECT_EQ(PKRAM_STATE_SEALED, i.state);
	EXPECT_OK(claim(fd, PKRAM_CLAIM_SEALED, vm_a, UNIT));
	EXPECT_OK(resume(fd, cookie_1));
	close(fd);
}

TEST_F(main, object_of_1g_is_aligned_for_1g_leaves)
{
	int fd = fs_file("file", GIB);
	struct pkram_ioc_info i;

	if (fd < 0)
		SKIP(return, "no whole GiB is free");
	ASSERT_OK(info(fd, &i));
	if (i.nr_extents == 1)
		EXPECT_EQ(GIB, i.align);
	close(fd);
}

TEST_F(main, leaves_are_zero_without_mapping)
{
	struct pkram_ioc_leaves l = { .size = sizeof(l), .leaves_4k = 1, .leaves_2m = 1 };
	int fd = fs_file("file", UNIT);

	EXPECT_OK(ioctl(fd, PKRAM_IOC_LEAVES, &l));
	EXPECT_EQ(0, l.leaves_4k | l.leaves_2m | l.leaves_1g);
	close(fd);
}

TEST_HARNESS_MAIN

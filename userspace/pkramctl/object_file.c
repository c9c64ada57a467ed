// SPDX-License-Identifier: GPL-2.0
/* pkramctl object: the verbs that work on a file of pkramfs. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include "ctl.h"
#include "object_file.h"
#include "parse.h"
#include "print.h"

#define PREFIX		"user."		/* of labels, to the kernel */
#define MAX_LABELS	65536		/* XATTR_LIST_MAX, and of a value */

char *path_join(const char *dir, const char *name)
{
	char *path;

	return ctl_must(asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path);
}

char *object_path(const char *dir, const char *word)
{
	if (*word == '/' || !strncmp(word, "./", 2) || !strncmp(word, "../", 3))
		return ctl_must(strdup(word));
	return path_join(dir, word);
}

/* What the kernel's errno means for an object. Return: %CTL_FAILED */
static int fail(const char *path, int err)
{
	struct pkram_ioc_info info = { .size = sizeof(info) };
	int fd;

	switch (err) {
	case -ENOTTY:
		return ctl_error("%s: not a file of pkramfs", path);
	case -EUCLEAN:
		return ctl_error("%s: %s: the object is damaged; pkramctl object list tells why, object discard removes it",
				 path, strerror(-err));
	case -ENOSPC:
		return ctl_error("%s: %s in the pool, or on the node: pkramctl pool show, pool grow",
				 path, strerror(-err));
	case -EBUSY:
		break;
	default:
		return ctl_error("%s: %s", path, strerror(-err));
	}
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0) {
		err = pkram_file_info(fd, &info);
		close(fd);
	}
	if (fd >= 0 && !err && info.state == PKRAM_STATE_SEALED)
		return ctl_error("%s: sealed, it holds a saved guest: pkramctl object discard gives that up",
				 path);
	return ctl_error("%s: in use by another process", path);
}

/*
 * Open a file of pkramfs, and no other. Return: the descriptor, or -1: it was said
 * why not
 */
static int open_object(const char *path, int flags, struct pkram_ioc_info *info)
{
	int fd, err;

	fd = open(path, flags | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		fail(path, -errno);
		return -1;
	}
	*info = (struct pkram_ioc_info){ .size = sizeof(*info) };
	err = pkram_file_info(fd, info);
	if (err) {
		fail(path, err);
		close(fd);
		return -1;
	}
	return fd;
}

/* The one word that a verb needs, as a path; NULL: it was said that it is missing */
static char *take_object(const char *verb, int argc, char **argv)
{
	if (!argc) {
		ctl_usage("object %s: which one? (a name in " OBJECT_DIR ", or a path)",
			  verb);
		return NULL;
	}
	return object_path(OBJECT_DIR, argv[0]);
}

/* Labels */

/* Their names, each with a NUL behind it; to be freed. Return: bytes or -errno */
static ssize_t list_labels(int fd, char **names)
{
	ssize_t len;

	*names = ctl_must(malloc(MAX_LABELS));
	len = flistxattr(fd, *names, MAX_LABELS);
	return len < 0 ? -errno : len;
}

static void print_label(int fd, const char *name)
{
	char *value = ctl_must(malloc(MAX_LABELS + 1));
	ssize_t len = fgetxattr(fd, name, value, MAX_LABELS);

	/* It may be gone since it was listed */
	if (len >= 0) {
		value[len] = '\0';
		out_row_open();
		out_str("name", "NAME", name + strlen(PREFIX));
		out_str("value", "VALUE", value);
		out_row_close();
	}
	free(value);
}

static int print_labels(int fd)
{
	ssize_t len;
	char *names, *name;

	len = list_labels(fd, &names);
	out_table_open("labels", len > 0 ? "labels:" : NULL);
	for (name = names; name - names < len; name += strlen(name) + 1) {
		if (!strncmp(name, PREFIX, strlen(PREFIX)))
			print_label(fd, name);
	}
	out_table_close();
	free(names);
	return len < 0 ? len : 0;
}

/* "NAME=VALUE" sets, @remove: "NAME" removes. 0 or %CTL_FAILED */
static int change_label(int fd, const char *path, const char *word, bool remove)
{
	const char *equals = strchr(word, '=');
	int len = equals && !remove ? equals - word : (int)strlen(word), ret;
	char *name;

	ctl_must(asprintf(&name, PREFIX "%.*s", len, word) < 0 ? NULL : name);
	if (remove)
		ret = fremovexattr(fd, name);
	else
		ret = fsetxattr(fd, name, equals + 1, strlen(equals + 1), 0);
	if (ret)
		ret = ctl_error("%s: label %.*s: %s", path, len, word, errno == ENODATA ?
				"there is none" : strerror(errno));
	free(name);
	return ret;
}

/* Are the words those that change labels? 0 or %CTL_USAGE */
static int check_labels(int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--remove")) {
			if (++i == argc || !*argv[i])
				return ctl_usage("object label: --remove which label?");
		} else if (!strchr(argv[i], '=') || *argv[i] == '=') {
			return ctl_usage("object label: \"%s\" is not NAME=VALUE",
					 argv[i]);
		}
	}
	return 0;
}

int object_label(int argc, char **argv)
{
	char *path = take_object("label", argc, argv);
	struct pkram_ioc_info info;
	int fd, i, ret = CTL_USAGE;

	if (!path)
		return ret;
	if (check_labels(argc - 1, argv + 1))
		goto out;
	ret = CTL_FAILED;
	fd = open_object(path, O_RDONLY, &info);
	if (fd < 0)
		goto out;
	for (i = 1, ret = 0; i < argc && !ret; i++) {
		bool remove = !strcmp(argv[i], "--remove");

		i += remove;
		ret = change_label(fd, path, argv[i], remove);
	}
	if (!ret) {
		out_record_open(NULL, NULL);
		out_str("object", "object", path);
		i = print_labels(fd);
		out_record_close();
		if (i)
			ret = fail(path, i);
	}
	close(fd);
out:
	free(path);
	return ret;
}

/* Show */

static void print_times(const struct stat *st)
{
	out_time("modified", "modified",
		 st->st_mtim.tv_sec * 1000000LL + st->st_mtim.tv_nsec / 1000);
}

static void print_leaves(int fd)
{
	struct pkram_ioc_leaves n = { .size = sizeof(n) };

	if (pkram_file_leaves(fd, &n))
		return;
	out_u64("leaves_4k", n.leaves_4k ? "mapped 4K" : NULL, n.leaves_4k);
	out_u64("leaves_2m", n.leaves_2m ? "mapped 2M" : NULL, n.leaves_2m);
	out_u64("leaves_1g", n.leaves_1g ? "mapped 1G" : NULL, n.leaves_1g);
}

/* @cookie: of a seal that was made just now, or NULL. 0 or %CTL_FAILED */
static int print_object(int fd, const char *path, const uint8_t *cookie)
{
	struct pkram_ioc_info info = { .size = sizeof(info) };
	char owner[32];
	struct stat st;
	int err;

	err = pkram_file_info(fd, &info);
	if (!err && fstat(fd, &st))
		err = -errno;
	if (err)
		return fail(path, err);
	snprintf(owner, sizeof(owner), "%" PRIu32 ":%" PRIu32, st.st_uid, st.st_gid);
	out_record_open(NULL, NULL);
	out_str("object", "object", path);
	out_u64("id", "id", info.object_id);
	out_str("state", "state", pkram_state_name(info.state));
	out_size("size", "size", info.bytes);
	out_size("allocated", "allocated", info.allocated);
	out_u32("extents", "extents", info.nr_extents);
	out_size("align", "aligned to", info.align);
	out_mode("mode", "mode", st.st_mode);
	out_u32("uid", NULL, st.st_uid);
	out_u32("gid", NULL, st.st_gid);
	out_str(NULL, "owner", owner);
	print_times(&st);
	out_u64("generation", "seals so far", info.generation);
	out_uuid("vm_uuid", "guest", info.vm_uuid);
	if (cookie)
		out_uuid("cookie", "cookie", cookie);
	print_leaves(fd);
	err = print_labels(fd);
	out_record_close();
	return err ? fail(path, err) : 0;
}

int object_show_file(const char *word)
{
	char *path = object_path(OBJECT_DIR, word);
	int fd, ret = CTL_FAILED;
	struct pkram_ioc_info info;

	fd = open_object(path, O_RDONLY, &info);
	if (fd >= 0) {
		ret = print_object(fd, path, NULL);
		close(fd);
	}
	free(path);
	return ret;
}

/* Create, remove */

struct creation {
	uint64_t size, node, mode;
};

static int parse_creation(struct creation *c, int argc, char **argv)
{
	char *end;
	int i, err;

	*c = (struct creation){ .node = PKRAM_NONE64, .mode = 0600 };
	if (!argc)
		return ctl_usage("object create: how large?");
	err = parse_size(argv[0], &c->size);
	if (err == -EDOM)
		return ctl_usage("object create: \"%s\": units are powers of 1024: write G or GiB, not GB",
				 argv[0]);
	if (err || c->size > INT64_MAX)
		return ctl_usage("object create: \"%s\" is not a size (such as 4G, 512MiB)",
				 argv[0]);
	for (i = 1; i < argc; i += 2) {
		if (strcmp(argv[i], "node") && strcmp(argv[i], "mode"))
			return ctl_usage("object create: \"%s\" is neither \"node\" nor \"mode\"",
					 argv[i]);
		if (i + 1 == argc)
			return ctl_usage("object create: %s needs a number", argv[i]);
		if (!strcmp(argv[i], "node")) {
			if (parse_number(argv[i + 1], &c->node) ||
			    c->node >= PKRAM_NONE32)
				return ctl_usage("object create: node needs a number");
			continue;
		}
		c->mode = strtoul(argv[i + 1], &end, 8);
		if (!*argv[i + 1] || *end || c->mode > 0777)
			return ctl_usage("object create: \"%s\" is not a mode (such as 0600)",
					 argv[i + 1]);
	}
	return 0;
}

/* Growing a file reserves its memory, so that a later use cannot fail for lack of it */
static int fill(int fd, const struct creation *c)
{
	struct pkram_ioc_alloc alloc = {
		.size = sizeof(alloc),
		.flags = PKRAM_ALLOC_STRICT,
		.bytes = c->size,
		.node = c->node,
	};
	struct pkram_ioc_info info = { .size = sizeof(info) };
	int err;

	err = pkram_file_info(fd, &info);
	if (!err && fchmod(fd, c->mode))
		err = -errno;
	if (!err && c->node != PKRAM_NONE64 && c->size)
		err = pkram_file_alloc(fd, &alloc);
	if (!err && ftruncate(fd, c->size))
		err = -errno;
	return err;
}

int object_create(int argc, char **argv)
{
	char *path = take_object("create", argc, argv);
	int fd, err, ret = CTL_USAGE;
	struct creation c;

	if (!path)
		return ret;
	if (parse_creation(&c, argc - 1, argv + 1))
		goto out;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		ret = fail(path, -errno);
		goto out;
	}
	err = fill(fd, &c);
	ret = err ? fail(path, err) : print_object(fd, path, NULL);
	if (err)
		unlink(path);
	close(fd);
out:
	free(path);
	return ret;
}

static int remove_one(const char *path)
{
	struct pkram_ioc_info info;
	int fd;

	fd = open_object(path, O_RDONLY, &info);
	if (fd < 0)
		return CTL_FAILED;
	close(fd);
	return unlink(path) ? fail(path, -errno) : 0;
}

int object_remove(int argc, char **argv)
{
	int i, failed = 0;
	char *path;

	if (!argc)
		return ctl_usage("object remove: which ones?");
	out_table_open(NULL, NULL);
	for (i = 0; i < argc; i++) {
		path = object_path(OBJECT_DIR, argv[i]);
		if (remove_one(path)) {
			failed++;
		} else {
			out_row_open();
			out_str("removed", "REMOVED", path);
			out_row_close();
		}
		free(path);
	}
	out_table_close();
	return !failed ? CTL_OK : failed < argc ? CTL_PARTLY : CTL_FAILED;
}

/* Seals */

static int parse_seal(struct pkram_ioc_seal *args, int argc, char **argv)
{
	static const uint8_t zero[16];
	int i;

	*args = (struct pkram_ioc_seal){ .size = sizeof(*args) };
	for (i = 0; i < argc; i += 2) {
		bool uuid = !strcmp(argv[i], "uuid");

		if (!uuid && strcmp(argv[i], "cookie"))
			return ctl_usage("object seal: \"%s\" is neither \"uuid\" nor \"cookie\"",
					 argv[i]);
		if (i + 1 == argc ||
		    parse_uuid(argv[i + 1], uuid ? args->vm_uuid : args->cookie))
			return ctl_usage("object seal: %s needs what uuidgen(1) prints",
					 argv[i]);
		if (!uuid && !memcmp(args->cookie, zero, 16))
			return ctl_usage("object seal: a cookie is not all zero");
	}
	if (!memcmp(args->cookie, zero, 16) &&
	    getrandom(args->cookie, 16, 0) != 16)
		return ctl_error("getrandom: %s", strerror(errno));
	return 0;
}

int object_seal(int argc, char **argv)
{
	struct pkram_ioc_claim claim = { .size = sizeof(claim) };
	char *path = take_object("seal", argc, argv);
	struct pkram_ioc_seal args;
	struct pkram_ioc_info info;
	int fd, err, ret;

	if (!path)
		return CTL_USAGE;
	ret = parse_seal(&args, argc - 1, argv + 1);
	if (ret)
		goto out;
	ret = CTL_FAILED;
	fd = open_object(path, O_RDWR | O_EXCL, &info);
	if (fd < 0)
		goto out;
	err = pkram_file_claim(fd, &claim);
	if (!err)
		err = pkram_file_seal(fd, &args);
	ret = err ? fail(path, err) : print_object(fd, path, args.cookie);
	close(fd);
out:
	free(path);
	return ret;
}

int object_drop_seal(const char *path)
{
	struct pkram_ioc_claim claim = {
		.size = sizeof(claim),
		.flags = PKRAM_CLAIM_DISCARD,
	};
	struct pkram_ioc_info info = { .size = sizeof(info) };
	int fd, err;

	fd = open(path, O_RDWR | O_EXCL | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = pkram_file_info(fd, &info);
	if (!err && info.state != PKRAM_STATE_SEALED)
		err = -ENODATA;
	if (!err)
		err = pkram_file_claim(fd, &claim);
	close(fd);
	return err;
}

int object_unseal(int argc, char **argv)
{
	char *path = take_object("unseal", argc, argv);
	int err, ret = CTL_USAGE;

	if (!path)
		return ret;
	if (ctl_no_more(argc - 1, argv + 1))
		goto out;
	err = object_drop_seal(path);
	if (err == -ENODATA) {
		ret = ctl_error("%s: holds no saved guest", path);
	} else if (err) {
		ret = fail(path, err);
	} else {
		ret = CTL_OK;
		out_record_open(NULL, NULL);
		out_str("unsealed", "unsealed", path);
		out_record_close();
	}
out:
	free(path);
	return ret;
}

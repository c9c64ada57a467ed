// SPDX-License-Identifier: GPL-2.0
/* pkramctl object: verbs for a file of pkramfs. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/pkram.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include "args.h"
#include "ctl.h"
#include "guest.h"
#include "guest_defs.h"
#include "holders.h"
#include "node.h"
#include "object_file.h"
#include "parse.h"
#include "print.h"

#define PREFIX		"user."		/* the kernel's prefix of labels */
#define MAX_LABELS	65536		/* XATTR_LIST_MAX, and the maximum of a value */

const char *object_dir(void)
{
	return ctl_env("PKRAM_DIR", OBJECT_DIR);
}

bool object_unmounted(const char *path)
{
	const char *dir = object_dir();
	size_t len = strlen(dir);
	struct statfs fs;

	if (strncmp(path, dir, len) || (path[len] && path[len] != '/'))
		return false;
	return statfs(dir, &fs) || fs.f_type != PKRAM_FS_MAGIC;
}

char *path_join(const char *dir, const char *name)
{
	char *path;

	return ctl_must(asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path);
}

char *object_path(const char *dir, const char *word)
{
	char *path;

	if (!strncmp(word, "./", 2) || !strncmp(word, "../", 3))
		return ctl_must(strdup(word));
	path = path_join(dir, word + (*word == '/'));
	/* object show prints "/db", a path from the root of pkramfs */
	if (*word != '/' || (access(word, F_OK) && !access(path, F_OK)))
		return path;
	free(path);
	return ctl_must(strdup(word));
}

/* Explain the kernel's errno for an object. Return: %CTL_FAILED */
static int fail(const char *path, int err)
{
	struct pkram_ioc_info info = { .size = sizeof(info) };
	char text[512], guest[GUEST_NAME_MAX + 1];
	struct holder *list;
	int fd;

	if ((err == -ENOTTY || err == -ENOENT) && object_unmounted(path))
		return ctl_error(OBJECT_UNMOUNTED, object_dir());
	switch (err) {
	case -ENOTTY:
		return ctl_error("%s: not a file of pkramfs", path);
	case -EUCLEAN:
		return ctl_error("%s: %s: the object is quarantined; pkramctl object show gives the reason, and docs/troubleshooting.md says what can be saved",
				 path, strerror(-err));
	case -ENOSPC:
		return ctl_error("%s: %s in the pool or on the node; see pkramctl pool show, pkramctl pool grow",
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
	if (fd >= 0 && !err && info.state == PKRAM_STATE_SEALED) {
		/* Of a guest in guests.d there is a state, too */
		if (guest_defs_of_ram(path, guest))
			return ctl_error("%s: sealed, because it has the saved guest %s; pkramctl guest unseal %s gives the guest up",
					 path, guest, guest);
		return ctl_error("%s: sealed, because it has a saved guest; pkramctl object unseal gives the guest up",
				 path);
	}
	list = holders_find(path);
	if (!list)
		return ctl_error("%s: in use by another process", path);
	ctl_error("%s: in use by %s", path, holders_text(list, text, sizeof(text)));
	holders_free(list);
	return CTL_FAILED;
}

/* Open a file of pkramfs. Return: the descriptor, or -1: the reason was reported */
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

/* Return the only argument of a verb as a path; NULL: usage error, which was reported */
static char *take_object(const char *verb, int argc, char **argv)
{
	if (!argc) {
		ctl_usage("object %s: no object given (a name in " OBJECT_DIR ", or a path)",
			  verb);
		return NULL;
	}
	if (ctl_no_more(argc - 1, argv + 1))
		return NULL;
	return object_path(object_dir(), argv[0]);
}

/* Labels */

/* List names, each followed by a NUL; to be freed. Return: bytes or -errno */
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

	/* It may have been removed since it was listed */
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

/* @value: NULL: remove the label. 0 or %CTL_FAILED */
static int change_label(int fd, const char *path, const char *label, const char *value)
{
	char *name;
	int ret;

	ctl_must(asprintf(&name, PREFIX "%s", label) < 0 ? NULL : name);
	if (value)
		ret = fsetxattr(fd, name, value, strlen(value), 0);
	else
		ret = fremovexattr(fd, name);
	if (ret)
		ret = ctl_error("%s: label %s: %s", path, label, errno == ENODATA ?
				"no such label" : strerror(errno));
	free(name);
	return ret;
}

struct change {
	const char *label, *value;	/* value of NULL: remove */
};

/* Options first, then NAME=VALUE. Return: number of changes, or -1: usage error */
static int parse_changes(struct change *c, int *argc, char **argv)
{
	const char *name;
	char *equals;
	int i, n = 0;

	do {
		if (args_value("--remove", argc, argv, &name))
			return -1;
		if (name)
			c[n++] = (struct change){ .label = name };
	} while (name);
	for (i = 1; i < *argc; i++) {
		equals = strchr(argv[i], '=');
		if (!equals || equals == argv[i]) {
			ctl_usage("object label: \"%s\" is not NAME=VALUE", argv[i]);
			return -1;
		}
		*equals = '\0';
		c[n++] = (struct change){ .label = argv[i], .value = equals + 1 };
	}
	*argc = *argc > 1 ? 1 : *argc;
	return n;
}

int object_label(int argc, char **argv)
{
	struct change changes[argc + 1];
	struct pkram_ioc_info info;
	int fd, i, n, err, ret = 0;
	char *path;

	n = parse_changes(changes, &argc, argv);
	if (n < 0)
		return CTL_USAGE;
	path = take_object("label", argc, argv);
	if (!path)
		return CTL_USAGE;
	fd = open_object(path, O_RDONLY, &info);
	if (fd < 0) {
		ret = CTL_FAILED;
		goto out;
	}
	for (i = 0; i < n && !ret; i++)
		ret = change_label(fd, path, changes[i].label, changes[i].value);
	if (!ret) {
		out_record_open(NULL, NULL);
		out_str("object", "object", path);
		err = print_labels(fd);
		out_record_close();
		if (err)
			ret = fail(path, err);
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

/* What the object lost, which netlink tells root */
static void print_bad(uint64_t id)
{
	struct pkram_object *list, *o;
	struct pkram_ctx *ctx = NULL;

	if (geteuid())
		return;
	if (!pkram_open(&ctx) && !pkram_object_dump(ctx, &list)) {
		for (o = list; o; o = o->next)
			if (o->id == id && !o->quarantine)
				ctl_print_bad(o->nr_bad_pages, o->bad, false);
		pkram_object_free(list);
	}
	pkram_close(ctx);
}

/* List the processes that have it open or mapped; without root only those of the same user */
static void print_holders(const char *path)
{
	struct holder *list = holders_find(path), *h;

	out_table_open("holders", list ? "held by:" : NULL);
	for (h = list; h; h = h->next) {
		out_row_open();
		out_u32("pid", "PID", h->pid);
		out_str("command", "COMMAND", h->name);
		out_bool("maps", NULL, h->maps);
		out_bool("writes", NULL, h->writes);
		out_str(NULL, "HOW", h->maps ? h->writes ? "maps it, may write" : "maps it" :
			h->writes ? "open, may write" : "open");
		out_row_close();
	}
	out_table_close();
	holders_free(list);
}

/* @cookie: of a new seal, or NULL. 0 or %CTL_FAILED */
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
	/* The key of a healthy object is its ID */
	out_id("key", "key", info.object_id);
	out_u64("id", NULL, info.object_id);
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
	out_u64("generation", "generation", info.generation);
	out_uuid("vm_uuid", "guest", info.vm_uuid);
	/* The kernel shows it to the owner only */
	out_uuid("cookie", "cookie", cookie ? cookie : info.cookie);
	print_leaves(fd);
	print_bad(info.object_id);
	err = print_labels(fd);
	print_holders(path);
	out_record_close();
	return err ? fail(path, err) : 0;
}

int object_show_file(const char *word)
{
	char *path = object_path(object_dir(), word);
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
	const char *name;
	uint64_t size, node, mode;
};

static int parse_creation(struct creation *c, int argc, char **argv)
{
	const char *mode;
	char *end;
	int err;

	*c = (struct creation){ .node = PKRAM_NONE64, .mode = 0600 };
	err = node_take("object create", &argc, argv, &c->node);
	if (err)
		return err;
	if (args_value("--mode", &argc, argv, &mode))
		return CTL_USAGE;
	if (mode) {
		c->mode = strtoul(mode, &end, 8);
		if (*end || c->mode > 0777)
			return ctl_usage("object create: --mode \"%s\" is not a mode (such as 0600)",
					 mode);
	}
	if (!argc)
		return ctl_usage("object create: no object given");
	if (argc < 2)
		return ctl_usage("object create: no size given");
	err = parse_size(argv[1], &c->size);
	if (err == -EDOM)
		return ctl_usage("object create: \"%s\": units are powers of 1024: write G or GiB, not GB",
				 argv[1]);
	if (err || c->size > INT64_MAX)
		return ctl_usage("object create: \"%s\" is not a size (such as 4G, 512MiB)",
				 argv[1]);
	c->name = argv[0];
	return ctl_no_more(argc - 2, argv + 2);
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
	int fd, err, ret;
	struct creation c;
	char *path;

	ret = parse_creation(&c, argc, argv);
	if (ret)
		return ret;
	path = object_path(object_dir(), c.name);
	if (object_unmounted(path)) {
		ret = ctl_error(OBJECT_UNMOUNTED, object_dir());
		goto out;
	}
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
		return ctl_usage("object remove: no object given");
	out_table_open(NULL, NULL);
	for (i = 0; i < argc; i++) {
		path = object_path(object_dir(), argv[i]);
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

/* "--uuid UUID": @uuid is unchanged without the option. 0 or %CTL_USAGE */
static int take_uuid(const char *option, int *argc, char **argv, uint8_t uuid[16])
{
	const char *text;

	if (args_value(option, argc, argv, &text))
		return CTL_USAGE;
	if (text && parse_uuid(text, uuid))
		return ctl_usage("object seal: %s \"%s\" is not a UUID; uuidgen(1) makes one",
				 option, text);
	return 0;
}

static int parse_seal(struct pkram_ioc_seal *args, int *argc, char **argv)
{
	static const uint8_t zero[16];

	*args = (struct pkram_ioc_seal){ .size = sizeof(*args) };
	if (getrandom(args->cookie, 16, 0) != 16)
		return ctl_error("getrandom: %s", strerror(errno));
	if (take_uuid("--uuid", argc, argv, args->vm_uuid) ||
	    take_uuid("--cookie", argc, argv, args->cookie))
		return CTL_USAGE;
	if (!memcmp(args->cookie, zero, 16))
		return ctl_usage("object seal: a cookie of zeroes is not valid");
	return 0;
}

int object_seal(int argc, char **argv)
{
	struct pkram_ioc_claim claim = { .size = sizeof(claim) };
	struct pkram_ioc_seal args;
	struct pkram_ioc_info info;
	int fd, err, ret;
	char *path;

	ret = parse_seal(&args, &argc, argv);
	if (ret)
		return ret;
	path = take_object("seal", argc, argv);
	if (!path)
		return CTL_USAGE;
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
		.flags = PKRAM_CLAIM_UNSEAL,
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
	char *path = take_object("unseal", argc, argv), guest[GUEST_NAME_MAX + 1];
	int err, ret;

	if (!path)
		return CTL_USAGE;
	/* Its state would stay, and be stale */
	if (guest_defs_of_ram(path, guest)) {
		ret = ctl_error("%s: is RAM of the guest %s: pkramctl guest unseal %s gives up all that was saved of it",
				path, guest, guest);
		free(path);
		return ret;
	}
	err = object_drop_seal(path);
	if (err == -ENODATA) {
		ret = ctl_error("%s: not sealed, so it has no saved guest", path);
	} else if (err) {
		ret = fail(path, err);
	} else {
		ret = CTL_OK;
		out_record_open(NULL, NULL);
		out_str("unsealed", "unsealed", path);
		out_record_close();
	}
	free(path);
	return ret;
}

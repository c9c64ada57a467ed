// SPDX-License-Identifier: GPL-2.0
/* Collect what a bug report needs: files, the output of commands, the kernel's log. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "ctl.h"
#include "guest.h"
#include "read_file.h"
#include "redact.h"
#include "report.h"

#define MAX_FILE	(16U << 20)
#define COMMAND_SECONDS	60	/* for each command */
#define SELF		"/proc/self/exe"

/* From klogctl(2); the C library has no names for them */
#define KLOG_READ_ALL	3
#define KLOG_SIZE	10

static const struct {
	const char *name, *path;
} files[] = {
	{ "os-release", "/etc/os-release" },
	{ "kernel", "/proc/version" },
	{ "cmdline", "/proc/cmdline" },
	{ "modules", "/proc/modules" },
	{ "meminfo", "/proc/meminfo" },
	{ "kexec-loaded", "/sys/kernel/kexec_loaded" },
	{ "kexec-crash-loaded", "/sys/kernel/kexec_crash_loaded" },
	{ "kexec-crash-size", "/sys/kernel/kexec_crash_size" },
	{ "memory-block-size", "/sys/devices/system/memory/block_size_bytes" },
	{ "memory-auto-online", "/sys/devices/system/memory/auto_online_blocks" },
	{ "pool.conf", "/etc/pkram/pool.conf" },
};

#define UNITS	"dev-pkram.mount", "pkram-pool.service", "pkram-guest@*.service"

static const struct {
	const char *name;
	const char *argv[16];
} commands[] = {
	{ "uname", { "uname", "-a" } },
	{ "version.json", { SELF, "-j", "version" } },
	{ "status", { SELF, "status", "--verbose" } },
	{ "status.json", { SELF, "-j", "status", "--verbose" } },
	{ "pool-show.json", { SELF, "-j", "pool", "show" } },
	{ "region-show.json", { SELF, "-j", "region", "show" } },
	{ "object-show.json", { SELF, "-j", "object", "show" } },
	{ "dma-table-show.json", { SELF, "-j", "dma-table", "show" } },
	{ "handover-show.json", { SELF, "-j", "handover", "show" } },
	{ "guest-show.json", { SELF, "-j", "guest", "show" } },
	{ "packages", { "dpkg-query", "-W", "*pkram*", "qemu-system*", "linux-image-*",
			"kexec-tools" } },
	{ "dkms", { "dkms", "status" } },
	/* Not `systemctl status`, which prints QEMU's command lines with their secrets */
	{ "units", { "systemctl", "show", "--no-pager", "--all", "--property",
		     "Id,LoadState,UnitFileState,ActiveState,SubState,Result,MainPID,ExecMainCode,ExecMainStatus,ActiveEnterTimestamp,InactiveEnterTimestamp",
		     UNITS } },
	/* Not that of guests: it has the end of QEMU's logs, which may have anything */
	{ "journal", { "journalctl", "--no-pager", "--boot", "-u", "dev-pkram.mount",
		       "-u", "pkram-pool.service" } },
};

static const char * const modules[] = { "pkram", "pkram_vfio" };
static const char * const module_files[] = { "version", "srcversion", "taint", "refcnt" };

/* The list of what was taken */

static struct report_item *add_item(struct report *r, const char *name)
{
	struct report_item *item = ctl_must(calloc(1, sizeof(*item)));

	snprintf(item->name, sizeof(item->name), "%s", name);
	*r->tail = item;
	r->tail = &item->next;
	return item;
}

static void add_missed(struct report *r, const char *name, const char *why)
{
	add_item(r, name)->missed = ctl_must(strdup(why));
}

FILE *report_file(struct report *r, const char *name)
{
	int fd = openat(r->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (fd >= 0 && !f)
		close(fd);
	return f;
}

/* Write a file of the report */
static struct report_item *put(struct report *r, const char *name, const char *text, size_t len)
{
	FILE *f = report_file(r, name);
	bool failed = !f || (len && fwrite(text, len, 1, f) != 1);
	int err = errno;

	if (f && fclose(f) && !failed) {
		failed = true;
		err = errno;
	}
	if (!failed)
		return add_item(r, name);
	unlinkat(r->dir, name, 0);
	add_missed(r, name, strerror(err));
	return NULL;
}

/* Files */

static void take_file(struct report *r, const char *name, const char *path)
{
	size_t len;
	char *text;
	int err;

	err = pkram_read_file(path, MAX_FILE, &text, &len);
	if (err) {
		add_missed(r, name, strerror(-err));
		return;
	}
	put(r, name, text, len);
	free(text);
}

static void print_value(FILE *out, const char *module, const char *what)
{
	char path[PATH_MAX], value[1024];

	snprintf(path, sizeof(path), "/sys/module/%s/%s", module, what);
	if (!pkram_read_line(path, value, sizeof(value)))
		fprintf(out, "%s %s: %s\n", module, what, value);
}

static void print_module(FILE *out, const char *module)
{
	char path[PATH_MAX], what[300];
	struct dirent *e;
	unsigned int i;
	DIR *d;

	snprintf(path, sizeof(path), "/sys/module/%s", module);
	if (access(path, F_OK)) {
		fprintf(out, "%s: not loaded\n", module);
		return;
	}
	for (i = 0; i < sizeof(module_files) / sizeof(module_files[0]); i++)
		print_value(out, module, module_files[i]);
	strcat(path, "/parameters");
	d = opendir(path);
	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(what, sizeof(what), "parameters/%s", e->d_name);
		print_value(out, module, what);
	}
	if (d)
		closedir(d);
}

static void take_modules(struct report *r)
{
	unsigned int i;
	size_t len = 0;
	char *text;
	FILE *out;

	out = ctl_must(open_memstream(&text, &len));
	for (i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
		print_module(out, modules[i]);
	fclose(out);
	put(r, "module-parameters", text, len);
	free(text);
}

/* RAM of the system and of the pool; what else there is tells about other devices. */
static void take_iomem(struct report *r)
{
	char *line, *save, *text, *kept = NULL;
	size_t len, size = 0;
	FILE *out;
	int err;

	err = pkram_read_file("/proc/iomem", MAX_FILE, &text, &len);
	if (err) {
		add_missed(r, "iomem", strerror(-err));
		return;
	}
	out = ctl_must(open_memstream(&kept, &size));
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strstr(line, "System RAM") || strstr(line, "pkram") ||
		    strstr(line, "Reserved") || strstr(line, "Crash kernel"))
			fprintf(out, "%s\n", line);
	}
	fclose(out);
	put(r, "iomem", kept, size);
	free(kept);
	free(text);
}

/* The kernel's log, all that it still has */
static void take_log(struct report *r)
{
	int size = klogctl(KLOG_SIZE, NULL, 0), len;
	char *text;

	text = ctl_must(malloc(size > 0 ? size : 1));
	len = size < 0 ? -1 : klogctl(KLOG_READ_ALL, text, size);
	if (len < 0)
		add_missed(r, "dmesg", strerror(errno));
	else
		put(r, "dmesg", text, len);
	free(text);
}

/* Commands */

static void __attribute__((noreturn)) run(const struct report *r, const char *name,
					  const char *err_name, const char *const *argv)
{
	int in = open("/dev/null", O_RDONLY);
	int out = openat(r->dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	int err = openat(r->dir, err_name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	if (in < 0 || out < 0 || err < 0 || dup2(in, STDIN_FILENO) < 0 ||
	    dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
		_exit(126);
	/* It stays set in the program: one that hangs is ended. */
	alarm(COMMAND_SECONDS);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

/* Return why a command printed nothing, valid until the next call */
static const char *why_nothing(const struct report *r, const char *err_name, int status)
{
	static char why[256];
	int fd = openat(r->dir, err_name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, why, sizeof(why) - 1);

	if (fd >= 0)
		close(fd);
	why[n > 0 ? n : 0] = '\0';
	why[strcspn(why, "\n")] = '\0';
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		snprintf(why, sizeof(why), "no answer in %d seconds", COMMAND_SECONDS);
	else if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		snprintf(why, sizeof(why), "the program is not installed");
	else if (!*why)
		snprintf(why, sizeof(why), "it printed nothing (status %#x)", status);
	return why;
}

static bool is_empty(const struct report *r, const char *name)
{
	struct stat st;

	return fstatat(r->dir, name, &st, 0) || !st.st_size;
}

static void take_command(struct report *r, const char *name, const char *const *argv)
{
	char err_name[REPORT_NAME_MAX];
	int status = 0;
	pid_t pid;

	snprintf(err_name, sizeof(err_name), "%.100s.err", name);
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		add_missed(r, name, strerror(errno));
		return;
	}
	if (!pid)
		run(r, name, err_name, argv);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (is_empty(r, name)) {
		add_missed(r, name, why_nothing(r, err_name, status));
		unlinkat(r->dir, name, 0);
	} else {
		add_item(r, name);
	}
	if (is_empty(r, err_name) || (WIFEXITED(status) && WEXITSTATUS(status) == 127))
		unlinkat(r->dir, err_name, 0);
	else
		add_item(r, err_name);
}

/* Guests: their definitions, without secrets */

static struct json_object *text_json(const char *text)
{
	return text ? json_object_new_string(text) : NULL;
}

static struct json_object *guest_json(const struct guest_file *file, unsigned int *removed)
{
	struct json_object *json = json_object_new_object(), *args = json_object_new_array();
	struct json_object *ram = json_object_new_array();
	unsigned int i;
	char *arg;

	for (i = 0; i < file->nr_args; i++) {
		arg = ctl_must(redact_arg(i ? file->args[i - 1] : "", file->args[i], removed));
		json_object_array_add(args, json_object_new_string(arg));
		free(arg);
	}
	for (i = 0; i < file->nr_ram; i++)
		json_object_array_add(ram, text_json(file->ram[i].path));
	json_object_object_add(json, "name", text_json(file->name));
	json_object_object_add(json, "uuid", text_json(file->uuid));
	json_object_object_add(json, "qemu", text_json(file->qemu));
	json_object_object_add(json, "stop_timeout", json_object_new_int(file->stop_timeout));
	json_object_object_add(json, "args", args);
	json_object_object_add(json, "ram", ram);
	return json;
}

static void take_guests(struct report *r)
{
	struct report_item *item;
	char name[REPORT_NAME_MAX];
	struct json_object *json;
	unsigned int removed;
	struct guests gs;
	struct guest *g;
	const char *text;

	if (guests_load(&gs, NULL, 0))
		add_missed(r, "guest-*.json", "some definitions are missing or wrong");
	for (g = gs.list; g; g = g->next) {
		removed = 0;
		json = guest_json(&g->file, &removed);
		text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY);
		snprintf(name, sizeof(name), "guest-%s.json", g->file.name);
		item = put(r, name, text, strlen(text));
		if (item)
			item->removed = removed;
		json_object_put(json);
	}
	guests_free(&gs);
}

void report_take_all(struct report *r)
{
	unsigned int i;

	r->tail = &r->items;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		take_file(r, files[i].name, files[i].path);
	take_modules(r);
	take_iomem(r);
	take_log(r);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		take_command(r, commands[i].name, commands[i].argv);
	take_guests(r);
}

// SPDX-License-Identifier: GPL-2.0
/* Programs that pkramctl runs for a guest: see guest_tools.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "ctl.h"
#include "guest_defs.h"
#include "guest_tools.h"
#include "print.h"
#include "read_file.h"
#include "systemd.h"

#define MAX_FILE	65536
#define EXAMPLE		"/usr/share/pkram/examples/vm1.conf"

/* Run the user's editor; 0 or -1 */
static int run_editor(const char *file)
{
	const char *editor = ctl_env("VISUAL", ctl_env("EDITOR", "editor"));
	int status = -1;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		/* It may have options */
		execlp("sh", "sh", "-c", "exec $0 \"$1\"", editor, file, NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return pid > 0 && WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -1;
}

/* Ask on a terminal. Return: the answer is not no */
static bool again(void)
{
	char answer[16] = "";

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return false;
	fputs("Edit it again? [Y/n] ", stderr);
	return fgets(answer, sizeof(answer), stdin) && *answer != 'n' && *answer != 'N';
}

/* Parse the edited file. Return: 0, or the reason was reported */
static int check_file(const char *file, const char *name, char **text, size_t *len)
{
	struct guest_file f;
	char why[512];
	int err;

	err = pkram_read_file(file, MAX_FILE, text, len);
	if (err)
		return ctl_error("%s: %s", file, strerror(-err));
	err = guest_file_parse(&f, name, *text, *len, why, sizeof(why));
	if (err)
		return ctl_error("%s: line %s", name, why);
	guest_file_free(&f);
	return 0;
}

/* Write a file that is read by nobody yet. Return: 0 or -1 with errno */
static int write_file(const char *file, const char *text, size_t len, mode_t mode)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode), err;

	if (fd < 0)
		return -1;
	if (write(fd, text, len) != (ssize_t)len || fchmod(fd, mode) || fsync(fd)) {
		err = errno;
		close(fd);
		errno = err;
		return -1;
	}
	return close(fd);
}

int guest_tools_edit(const char *name)
{
	char *path = guest_defs_path(name), *draft, *old = NULL, *text = NULL, *real;
	size_t old_len = 0, len = 0;
	mode_t mode = 0644;
	struct stat st;
	bool exists;
	int ret;

	/* A link stays: the file is replaced that it leads to */
	real = realpath(path, NULL);
	if (real) {
		free(path);
		path = real;
	}
	exists = !stat(path, &st);
	if (exists)
		mode = st.st_mode & 0755;
	if (pkram_read_file(path, MAX_FILE, &old, &old_len) == -ENOENT)
		pkram_read_file(EXAMPLE, MAX_FILE, &old, &old_len);
	/* In the same directory, under a name that is no definition */
	ctl_must(asprintf(&draft, "%s.%d", path, (int)getpid()) < 0 ? NULL : draft);
	if (write_file(draft, old ?: "", old_len, mode)) {
		ret = ctl_error("%s: %s", draft, strerror(errno));
		goto out;
	}
	if (exists && chown(draft, st.st_uid, st.st_gid))
		ctl_warn("%s: its owner and group cannot be kept: %s", path, strerror(errno));
	do {
		free(text);
		text = NULL;
		if (run_editor(draft)) {
			ret = ctl_error("the editor failed; %s is as it was", path);
			break;
		}
		ret = check_file(draft, name, &text, &len);
	} while (ret && again());
	if (!ret && rename(draft, path))
		ret = ctl_error("%s: %s", path, strerror(errno));
	if (ret) {
		unlink(draft);
	} else {
		out_record_open(NULL, NULL);
		out_str("definition", "definition", path);
		out_bool("changed", "changed", !old || len != old_len ||
			 memcmp(text, old, len));
		out_record_close();
	}
out:
	free(text);
	free(draft);
	free(old);
	free(path);
	return ret;
}

/* Return the path in "unix:PATH,..." or "socket,...,path=PATH,...", to be freed, or NULL */
static char *socket_path(const char *value)
{
	const char *at = NULL;

	if (!strncmp(value, "unix:", 5))
		at = value + 5;
	else if (!strncmp(value, "socket,", 7) && strstr(value, ",path="))
		at = strstr(value, ",path=") + 6;
	return at ? ctl_must(strndup(at, strcspn(at, ","))) : NULL;
}

char *guest_tools_console(const struct guest *g)
{
	static const char *const options[] = { "-serial", "-chardev" };
	char *path = NULL;
	unsigned int i, n;

	for (n = 0; n < 2; n++) {
		for (i = 0; i + 1 < g->file.nr_args && !path; i++) {
			if (!strcmp(g->file.args[i], options[n]))
				path = socket_path(g->file.args[i + 1]);
		}
	}
	return path;
}

int guest_tools_connect(const char *path)
{
	char *to;

	ctl_must(asprintf(&to, "UNIX-CONNECT:%s", path) < 0 ? NULL : to);
	fprintf(stderr, "pkramctl: ^] ends the connection\n");
	fflush(NULL);
	execlp("socat", "socat", "-,raw,echo=0,escape=0x1d", to, NULL);
	free(to);
	return ctl_error("socat: %s: install it, or connect to %s by another program",
			 strerror(errno), path);
}

const char *guest_tools_stop_remark(const struct guest *g)
{
	static char text[512];
	const char *unit = guest_unit(g);
	int limit = systemd_stop_timeout(unit, GUEST_UNIT_STOP_S);

	if ((int)g->file.stop_timeout < limit)
		return NULL;
	snprintf(text, sizeof(text), "its stop-timeout of %u s does not end before the TimeoutStopSec of its unit (%d s), at which systemd kills QEMU: make it shorter, or the other longer (systemctl edit %s)",
		 g->file.stop_timeout, limit, unit);
	return text;
}

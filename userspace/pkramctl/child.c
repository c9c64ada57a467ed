// SPDX-License-Identifier: GPL-2.0
/* Run other programs: see child.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/wait.h>
#include "child.h"
#include "read_file.h"

int child_run(const char *const argv[])
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return 127;
	if (!pid) {
		/* Standard output is for pkramctl's own output */
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return 127;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 127;
}

/* A user's PATH may not contain the directories of administrators' programs */
static void exec_anywhere(const char *const argv[])
{
	static const char *const dirs[] = { "/usr/sbin", "/sbin" };
	char path[256];
	unsigned int i;

	execvp(argv[0], (char *const *)argv);
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dirs[i], argv[0]);
		execv(path, (char *const *)argv);
	}
	_exit(127);
}

int child_read(const char *const argv[], size_t max, char **text)
{
	int fds[2], status, null, err;
	size_t len;
	pid_t pid;

	*text = NULL;
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		err = -errno;
		close(fds[0]);
		close(fds[1]);
		return err;
	}
	if (!pid) {
		null = open("/dev/null", O_RDWR);
		dup2(null, STDIN_FILENO);
		dup2(fds[1], STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		exec_anywhere(argv);
	}
	close(fds[1]);
	err = pkram_read_fd(fds[0], max, text, &len);
	/* A child that writes more than @max gets SIGPIPE */
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			err = err ? err : -errno;
			break;
		}
	}
	if (!err && !WIFEXITED(status))
		err = -EIO;
	if (err) {
		free(*text);
		*text = NULL;
		return err;
	}
	return WEXITSTATUS(status);
}

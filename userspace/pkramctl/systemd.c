// SPDX-License-Identifier: GPL-2.0
/* Requests to systemd, through systemctl. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "systemd.h"

bool systemd_runs(void)
{
	return !access("/run/systemd/system", F_OK);
}

/* @unit, @option: may be NULL */
static int run_systemctl(const char *verb, const char *unit, const char *option)
{
	const char *argv[5] = { "systemctl", verb, unit ?: option, unit ? option : NULL };
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

int systemctl(const char *verb, const char *unit)
{
	/* That of pkram-saved.service is against reboots */
	bool kexec = !strcmp(verb, "kexec");

	return run_systemctl(verb, unit, kexec ? "--check-inhibitors=no" : NULL);
}

bool systemd_enabled(const char *unit)
{
	return !run_systemctl("is-enabled", unit, "--quiet");
}

bool systemd_active(const char *unit)
{
	return !run_systemctl("is-active", unit, "--quiet");
}

bool systemd_kexec_pending(void)
{
	char line[256], unit[64], type[16];
	bool pending = false;
	int status;
	FILE *f;

	if (!systemd_runs())
		return false;
	f = popen("systemctl --plain --no-legend list-jobs kexec.target", "r");
	if (!f)
		return true;
	/* Number, unit, type, state */
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%*s %63s %15s", unit, type) == 2 &&
		    !strcmp(unit, "kexec.target") && !strcmp(type, "start"))
			pending = true;
	}
	status = pclose(f);
	/* A guest that is saved for nothing is resumed; one that is not saved is lost */
	return pending || status;
}

// SPDX-License-Identifier: GPL-2.0
/* Requests to systemd, through systemctl. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "child.h"
#include "systemd.h"

bool systemd_runs(void)
{
	return !access("/run/systemd/system", F_OK);
}

int systemctl(const char *verb, const char *unit)
{
	return child_run((const char *const[]){ "systemctl", verb, unit, NULL });
}

int systemd_kexec(void)
{
	/*
	 * What systemctl kexec does after it has asked logind: since systemd 257 an inhibitor
	 * stops root, too, even with --check-inhibitors=no, and that of pkram-saved.service
	 * is against reboots.
	 */
	return child_run((const char *const[]){ "systemctl", "start", "--no-block",
						"--job-mode=replace-irreversibly",
						"kexec.target", NULL });
}

static bool says_yes(const char *verb, const char *unit)
{
	return !child_run((const char *const[]){ "systemctl", verb, "--quiet", unit, NULL });
}

bool systemd_enabled(const char *unit)
{
	return says_yes("is-enabled", unit);
}

bool systemd_active(const char *unit)
{
	char command[128], state[32] = "";
	FILE *f;

	snprintf(command, sizeof(command), "systemctl is-active %s", unit);
	f = popen(command, "r");
	if (!f)
		return false;
	if (!fgets(state, sizeof(state), f))
		state[0] = '\0';
	/* Its exit status is that of a unit that does not run while it is being stopped, too. */
	return !pclose(f) || !strncmp(state, "deactivating", strlen("deactivating"));
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

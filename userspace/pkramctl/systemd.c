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
	const char *argv[5] = { "systemctl", verb };
	int n = 2;

	if (unit)
		argv[n++] = unit;
	/* That of pkram-saved.service is against reboots */
	if (!strcmp(verb, "kexec"))
		argv[n++] = "--check-inhibitors=no";
	return child_run(argv);
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
	return says_yes("is-active", unit);
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

# SPDX-License-Identifier: GPL-2.0
# Count the results in TAP output: prints "PASSED FAILED SKIPPED".  A skip is never
# a pass; a test missing from the plan ("1..N") is a failure.
/^1\.\.[0-9]+/ { split($1, plan, /\.\./); planned += plan[2] }
/^(not )?ok( |$)/ { seen++ }
/^ok .*# *SKIP/ { skipped++; next }
/^ok( |$)/ { passed++ }
/^not ok( |$)/ { failed++ }
END {
	if (planned > seen)
		failed += planned - seen
	printf "%d %d %d\n", passed, failed, skipped
}

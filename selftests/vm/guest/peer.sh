#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# peer.sh serve|show LOG - the guest's peer, outside of the VM; QEMU starts it
#
#   serve   serve one TCP connection on standard input and output: log and answer its lines
#   show    print a summary in one line: number of connections, how many of them ended, the
#           last counter, whether it always rose, the longest silence in seconds, the time
#           since the last line

log=$2
case $1 in
serve)
	echo "accept $EPOCHREALTIME" >>"$log"
	while read -r line; do
		echo "$line $EPOCHREALTIME" >>"$log"
		echo "ack $line"
	done
	echo "close $EPOCHREALTIME" >>"$log"
	;;
show)
	awk -v now="$EPOCHREALTIME" '
		$1 == "accept" { accepts++; last = $2 }
		$1 == "close" { closes++ }
		$1 == "counter" {
			if ($2 + 0 <= counter)
				wrong = 1
			counter = $2 + 0
			if ($3 - last > gap)
				gap = $3 - last
			last = $3
		}
		END {
			printf "peer: accepts=%d closes=%d counter=%d rising=%s gap=%.1f idle=%.1f\n",
				accepts, closes, counter, wrong ? "no" : "yes", gap,
				last ? now - last : 0
		}' "$log" 2>/dev/null
	;;
esac

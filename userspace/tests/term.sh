#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Self test of what pkramctl does for the eye: columns, filters, colours, progress, top. With the
# fake kernel and a QEMU without a guest.
# usage: term.sh BUILD-DIRECTORY
set -u
. "$(dirname "$0")/guests_lib.sh"

esc=$'\033'
plain() { ! grep -q "$esc" "$tmp/out"; report $? "$1"; }
colored() { grep -qF -- "$esc[$1m$2$esc[m" "$tmp/out"; report $? "$3"; }

columns()
{
	host '' object show --columns name,STATE; is 0 '^NAME +STATE$' '' 'object show --columns prints these, in this order'
	[ "$(awk '{ print NF }' "$tmp/out" | sort -un | tail -n 1)" -le 3 ]; report $? 'and no other'
	host '' object list --columns=key;	is 0 '^KEY$' '' 'list takes them, too'
	host '' object show --columns name,colour; is 2 '' 'there is no column "colour"; there are KEY, STATE, SIZE' 'a column that is not there is an error, with those that are'
	host '' -j object show --columns name;	is 2 '' '--columns is for text' 'JSON has all'
	host '' object show 0x100000002 --columns name;	also '^NAME' out 'they are for the row of one KEY, too'
	host '' object show /vm1 --columns name; is 2 '' 'are for the list' 'they are not for the record of a file'
	host '' region show --columns size,base; is 0 '^ *SIZE +BASE$' '' 'region show has them'
	host '' region show --node 5;		is 0 '' 'the pool has no memory of that node' 'region show --node shows those of a node'
	host '' region show --node 0;		is 0 '^ *BASE' '' 'if there are some'
	host '' region show --node 7;		is 1 '' 'there is no node 7' 'which must be there'

	host '' object show --state quarantined; is 0 'quarantined' '' 'object show --state filters'
	! grep -qE ' (claimed|idle|sealed|running) ' "$tmp/out"; report $? 'the others are not there'
	host '' object show --state claimed;	! grep -q quarantined "$tmp/out"; report $? 'nor those that are quarantined'
	host '' object show --state clamed;	is 2 '' 'unknown state "clamed"; use one of: claimed' 'a state that does not exist is an error'
	host empty object show --state sealed;	is 0 '' 'no objects' 'without a match that is said'

	define vm1; define vm2
	host idle guest start vm1
	host idle guest show --state running;	is 0 '^vm1 ' '' 'guest show --state filters'
	! grep -q '^vm2' "$tmp/out"; report $? 'the others are not there'
	host idle guest show --state saved;	is 0 '' 'no guest is in that state' 'without a match that is said'
	host idle guest list --columns state,name --state running; is 0 '^STATE +NAME$' '' 'with columns as well'
	host idle -j guest show --state stopped; json '[g["name"] for g in d] == ["vm2"]' 'JSON is filtered, too'
	end_all
}

colors()
{
	define vm1; define vm2
	host idle guest start vm1; host idle guest save vm1; host idle guest start vm2
	host idle guest show;			plain 'without a terminal there is no colour'
	host idle guest show --color=always;	colored 32 running '--color=always colours states'
	colored 33 saved 'each state has its colour'
	sed "s/$esc\[[0-9]*m//g" "$tmp/out" >"$tmp/plain"
	host idle guest show; cmp -s "$tmp/out" "$tmp/plain"; report $? 'columns are where they are without colours'
	host idle --color guest show;		colored 32 running '--color is the same, before the object too'
	NO_COLOR=1 host idle guest show --color=always; colored 32 running 'it is stronger than NO_COLOR'
	host idle -j guest show --color=always;	plain 'JSON has no colour'
	host idle guest show --color=sometimes;	is 2 '' 'unknown option "--color=sometimes"' 'other words are errors'
	host '' object show --color=always;	colored 31 quarantined 'object show has colours'
	host 'idle whole' status --color=always; colored 31 'ATTENTION: 1 problem' 'the verdict is coloured'
	host idle check --color=always;		colored 32 ok 'check has colours'
	host idle --color=always update --report; is 0 'saved' '' 'a command with options of its own takes it'
	host idle update --report --color=never; is 0 'saved' '' 'also behind its name'
	words=idle answer x "$O/pkramctl" guest show; colored 32 running 'on a terminal there are colours'
	words=idle answer x "$O/pkramctl" guest show --color=never; plain '--color=never has none'
	NO_COLOR=1 words=idle answer x "$O/pkramctl" guest show; plain 'nor has NO_COLOR'
	end_all
}

progress()
{
	words='idle whole slowly' answer x "$O/pkramctl" pool shrink 2G
	grep -q '^\[ *\] shrinking: 0 % of 2 GiB' "$tmp/out"; report $? 'shrink shows its progress on a terminal, from 0'
	[ "$(tr '\r' '\n' <"$tmp/out" | sed "s/$esc\[K//g" | grep -c 'gave back')" = 1 ]; report $? 'then its result'
	! sed -n '/gave back/,$s/.*gave back//p' "$tmp/out" | grep -q 'shrinking'; report $? 'after which there is none'
	words='idle whole slowly' answer x "$O/pkramctl" pool grow 2G; grep -q 'growing: 0 %' "$tmp/out"; report $? 'grow has it, too'
	host 'idle whole slowly' pool shrink 2G; ! grep -q 'shrinking' "$tmp/out" "$tmp/err"; report $? 'without a terminal there is none'
	words='idle whole slowly' answer x "$O/pkramctl" -j pool shrink 2G; ! grep -q 'shrinking' "$tmp/out"; report $? 'nor with -j'
}

tops()
{
	define vm1; define vm2; truncate -s 16M "$ram/ram-vm1"
	host idle guest start vm1
	host 'idle whole' top --once;		is 0 "^  vm1 +running +[0-9]+ +[0-9]+ % +16 MiB" '' 'top --once prints the guests'
	also '^  size +6 GiB' out 'and the pool'
	host 'idle whole' top;			is 0 '^  vm2 +stopped' '' 'without a terminal it is printed once'
	host 'idle whole' -j top;		json 'd["pool"]["size"] > 0 and d["guests"][0]["cpu"] >= 0 and d["guests"][0]["ram"] == 1 << 24' 'top -j prints it once'
	host absent top --once;			is 0 'the module does not answer' '' 'without the module it shows the guests'
	host 'idle whole' top --interval 0;	is 2 '' 'is not a number of seconds' 'its interval is checked'
	words='idle whole' answer q "$O/pkramctl" top --interval 1; is 0 'vm1 +.*running' '' 'on a terminal q ends it'
	[ "$(grep -c "$esc\[?1049[hl]" "$tmp/out")" -ge 1 ] && grep -q "$esc\[?1049l" "$tmp/out"; report $? 'it gives the screen back'
	end_all
}

columns
colors
progress
tops
tap_finish

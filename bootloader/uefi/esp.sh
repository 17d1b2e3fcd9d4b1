#!/bin/sh
# Makes the FAT volume that holds \EFI\BOOT\BOOTX64.EFI and nothing else: the same bytes whenever and
# wherever it is made. The file comes last, so that all free clusters follow it: a signed loader,
# which is longer, takes its place without moving anything.
#
# usage: esp.sh BOOTX64.EFI VOLUME SECTORS
set -eu
loader=$1 volume=$2 sectors=$3
# The FAT file system counts from 1980.
export SOURCE_DATE_EPOCH=315619200 TZ=UTC MTOOLSRC=/dev/null MTOOLS_SKIP_CHECK=1

rm -f "$volume"
mformat -C -i "$volume" -T "$sectors" -h 16 -s 63 -c 1 -r 1 -N 00000000 -v BOOTIMAGE ::
mmd -i "$volume" ::/EFI ::/EFI/BOOT
mcopy -i "$volume" "$loader" ::/EFI/BOOT/BOOTX64.EFI

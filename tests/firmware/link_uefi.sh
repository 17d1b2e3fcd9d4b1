#!/bin/sh
# Makes a UEFI application of one C file.
#
# usage: link_uefi.sh CLANG LLD_LINK ENTRY SOURCE APPLICATION FOLDER CLANG_ARGUMENTS...
set -eu
clang=$1 lld_link=$2 entry=$3 source=$4 application=$5 folder=$6
shift 6
mkdir -p "$folder"
"$clang" "$@" -c "$source" -o "$folder/object.o"
"$lld_link" /nologo /subsystem:efi_application "/entry:$entry" /nodefaultlib /Brepro "/out:$application" "$folder/object.o"

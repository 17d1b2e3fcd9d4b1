#!/bin/sh
# Installs what the build and the tests need and this machine lacks, then configures the folder
# `build`, and fetches into it the kernels of others that the tests boot. Does nothing, and says nothing, where all is in place. Never asks: at most sudo wants a
# password, and only on a terminal. Next: meson compile -C build, or meson test -C build.
#
# Tested with apt on Debian 12. The columns for dnf, pacman and Homebrew were never run.
set -eu
CDPATH='' cd -- "$(dirname -- "$0")"

# A witness that shows that a thing is there, and the package that brings it; - is none. A witness is
# a command, or a file after file:, a pkg-config module after pkg:, a module of QEMU after qemu:.
requirements() {
    cat <<'END'
meson                      meson                 meson                  meson            meson
ninja                      ninja-build           ninja-build            ninja            ninja
nasm                       nasm                  nasm                   nasm             nasm
gcc                        gcc                   gcc                    gcc              -
x86_64-linux-gnu-gcc       gcc-x86-64-linux-gnu  gcc-x86_64-linux-gnu   -                -
x86_64-elf-gcc             -                     -                      -                x86_64-elf-gcc
file:/usr/include/stdio.h  libc6-dev             glibc-devel            glibc            -
clang                      clang                 clang                  clang            llvm
ld.lld                     lld                   lld                    lld              lld
llvm-objcopy               llvm                  llvm                   llvm             llvm
lld-link                   lld                   lld                    lld              lld
mformat                    mtools                mtools                 mtools           mtools
file:/usr/include/efi/efi.h gnu-efi              gnu-efi-devel          gnu-efi          -
file:/usr/share/OVMF/OVMF_CODE_4M.fd ovmf        -                      -                -
grub-mkrescue              grub-common           grub2-tools-extra      grub             -
file:/usr/lib/grub/i386-pc/multiboot.mod grub-pc-bin - -            -
file:/usr/lib/grub/x86_64-efi/multiboot2.mod grub-efi-amd64-bin - -  -
xorriso                    xorriso               xorriso                libisoburn       -
sbsign                     sbsigntool            sbsigntools            sbsigntools      -
fsck.fat                   dosfstools            dosfstools             dosfstools       dosfstools
openssl                    openssl               openssl                openssl          openssl
objdump                    binutils              binutils               binutils         binutils
pkg-config                 pkg-config            pkgconf-pkg-config     pkgconf          pkgconf
pkg:libelf                 libelf-dev            elfutils-libelf-devel  libelf           libelf
pkg:libdw                  libdw-dev             elfutils-devel         libelf           elfutils
file:/usr/include/libiberty/demangle.h libiberty-dev - -           -
pkg:jansson                libjansson-dev        jansson-devel          jansson          jansson
pkg:inih                   libinih-dev           inih-devel             libinih          inih
pkg:zlib                   zlib1g-dev            zlib-devel             zlib             zlib
pkg:liblz4                 liblz4-dev            lz4-devel              lz4              lz4
pkg:libxxhash              libxxhash-dev         xxhash-devel           xxhash           xxhash
pkg:cmocka                 libcmocka-dev         libcmocka-devel        cmocka           cmocka
qemu-system-x86_64         qemu-system-x86       qemu-system-x86        qemu-system-x86  qemu
qemu:ui-gtk                qemu-system-gui       qemu-ui-gtk            qemu-ui-gtk      -
rustc                      rustc                 rust                   rust             rust
clang-format               clang-format          clang-tools-extra      clang            clang-format
cppcheck                   cppcheck              cppcheck               cppcheck         cppcheck
gdb                        gdb                   gdb                    gdb              -
shellcheck                 shellcheck            ShellCheck             shellcheck       shellcheck
mandoc                     mandoc                mandoc                 mandoc           mandoc
python3                    python3               python3                python           python
git                        git                   git                    git              git
END
}

say() {
    printf 'setup.sh: %s\n' "$*" >&2
}

has() {
    command -v "$1" >/dev/null 2>&1
}

any_file() {
    for file in "$@"; do
        [ -e "$file" ] && return 0
    done
    return 1
}

is_there() {
    case $1 in
    file:*) any_file "${1#file:}" ;;
    pkg:*) has pkg-config && pkg-config --exists "${1#pkg:}" ;;
    qemu:*) any_file /usr/lib*/qemu/"${1#qemu:}".so /usr/lib*/*/qemu/"${1#qemu:}".so ;;
    *) has "$1" ;;
    esac
}

# The packages of one manager (apt, dnf, pacman, brew) that bring what is not there; with "none",
# the witnesses that are not there.
missing() {
    requirements | while read -r witness apt dnf pacman brew; do
        case $1 in
        apt) package=$apt ;;
        dnf) package=$dnf ;;
        pacman) package=$pacman ;;
        brew) package=$brew ;;
        none) [ "$apt" = - ] && continue || package=$witness ;;
        esac
        if [ "$package" != - ] && ! is_there "$witness"; then
            echo "$package"
        fi
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@" </dev/null
    elif has sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        sudo "$@" </dev/null
    else
        say "that takes root, or a sudo that needs no password: start me once as root"
        exit 1
    fi
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a LC_ALL=C.UTF-8 \
        apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 --no-install-recommends "$@"
}

install() {
    for manager in apt-get dnf pacman brew none; do
        has "$manager" && break
    done
    packages=$(missing "${manager%-get}" | sort -u)
    # On x86-64 Debian's compiler of this name is the machine's own.
    if [ "$manager" = apt-get ] && [ "$(dpkg --print-architecture)" = amd64 ]; then
        packages=$(echo "$packages" | sed 's/^gcc-x86-64-linux-gnu$/gcc/' | sort -u)
    fi
    # One word a package: no name has a blank or a wildcard in it.
    # shellcheck disable=SC2086
    set -- $packages
    if [ $# -eq 0 ]; then
        return
    fi

    case "$manager" in
    none)
        say "this machine has none of apt, dnf, pacman and Homebrew; install what brings these"
        say "(commands, file:files, pkg:pkg-config modules, qemu:modules), then start me again:"
        say "    $*"
        exit 1
        ;;
    apt-get) say "installing $*" ;;
    *) say "installing by an untested way, $manager: $*" ;;
    esac
    case "$manager" in
    apt-get)
        apt_get update || say "the package lists could not be refreshed; trying with the old ones"
        apt_get install "$@"
        ;;
    dnf) as_root dnf install -y "$@" ;;
    pacman) as_root pacman -S --needed --noconfirm "$@" ;;
    brew) brew install "$@" ;;
    esac
}

# Kernels that others wrote, for the boot tests: what these packages hold, not installed. They lie in
# build/foreign, file by file.
foreign='xen-hypervisor-4.17-amd64 xen-utils-4.17 gnumach-image-1.8-486 grub-invaders memtest86+'
foreign="$foreign ipxe syslinux-common"

# apt wants to write there as a user of its own, and complains where it cannot.
download() {
    (cd build/foreign && apt-get -q download "$1") >/dev/null 2>&1
}

# The package with the plain name depends on the one with the kernel of the day.
linux_package() {
    apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/^ *Depends: *//p' | head -n 1
}

fetch() {
    if ! has apt-get || [ -f build/foreign/complete ]; then
        return
    fi
    say "fetching kernels for the boot tests: $foreign and Linux"
    rm -rf build/foreign
    mkdir -p build/foreign
    # Old package lists name what the archive may have replaced.
    if [ -z "$(linux_package)" ] || ! download "$(linux_package)"; then
        (apt_get update) >/dev/null 2>&1 || true
    fi
    for package in $foreign "$(linux_package)"; do
        if ! download "$package"; then
            say "could not fetch ${package:-Linux}: its boot test will fail"
            return
        fi
        dpkg-deb -x build/foreign/"$package"_*.deb build/foreign
        rm -f build/foreign/*.deb
    done
    rm -rf build/foreign/lib
    : >build/foreign/complete
}

configure() {
    if [ -f build/build.ninja ]; then
        return
    fi
    if has x86_64-linux-gnu-gcc; then
        cross=x86_64-none
    elif has x86_64-elf-gcc; then
        cross=x86_64-elf
    else
        cross=x86_64-none-clang
    fi
    set -- meson setup build --cross-file "cross/$cross.ini"
    # Started by `sudo ./setup.sh`, leave the owner of the sources a build that is theirs, too.
    if [ "$(id -u)" -eq 0 ] && [ -n "${SUDO_USER-}" ] && [ -n "$(find . -prune -user "$SUDO_USER")" ]; then
        set -- sudo -u "$SUDO_USER" "$@"
    fi
    "$@"
}

install
configure
fetch

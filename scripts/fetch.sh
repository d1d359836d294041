#!/bin/sh
# fetch.sh kernel [PATH] | busybox | fsck | udev | daemons | runit: what the machine is made of
# beside our own program.
#
# The Debian packages are downloaded and unpacked below build/, never installed, so this needs no
# root: where the package lists of this host are missing or stale it reads its own into build/apt.
#   build/kernel/vmlinuz    the distribution's cloud kernel, or a copy of PATH
#   build/kernel/root/      what else is in its package: config, modules
#   build/busybox/busybox   the static one, for the programs
#   build/busybox/ash       the one linked to the C library, for the shell: the static one's shell
#                           prefers its own applets to all programs of the same name on the PATH
#   build/fsck/             e2fsck, the static one, and fsck.fat, linked to the C library
#   build/daemons/root/     lighttpd and redis, which are written for systemd, with their libraries
#   build/udev/root/        systemd-udevd and udevadm, their rules, and the libraries they need
#   build/runit/root/       packages with services for runit, for a test; what they need, and all of
#                           it below usr, etc and var
set -eu
cd "$(dirname "$0")/.."

# Lists of our own: the same sources and keys as the host's, but in a directory anyone may write.
use_own_lists() {
  mkdir -p build/apt/lists/partial build/apt/archives/partial
  lists="-o Dir::State::lists=$PWD/build/apt/lists -o Dir::Cache=$PWD/build/apt"
  # shellcheck disable=SC2086
  apt-get -qq $lists update
}

# The versioned package a meta-package stands for: linux-image-cloud-amd64 depends on one.
versioned() {
  # shellcheck disable=SC2086
  apt-cache $lists depends "$1" 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p'
}

# download PACKAGE DIRECTORY: unpacks PACKAGE, or for a meta-package what it stands for.
download() {
  rm -rf "$2" && mkdir -p "$2"
  case $1 in
    linux-image-cloud-*) package=$(versioned "$1") ;;
    *) package=$1 ;;
  esac
  [ -n "$package" ] || return 1
  # Root downloads as root: the sandbox user of apt could not write here.
  # shellcheck disable=SC2086
  (cd "$2" && apt-get -qq $lists -o APT::Sandbox::User=root download "$package") || return 1
  dpkg-deb -x "$2"/*.deb "$2/root"
  rm -f "$2"/*.deb
}

fetch() {
  command -v apt-get >/dev/null || return 1
  lists=''
  download "$1" "$2" 2>/dev/null || { use_own_lists && download "$1" "$2"; }
}

# publish FILE TARGET: the target appears whole or not at all, also when two of us run at once.
publish() {
  cp "$1" "$2.$$" && chmod 755 "$2.$$" && mv "$2.$$" "$2"
}

what=${1:-}
path=${2:-}
mkdir -p build/kernel build/busybox build/fsck
new=build/new.$$
trap 'rm -rf "$new" "$new.all"' EXIT
case $what in
  kernel)
    if [ -n "$path" ]; then
      publish "$path" build/kernel/vmlinuz
    elif [ ! -e build/kernel/vmlinuz ]; then
      package=linux-image-cloud-$(dpkg --print-architecture 2>/dev/null || uname -m)
      fetch "$package" "$new" || {
        echo "Cannot fetch $package here; name a kernel: make kernel KERNEL=/boot/vmlinuz-..." >&2
        exit 1
      }
      rm -rf build/kernel/root && mv "$new/root" build/kernel/root
      publish build/kernel/root/boot/vmlinuz-* build/kernel/vmlinuz
    fi
    echo "Kernel: build/kernel/vmlinuz"
    ;;
  busybox)
    for package in busybox busybox-static; do
      fetch "$package" "$new" || {
        echo "Cannot fetch $package here; put busybox-static's busybox at build/busybox/busybox" >&2
        echo "and busybox's at build/busybox/ash" >&2
        exit 1
      }
      program=$(find "$new/root" -name busybox -type f -perm -100 | head -n 1)
      case $package in
        busybox) publish "$program" build/busybox/ash ;;
        *) publish "$program" build/busybox/busybox ;;
      esac
    done
    echo "Busybox: build/busybox/busybox"
    ;;
  fsck)
    for package in e2fsck-static dosfstools; do
      fetch "$package" "$new" || {
        echo "Cannot fetch $package here; put e2fsck and fsck.fat into build/fsck" >&2
        exit 1
      }
      case $package in
        e2fsck-static) publish "$new/root/sbin/e2fsck.static" build/fsck/e2fsck ;;
        *) publish "$new/root/sbin/fsck.fat" build/fsck/fsck.fat ;;
      esac
    done
    echo "Checkers of filesystems: build/fsck"
    ;;
  udev)
    # The C library is that of the image.
    for package in udev libkmod2 libacl1 libblkid1 libcap2 libselinux1 libzstd1 liblzma5 libssl3 \
      libpcre2-8-0; do
      fetch "$package" "$new" || {
        echo "Cannot fetch $package here, and without it there is no udevd" >&2
        exit 1
      }
      mkdir -p "$new.all" && cp -a "$new/root/." "$new.all"
    done
    rm -rf build/udev && mkdir -p build/udev && mv "$new.all" build/udev/root
    echo "udevd: build/udev/root"
    ;;
  daemons)
    for package in lighttpd libnettle8 libxxhash0 libpcre2-8-0 libcrypt1 redis-server redis-tools \
      libatomic1 libjemalloc2 liblzf1 libssl3 libsystemd0 libcap2 libgcrypt20 libgpg-error0 \
      liblzma5 libzstd1 liblz4-1 libstdc++6 libgcc-s1; do
      fetch "$package" "$new" || {
        echo "Cannot fetch $package here, and without it the test with daemons is skipped" >&2
        exit 1
      }
      mkdir -p "$new.all" && cp -a "$new/root/." "$new.all"
    done
    rm -rf "$new.all/usr/share" && chmod -R go-w "$new.all"
    rm -rf build/daemons && mkdir -p build/daemons && mv "$new.all" build/daemons/root
    echo "Daemons: build/daemons/root"
    ;;
  runit)
    # The C library is that of the image; of the programs that scripts call it has most.
    for package in runit sysvinit-utils dpkg openssh-server git-daemon-run git mini-httpd-run \
      mini-httpd bcron ucspi-unix libbg2 socklog-run socklog libaudit1 libbz2-1.0 libcap-ng0 \
      libcap2 libcom-err2 libcrypt1 libgcrypt20 libgpg-error0 libgssapi-krb5-2 libk5crypto3 \
      libkeyutils1 libkrb5-3 libkrb5support0 liblz4-1 liblzma5 libmd0 libnsl2 libpam0g \
      libpcre2-8-0 libselinux1 libssl3 libsystemd0 libtirpc3 libwrap0 libzstd1 zlib1g; do
      fetch "$package" "$new" || {
        echo "Cannot fetch $package here, and without it there are no services of runit" >&2
        exit 1
      }
      mkdir -p "$new.all" && cp -a "$new/root/." "$new.all"
    done
    for directory in bin sbin lib; do
      mkdir -p "$new.all/usr/$directory"
      cp -a "$new.all/$directory/." "$new.all/usr/$directory"
      rm -rf "${new:?}.all/$directory"
    done
    rm -rf "$new.all/usr/share/doc" "$new.all/usr/share/man" "$new.all/usr/share/locale"
    rm -rf build/runit && mkdir -p build/runit && mv "$new.all" build/runit/root
    echo "Services for runit: build/runit/root"
    ;;
  *)
    echo "usage: fetch.sh kernel [PATH] | busybox | fsck | udev | daemons | runit" >&2
    exit 100
    ;;
esac

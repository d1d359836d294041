#!/bin/sh
# need.sh THING...: makes sure that programs and libraries outside npm are there.
#
# Each THING is looked for; the Debian packages of those missing are installed when this is root or
# sudo asks no password. Otherwise the exact command is printed and the answer is 1: nothing is
# half-done, and what was missing is named once.
set -eu

# Is a program on the PATH? Debian keeps some in /usr/sbin, which users may not have on theirs.
has() {
  PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null
}

has_library() {
  PATH="$PATH:/usr/sbin:/sbin" ldconfig -p | grep -q "$1"
}

# container engine: docker will do where it is there, so podman is asked for only without it.
is_there() {
  case $1 in
    qemu) has "qemu-system-$(uname -m)" ;;
    container) has podman || has docker ;;
    libatomic) has_library libatomic.so.1 ;;
    libstdc++) has_library 'libstdc++.so.6' ;;
    unprivileged-podman) [ "$(id -u)" = 0 ] || ! has podman || has newuidmap ;;
    *) has "$1" ;;
  esac
}

package_of() {
  case $1 in
    qemu) case $(uname -m) in aarch64) echo qemu-system-arm ;; *) echo qemu-system-x86 ;; esac ;;
    container) echo podman runc ;;
    libatomic) echo libatomic1 ;;
    libstdc++) echo libstdc++6 ;;
    unprivileged-podman) echo uidmap slirp4netns fuse-overlayfs ;;
    mke2fs) echo e2fsprogs ;;
    debootstrap) echo debootstrap debian-archive-keyring ;;
    setpriv | prlimit | unshare) echo util-linux ;;
    s6-svc | s6-svstat | s6-supervise) echo s6 ;;
    sv | runsv) echo runit ;;
    gcc) echo gcc libc6-dev ;;
    strip) echo binutils ;;
    *) echo "$1" ;;
  esac
}

missing=''
packages=''
for thing in "$@"; do
  is_there "$thing" && continue
  missing="$missing $thing"
  packages="$packages $(package_of "$thing")"
done
[ -n "$missing" ] || exit 0

install="apt-get install --yes --no-install-recommends$packages"
if ! has apt-get; then
  echo "Missing:$missing. Install them (on Debian: $install) and try again." >&2
  exit 1
fi
if [ "$(id -u)" = 0 ]; then
  as_root=''
elif has sudo && sudo -n true 2>/dev/null; then
  as_root='sudo'
else
  echo "Missing:$missing. Run this and try again:" >&2
  echo "  sudo apt-get update && sudo $install" >&2
  exit 1
fi
echo "Installing$packages for:$missing"
export DEBIAN_FRONTEND=noninteractive
# A fresh machine has no package lists, or lists too old to download by; then they are read anew.
$as_root $install || { $as_root apt-get update && $as_root $install; }

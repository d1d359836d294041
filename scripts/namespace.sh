#!/bin/sh
# namespace.sh ROOT TTY bare|full COMMAND ARGS...: makes a root and executes COMMAND in it.
#
# Runs under ROOT's own busybox, as PID 1 of fresh pid, mount, uts, ipc and network namespaces, the
# root of the host still in sight; namespace.ts has the whole command and says what the root is. TTY
# is the terminal that becomes /dev/console, or empty.
set -eu
root=$1 tty=$2 mounts=$3
shift 3
busybox=$root/usr/bin/busybox
for applet in mount mkdir cp ln touch mknod pivot_root; do
  alias $applet="$busybox $applet"
done

# Nothing of what follows reaches the host. The new root is put together on /mnt of the staged one.
mount --make-rprivate /
new=$root/mnt
mount -t tmpfs -o mode=755,size=256m tmpfs "$new"
for entry in "$root"/*; do
  case $entry in
    */usr | */mnt) ;;
    *) cp -a "$entry" "$new/" ;;
  esac
done
mkdir "$new/usr" "$new/mnt"
mount --bind "$root/usr" "$new/usr"
# The flags the host mounted it with are locked in a user namespace; some of them are asked for
# here.
mount -o remount,bind,ro "$new/usr" 2>/dev/null ||
  mount -o remount,bind,ro,nosuid,nodev "$new/usr" 2>/dev/null || :

mount -t tmpfs -o mode=755,size=1m tmpfs "$new/dev"
# Nodes of our own, so that a chmod in here stays in here; a user namespace can only borrow the
# host's.
while read -r device major minor; do
  mknod -m 666 "$new/dev/$device" c "$major" "$minor" 2>/dev/null || {
    touch "$new/dev/$device"
    mount --bind "/dev/$device" "$new/dev/$device"
  }
done <<'DEVICES'
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
DEVICES
if [ -n "$tty" ]; then
  touch "$new/dev/console"
  mount --bind "$tty" "$new/dev/console"
fi

if [ "$mounts" = full ]; then
  ln -s /proc/self/fd "$new/dev/fd"
  ln -s fd/0 "$new/dev/stdin"
  ln -s fd/1 "$new/dev/stdout"
  ln -s fd/2 "$new/dev/stderr"
  mkdir "$new/dev/pts" "$new/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$new/dev/pts"
  ln -s pts/ptmx "$new/dev/ptmx"
  mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$new/dev/shm"
  mount -t proc -o nosuid,nodev,noexec proc "$new/proc"
  mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$new/sys"
  mount -t tmpfs -o mode=755,nosuid,nodev tmpfs "$new/run"
  mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$new/tmp"
fi

cd "$new"
pivot_root . mnt
/usr/bin/busybox umount -l /mnt
cd /
exec "$@"

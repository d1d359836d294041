/**
 * Verbs on the netlink socket on which the kernel announces devices (netlink(7),
 * NETLINK_KOBJECT_UEVENT). They know nothing of what a message says.
 */
import type { Fd } from '../core/units.ts';
import { O } from './constants.ts';
import { close } from './descriptors.ts';
import { check, checkUnless, type Libc, orUndo, SysError } from './libc.ts';
import { memory, viewOf } from './memory.ts';

/** Bytes of one message; none now; or that messages came which there was no room for. */
export type Received = Uint8Array | null | 'lost';

/**
 * A socket that gets every message of the kernel about devices from now on. Nonblocking,
 * close-on-exec, with room for a few thousand: what is in there while nobody reads is not lost.
 * @throws {SysError} `EPROTONOSUPPORT` where the kernel has no such thing.
 */
export function listenUevents(libc: Libc): Fd {
  const what = 'listen to the kernel for devices';
  const kind = SOCK_RAW | O.CLOEXEC | O.NONBLOCK;
  const fd = check(libc, what, 'socket', AF_NETLINK, kind, NETLINK_KOBJECT_UEVENT) as Fd;
  return orUndo(
    () => {
      const size = memory(4);
      viewOf(size).setInt32(0, RECEIVE_BYTES, true);
      // More than the machine's limit takes CAP_NET_ADMIN; without it the usual size has to do.
      const args = [fd, SOL_SOCKET, SO_RCVBUFFORCE, size, size.length] as const;
      checkUnless(['EPERM'], libc, what, 'setsockopt', ...args);
      const address = memory(SOCKADDR_NL_BYTES);
      viewOf(address).setUint16(0, AF_NETLINK, true);
      viewOf(address).setUint32(NL_GROUPS_AT, GROUP_KERNEL, true);
      check(libc, what, 'bind', fd, address, address.length);
      return fd;
    },
    () => close(libc, fd),
  );
}

/**
 * The next message of the kernel in `buffer`. What another process sent is left out: it may say
 * anything. One that is longer than `buffer` is cut, and none of the kernel's is longer than 2 KiB
 * of text and its first line (UEVENT_BUFFER_SIZE of linux/kobject.h).
 */
export function receiveUevent(libc: Libc, fd: Fd, buffer: Uint8Array): Received {
  const what = `read announcements from descriptor ${fd}`;
  const address = memory(SOCKADDR_NL_BYTES);
  const length = memory(4);
  try {
    for (;;) {
      viewOf(length).setUint32(0, address.length, true);
      const args = [fd, buffer, buffer.length, 0, address, length] as const;
      const count = checkUnless(['EAGAIN', 'EINTR'], libc, what, 'recvfrom', ...args);
      if (count === null) return null;
      if (viewOf(address).getUint32(NL_PID_AT, true) === KERNEL_PID) {
        return buffer.subarray(0, count);
      }
    }
  } catch (error) {
    if (error instanceof SysError && error.code === 'ENOBUFS') return 'lost';
    throw error;
  }
}

/** bits/socket.h, linux/netlink.h, asm-generic/socket.h. */
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_KOBJECT_UEVENT = 15;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
/** Doubled by the kernel; a message takes up to a kilobyte of it. systemd-udevd asks for more. */
const RECEIVE_BYTES = 2 * 1024 * 1024;

/** struct sockaddr_nl: family, padding, number of the sender's port, groups. */
const SOCKADDR_NL_BYTES = 12;
const NL_PID_AT = 4;
const NL_GROUPS_AT = 8;
const KERNEL_PID = 0;
/** Group 1 is the kernel's own, 2 is that of udevd. */
const GROUP_KERNEL = 1;

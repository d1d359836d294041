/**
 * Verbs on sockets of the filesystem (AF_UNIX): listen, accept, connect, and who is the other side.
 * All are nonblocking and close-on-exec. They know nothing of what is said over them.
 */
import type { Fd, Pid } from '../core/units.ts';
import { O } from './constants.ts';
import { close } from './descriptors.ts';
import { errnoNumber } from './errno.ts';
import { umask } from './files.ts';
import { check, checkUnless, type Libc, orUndo, SysError } from './libc.ts';
import { cString, memory, viewOf } from './memory.ts';
import type { CName } from './signatures.ts';

export type Peer = { readonly pid: Pid; readonly uid: number; readonly gid: number };
export type SocketKind = 'dgram' | 'stream';

/** sun_path of linux/un.h has 108 bytes, and the last one is a NUL. */
export const SOCKET_PATH_BYTES_MAX = 107;

/**
 * A stream socket at `path` that takes connections. The file has exactly `mode` from its first
 * moment on: the umask of the process is set around bind(2).
 * @param backlog Connections the kernel keeps until they are accepted; more are refused or wait.
 * @throws {SysError} `EADDRINUSE` when anything is at `path`; `ENAMETOOLONG`, see the limit above.
 */
export function listenUnix(libc: Libc, path: string, mode: number, backlog: number): Fd {
  const what = `listen on ${path}`;
  const fd = bound(libc, what, 'stream', path, mode);
  return orUndo(
    () => {
      check(libc, what, 'listen', fd, backlog);
      return fd;
    },
    () => close(libc, fd),
  );
}

/** A datagram socket at `path`, as `listenUnix`; each `read` takes one datagram. */
export function listenUnixDgram(libc: Libc, path: string, mode: number): Fd {
  return bound(libc, `receive at ${path}`, 'dgram', path, mode);
}

/**
 * accept4(2): the next connection, or null when there is none, or it went away before we looked.
 * @throws {SysError} `EMFILE` when descriptors are short: the connection keeps waiting.
 */
export function accept(libc: Libc, fd: Fd): Fd | null {
  const what = `accept on descriptor ${fd}`;
  return checkUnless(GONE, libc, what, 'accept4', fd, null, null, SOCKET_FLAGS) as Fd | null;
}

/** SO_PEERCRED of unix(7): who connected, as of that moment. Authorise by `uid`, never by `pid`. */
export function peerCredentials(libc: Libc, fd: Fd): Peer {
  const ucred = memory(12);
  const length = memory(4);
  viewOf(length).setUint32(0, ucred.length, true);
  const args = [fd, SOL_SOCKET, SO_PEERCRED, ucred, length] as const;
  check(libc, `ask who is behind descriptor ${fd}`, 'getsockopt', ...args);
  const view = viewOf(ucred);
  return {
    pid: view.getInt32(0, true) as Pid,
    uid: view.getUint32(4, true),
    gid: view.getUint32(8, true),
  };
}

/** shutdown(2) of the side we write: the peer reads to the end, we may still read. */
export function shutdownWrite(libc: Libc, fd: Fd): void {
  check(libc, `end writing to descriptor ${fd}`, 'shutdown', fd, SHUT_WR);
}

/**
 * connect(2).
 * @throws {SysError} `ENOENT`, `ECONNREFUSED` when nobody listens, `EAGAIN` when the backlog is
 * full.
 */
export function connectUnix(libc: Libc, path: string, kind: SocketKind): Fd {
  const what = `connect to ${path}`;
  const address = socketAddress(what, 'connect', path);
  const fd = socket(libc, what, kind);
  return orUndo(
    () => {
      check(libc, what, 'connect', fd, address, address.length);
      return fd;
    },
    () => close(libc, fd),
  );
}

/** sys/socket.h, bits/socket_type.h, asm-generic/socket.h: both CPUs agree. */
const AF_UNIX = 1;
const TYPES: Readonly<Record<SocketKind, number>> = { stream: 1, dgram: 2 };
const SOCKET_FLAGS = O.CLOEXEC | O.NONBLOCK;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SHUT_WR = 1;

const GONE: readonly string[] = ['EAGAIN', 'EINTR', 'ECONNABORTED'];

function bound(libc: Libc, what: string, kind: SocketKind, path: string, mode: number): Fd {
  const address = socketAddress(what, 'bind', path);
  const fd = socket(libc, what, kind);
  return orUndo(
    () => {
      const before = umask(libc, ~mode & 0o777);
      try {
        check(libc, what, 'bind', fd, address, address.length);
      } finally {
        umask(libc, before);
      }
      return fd;
    },
    () => close(libc, fd),
  );
}

function socket(libc: Libc, what: string, kind: SocketKind): Fd {
  return check(libc, what, 'socket', AF_UNIX, TYPES[kind] | SOCKET_FLAGS, 0) as Fd;
}

/** struct sockaddr_un. The limit is told before the kernel would say a bare EINVAL. */
export function socketAddress(what: string, call: CName, path: string): Uint8Array {
  const text = cString(path);
  const bytes = text.length - 1;
  if (bytes > SOCKET_PATH_BYTES_MAX) {
    const limit = `${what} (${bytes} bytes, a socket path has at most ${SOCKET_PATH_BYTES_MAX})`;
    throw new SysError(call, errnoNumber('ENAMETOOLONG'), limit);
  }
  const address = memory(2 + text.length);
  viewOf(address).setUint16(0, AF_UNIX, true);
  address.set(text, 2);
  return address;
}

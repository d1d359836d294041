/**
 * A socket that a service will be handed: bound here, before it runs. It is blocking, as a program
 * that is handed one expects (sd_listen_fds(3)), and close-on-exec. Nothing is looked up.
 */
import { isAnyAddress, type SocketAddress, type SocketType } from '../core/socket-address.ts';
import type { Fd } from '../core/units.ts';
import { O } from './constants.ts';
import { close } from './descriptors.ts';
import { umask } from './files.ts';
import { check, checkUnless, type Libc, orUndo } from './libc.ts';
import { memory, viewOf } from './memory.ts';
import { socketAddress } from './sockets.ts';

export type ListenOptions = {
  readonly type: SocketType;
  /** Connections the kernel keeps until they are accepted; not of a dgram socket. */
  readonly backlog: number;
  /** Of a socket that is a file, from its first moment on. */
  readonly mode: number;
  /** Others may listen there too, and share what comes (socket(7), SO_REUSEPORT). */
  readonly reusePort: boolean;
  /** The address need not be there yet (ip(7), IP_FREEBIND). */
  readonly freeBind: boolean;
  /** An IPv6 address takes no IPv4 (ipv6(7), IPV6_V6ONLY). */
  readonly v6only: boolean;
};

export type ListenArguments = [address: SocketAddress, options: ListenOptions];

/**
 * Binds a socket to `address`, and listens.
 * @throws {SysError} `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`, `ENOENT` for a missing directory,
 * `EAFNOSUPPORT` without IPv6.
 */
export function listenAt(libc: Libc, address: SocketAddress, options: ListenOptions): Fd {
  if (address.family === 'unix') return listenUnix(libc, address.path, options);
  const { bytes, port } = address;
  const what = `listen on ${wordsOf(bytes, port)}`;
  const family = bytes.length === 4 ? AF_INET : AF_INET6;
  const type = TYPES[options.type] | O.CLOEXEC;
  // A machine without IPv6 has every address of IPv4 all the same.
  const isAny = isAnyAddress(bytes) && !options.v6only;
  const fd = isAny
    ? checkUnless(['EAFNOSUPPORT'], libc, what, 'socket', family, type, 0)
    : check(libc, what, 'socket', family, type, 0);
  if (fd === null) {
    return listenAt(libc, { family: 'inet', bytes: [0, 0, 0, 0], port }, options);
  }
  const isSix = family === AF_INET6;
  return completed(libc, fd as Fd, () => {
    const set = (level: number, name: number, on: boolean): void => {
      check(libc, what, 'setsockopt', fd, level, name, number(on ? 1 : 0), 4);
    };
    // What is left of connections of the service before is in nobody's way (socket(7)).
    set(SOL_SOCKET, SO_REUSEADDR, true);
    if (options.reusePort) set(SOL_SOCKET, SO_REUSEPORT, true);
    if (options.freeBind)
      set(isSix ? IPPROTO_IPV6 : IPPROTO_IP, isSix ? IPV6_FREEBIND : IP_FREEBIND, true);
    if (isSix) set(IPPROTO_IPV6, IPV6_V6ONLY, options.v6only);
    const name = isSix ? sockaddrIn6(bytes, port) : sockaddrIn(bytes, port);
    check(libc, what, 'bind', fd, name, name.length);
    if (options.type !== 'dgram') check(libc, what, 'listen', fd, options.backlog);
  });
}

function listenUnix(libc: Libc, path: string, { type, backlog, mode }: ListenOptions): Fd {
  const what = `listen on ${path}`;
  const name = path.startsWith('@') ? abstractAddress(path) : socketAddress(what, 'bind', path);
  const fd = check(libc, what, 'socket', AF_UNIX, TYPES[type] | O.CLOEXEC, 0) as Fd;
  return completed(libc, fd, () => {
    const before = umask(libc, ~mode & 0o777);
    try {
      check(libc, what, 'bind', fd, name, name.length);
    } finally {
      umask(libc, before);
    }
    if (type !== 'dgram') check(libc, what, 'listen', fd, backlog);
  });
}

function completed(libc: Libc, fd: Fd, act: () => void): Fd {
  return orUndo(
    () => {
      act();
      return fd;
    },
    () => close(libc, fd),
  );
}

/** For people, as they write it. */
function wordsOf(bytes: readonly number[], port: number): string {
  if (bytes.length === 4) return `${bytes.join('.')}:${port}`;
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  // The first run of zeros is left out.
  const zeros = /(?:^|:)0(?::0)+(?=:|$)/.exec(groups.join(':'));
  const text = groups.join(':');
  if (zeros === null) return `[${text}]:${port}`;
  const { index } = zeros;
  const rest = text.slice(index + zeros[0].length);
  return `[${text.slice(0, index)}:${rest === '' ? ':' : rest}]:${port}`;
}

/** struct sockaddr_in of netinet/in.h: family, port, address, zeros. */
function sockaddrIn(bytes: readonly number[], port: number): Uint8Array {
  const name = memory(16);
  const view = viewOf(name);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, port);
  name.set(bytes, 4);
  return name;
}

/** struct sockaddr_in6: family, port, flow, address, scope. */
function sockaddrIn6(bytes: readonly number[], port: number): Uint8Array {
  const name = memory(28);
  const view = viewOf(name);
  view.setUint16(0, AF_INET6, true);
  view.setUint16(2, port);
  name.set(bytes, 8);
  return name;
}

/** unix(7): a NUL in the place of the `@`, and no other at the end. */
function abstractAddress(path: string): Uint8Array {
  const bytes = new TextEncoder().encode(path.slice(1));
  const name = memory(3 + bytes.length);
  viewOf(name).setUint16(0, AF_UNIX, true);
  name.set(bytes, 3);
  return name;
}

function number(value: number): Uint8Array {
  const block = memory(4);
  viewOf(block).setInt32(0, value, true);
  return block;
}

/** bits/socket.h, bits/socket_type.h, asm-generic/socket.h, bits/in.h: both CPUs agree. */
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const TYPES: Readonly<Record<SocketType, number>> = { stream: 1, dgram: 2, seqpacket: 5 };
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_REUSEPORT = 15;
const IPPROTO_IP = 0;
const IP_FREEBIND = 15;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const IPV6_FREEBIND = 78;

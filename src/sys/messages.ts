/**
 * Messages on a datagram socket together with who sent them and which descriptors came along
 * (recvmsg(2), unix(7)). They know nothing of what a message says.
 */
import { type Fd, type Pid, fd as toFd, pid as toPid } from '../core/units.ts';
import { check, checkUnless, type Libc } from './libc.ts';
import { getU64, memory, putU64, viewOf } from './memory.ts';

export type Message = {
  /** A part of the buffer that was given. */
  readonly bytes: Uint8Array;
  /** It was longer than the buffer: the rest is lost. */
  readonly isCut: boolean;
  /** As the kernel knows it at that moment; null when it did not say. */
  readonly sender: { readonly pid: Pid; readonly uid: number } | null;
  /** Close-on-exec, and the receiver's to close. */
  readonly fds: readonly Fd[];
};

/** Has the kernel say with each message who sent it (SO_PASSCRED of unix(7)). */
export function passCredentials(libc: Libc, fd: Fd): void {
  const on = memory(4);
  viewOf(on).setInt32(0, 1, true);
  const what = `ask who sends to descriptor ${fd}`;
  check(libc, what, 'setsockopt', fd, SOL_SOCKET, SO_PASSCRED, on, on.length);
}

/**
 * Sends `bytes` as one message on a connected socket, with descriptors beside it.
 * @throws {SysError} `ECONNREFUSED` when nobody receives any more, `EAGAIN` when too many wait.
 */
export function sendMessage(libc: Libc, fd: Fd, bytes: Uint8Array, fds: readonly Fd[]): void {
  const length = CMSGHDR_BYTES + 4 * fds.length;
  const control = memory(Math.ceil(length / 8) * 8);
  const view = viewOf(control);
  putU64(view, 0, length);
  view.setInt32(CMSG_LEVEL_AT, SOL_SOCKET, true);
  view.setInt32(CMSG_TYPE_AT, SCM_RIGHTS, true);
  fds.forEach((passed, i) => {
    view.setInt32(CMSGHDR_BYTES + 4 * i, passed, true);
  });
  const payload = memory(bytes.length);
  payload.set(bytes);
  const header = headerFor(libc, payload, fds.length === 0 ? null : control);
  check(libc, `send to descriptor ${fd}`, 'sendmsg', fd, header, MSG_NOSIGNAL);
}

/** The next message in `buffer`; null when there is none now. */
export function receiveMessage(libc: Libc, fd: Fd, buffer: Uint8Array): Message | null {
  const control = memory(CONTROL_BYTES);
  const header = headerFor(libc, buffer, control);
  const view = viewOf(header);
  const what = `receive on descriptor ${fd}`;
  const count = checkUnless(
    ['EAGAIN', 'EINTR'],
    ...([libc, what, 'recvmsg', fd, header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT] as const),
  );
  if (count === null) return null;
  const came = control.subarray(0, Math.min(getU64(view, MSG_CONTROLLEN_AT), control.length));
  return {
    bytes: buffer.subarray(0, count),
    isCut: (view.getInt32(MSG_FLAGS_AT, true) & MSG_TRUNC) !== 0,
    ...cameAlong(came),
  };
}

/** A struct msghdr for one buffer; what it points to lives until the next one is made. */
function headerFor(libc: Libc, buffer: Uint8Array, control: Uint8Array | null): Uint8Array {
  const vector = memory(16);
  const header = memory(MSGHDR_BYTES);
  const view = viewOf(header);
  putU64(viewOf(vector), 0, libc.address(buffer));
  putU64(viewOf(vector), 8, buffer.length);
  putU64(view, MSG_IOV_AT, libc.address(vector));
  putU64(view, MSG_IOVLEN_AT, 1);
  if (control !== null) {
    putU64(view, MSG_CONTROL_AT, libc.address(control));
    putU64(view, MSG_CONTROLLEN_AT, control.length);
  }
  // The collector may not take what the kernel is still to read.
  pointedTo.splice(0, pointedTo.length, vector, buffer, control ?? vector);
  return header;
}

const pointedTo: Uint8Array[] = [];

/** struct cmsghdr after struct cmsghdr, each at a multiple of eight bytes (cmsg(3)). */
function cameAlong(control: Uint8Array): Pick<Message, 'sender' | 'fds'> {
  const view = viewOf(control);
  let sender: Message['sender'] = null;
  const fds: Fd[] = [];
  for (let at = 0; at + CMSGHDR_BYTES <= control.length; ) {
    const length = getU64(view, at);
    const end = at + length;
    if (length < CMSGHDR_BYTES || end > control.length) break;
    const isSocket = view.getInt32(at + CMSG_LEVEL_AT, true) === SOL_SOCKET;
    const type = isSocket ? view.getInt32(at + CMSG_TYPE_AT, true) : 0;
    const data = at + CMSGHDR_BYTES;
    if (type === SCM_CREDENTIALS && data + UCRED_BYTES <= end) {
      const pid = toPid(view.getInt32(data, true));
      sender = { pid, uid: view.getUint32(data + 4, true) };
    }
    if (type === SCM_RIGHTS) {
      for (let i = data; i + 4 <= end; i += 4) fds.push(toFd(view.getInt32(i, true)));
    }
    at = Math.ceil(end / 8) * 8;
  }
  return { sender, fds };
}

/** bits/socket.h and asm-generic/socket.h: both CPUs agree. */
const SOL_SOCKET = 1;
const SO_PASSCRED = 16;
const SCM_RIGHTS = 1;
const SCM_CREDENTIALS = 2;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;

/** struct msghdr of sys/socket.h on 64-bit Linux. */
const MSGHDR_BYTES = 56;
const MSG_IOV_AT = 16;
const MSG_IOVLEN_AT = 24;
const MSG_CONTROL_AT = 32;
const MSG_CONTROLLEN_AT = 40;
const MSG_FLAGS_AT = 48;
/** struct cmsghdr: length, level, type. */
const CMSGHDR_BYTES = 16;
const CMSG_LEVEL_AT = 8;
const CMSG_TYPE_AT = 12;
const UCRED_BYTES = 12;
/** Room for the credentials and for 253 descriptors (SCM_MAX_FD of net/scm.h). */
const CONTROL_BYTES = 1152;

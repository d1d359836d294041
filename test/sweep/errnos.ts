/**
 * What each C function may plausibly fail with, from section 2 and 3 of its man page: what a
 * machine short of something, a security module or a broken device would answer. EFAULT and the
 * like, which only a slip of ours could cause, are left out, except where nothing else is left.
 */
import type { CName } from '../../src/sys/signatures.ts';

const SHORT = ['EMFILE', 'ENFILE', 'ENOMEM'];

export const ERRNOS: Readonly<Partial<Record<CName, readonly string[]>>> = {
  bind: ['EADDRINUSE', 'EACCES', 'EROFS', 'ENOSPC'],
  bsearch: ['EAGAIN', 'ENOMEM', 'EMFILE', 'ENOENT', 'EACCES'],
  capget: ['EPERM', 'EINVAL'],
  clock_gettime: ['EINVAL', 'EPERM'],
  close: ['EIO', 'EINTR', 'ENOSPC', 'EDQUOT'],
  connect: ['ECONNREFUSED', 'EACCES', 'EAGAIN', 'EPERM'],
  dup3: ['EMFILE', 'EBUSY', 'EINTR'],
  epoll_create1: SHORT,
  epoll_ctl: ['ENOMEM', 'ENOSPC', 'EPERM', 'EEXIST'],
  epoll_wait: ['EINTR', 'EBADF', 'EINVAL'],
  execve: ['ENOENT', 'EACCES', 'ENOMEM', 'ETXTBSY', 'E2BIG'],
  fcntl: ['EBADF', 'EMFILE', 'EPERM', 'EINVAL'],
  getsockopt: ['ENOPROTOOPT', 'ENOMEM'],
  ioctl: ['EIO', 'EPERM', 'ENOTTY'],
  kill: ['EPERM', 'ESRCH', 'EINVAL'],
  listen: ['EADDRINUSE', 'EOPNOTSUPP'],
  madvise: ['ENOMEM', 'EAGAIN', 'EINVAL'],
  memfd_create: [...SHORT, 'ENOSYS'],
  mkfifo: ['EEXIST', 'ENOSPC', 'EROFS', 'EACCES'],
  mknod: ['EPERM', 'EEXIST', 'ENOSPC', 'EROFS'],
  mmap: ['ENOMEM', 'EPERM', 'EAGAIN'],
  mount: ['EPERM', 'EBUSY', 'ENODEV', 'ENOMEM', 'EINVAL'],
  mprotect: ['EACCES', 'ENOMEM'],
  open: ['EMFILE', 'ENFILE', 'EACCES', 'ENOENT', 'EINTR'],
  pipe2: SHORT,
  prctl: ['EINVAL', 'EPERM'],
  pread: ['EIO', 'EINTR', 'ENOMEM'],
  prlimit: ['EPERM', 'EINVAL', 'ESRCH'],
  pthread_sigmask: ['EINVAL'],
  read: ['EIO', 'EINTR', 'EAGAIN', 'EBADF'],
  reboot: ['EPERM', 'EINVAL'],
  setitimer: ['EINVAL', 'EPERM'],
  sigaction: ['EINVAL', 'EPERM'],
  sigaltstack: ['ENOMEM', 'EPERM'],
  socket: [...SHORT, 'EAFNOSUPPORT'],
  statfs: ['ENOENT', 'EACCES', 'EIO', 'EINTR'],
  waitpid: ['ECHILD', 'EINTR', 'EINVAL'],
  write: ['EIO', 'EAGAIN', 'ENOSPC', 'EPIPE', 'EINTR'],
};

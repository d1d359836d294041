/**
 * The one table of the C functions svinit calls: what they take, what they return and how they say
 * that they failed. `bun.ts` and `node.ts` bind it, `fake.ts` imitates it, tests walk it.
 * It knows nothing of runtimes, of buffers or of what a call is good for.
 */

/** `pointer` is memory of ours, or null; `string` is copied by the binding, NUL added. */
export type CType = 'i32' | 'u32' | 'i64' | 'u64' | 'string' | 'pointer';

/**
 * How a function reports failure: `errno` returns -1 and sets errno, `result` returns the error
 * number itself (preferred where there is a choice: errno may be overwritten before it is read),
 * `list` writes it to the list that it is given (child.ts), `never` has nothing to report.
 */
export type Failing = 'errno' | 'result' | 'list' | 'never';

export type Signature = {
  readonly args: readonly CType[];
  readonly returns: CType;
  readonly fails: Failing;
};

export type CName =
  | 'accept4'
  | 'bind'
  | 'bsearch'
  | 'capget'
  | 'chroot'
  | 'clock_gettime'
  | 'close'
  | 'connect'
  | 'dup3'
  | 'epoll_create1'
  | 'epoll_ctl'
  | 'epoll_wait'
  | 'execve'
  | 'fcntl'
  | 'flock'
  | 'geteuid'
  | 'getpid'
  | 'getppid'
  | 'getsockopt'
  | 'getuid'
  | 'inotify_add_watch'
  | 'inotify_init1'
  | 'ioctl'
  | 'kill'
  | 'listen'
  | 'madvise'
  | 'malloc_trim'
  | 'memcpy'
  | 'memfd_create'
  | 'mkfifo'
  | 'mmap'
  | 'mknod'
  | 'mount'
  | 'mprotect'
  | 'open'
  | 'pipe2'
  | 'pivot_root'
  | 'prctl'
  | 'pread'
  | 'prlimit'
  | 'pthread_sigmask'
  | 'read'
  | 'reboot'
  | 'recvfrom'
  | 'recvmsg'
  | 'sendmsg'
  | 'sethostname'
  | 'setitimer'
  | 'setsid'
  | 'setsockopt'
  | 'shutdown'
  | 'sigaction'
  | 'sigaltstack'
  | 'socket'
  | 'statfs'
  | 'statx'
  | 'sync'
  | 'syscall'
  | 'umask'
  | 'umount2'
  | 'waitid'
  | 'waitpid'
  | 'write';

/** What a child calls before its exec (child.ts), by the name that the C function has. */
export type ChildCallName =
  | 'chdir'
  | 'clone'
  | 'close'
  | 'close_range'
  | 'dup3'
  | 'execve'
  | 'fcntl'
  | 'open'
  | 'prlimit'
  | 'pthread_sigmask'
  | 'setsid'
  | 'sigaction'
  | 'umask'
  | 'unshare';

const BSEARCH: readonly CType[] = ['pointer', 'pointer', 'u64', 'u64', 'pointer'];

/**
 * On 64-bit Linux `size_t`, `ssize_t`, `off_t`, `dev_t` and `long` are eight bytes, on both CPUs.
 */
export const SIGNATURES: Readonly<Record<CName, Signature>> = {
  accept4: setsErrno('i32', 'i32', 'pointer', 'pointer', 'i32'),
  bind: setsErrno('i32', 'i32', 'pointer', 'u32'),
  // What in libc calls a function that is given by its address: see child.ts.
  bsearch: { args: BSEARCH, returns: 'pointer', fails: 'list' },
  capget: setsErrno('i32', 'pointer', 'pointer'),
  chroot: setsErrno('i32', 'string'),
  clock_gettime: setsErrno('i32', 'i32', 'pointer'),
  close: setsErrno('i32', 'i32'),
  connect: setsErrno('i32', 'i32', 'pointer', 'u32'),
  dup3: setsErrno('i32', 'i32', 'i32', 'i32'),
  epoll_create1: setsErrno('i32', 'i32'),
  epoll_ctl: setsErrno('i32', 'i32', 'i32', 'i32', 'pointer'),
  epoll_wait: setsErrno('i32', 'i32', 'pointer', 'i32', 'i32'),
  execve: setsErrno('i32', 'pointer', 'pointer', 'pointer'),
  fcntl: setsErrno('i32', 'i32', 'i32', 'i64'),
  flock: setsErrno('i32', 'i32', 'i32'),
  geteuid: cannotFail('u32'),
  getpid: cannotFail('i32'),
  getppid: cannotFail('i32'),
  getsockopt: setsErrno('i32', 'i32', 'i32', 'i32', 'pointer', 'pointer'),
  getuid: cannotFail('u32'),
  inotify_add_watch: setsErrno('i32', 'i32', 'string', 'u32'),
  inotify_init1: setsErrno('i32', 'i32'),
  ioctl: setsErrno('i32', 'i32', 'u64', 'pointer'),
  kill: setsErrno('i32', 'i32', 'i32'),
  listen: setsErrno('i32', 'i32', 'i32'),
  madvise: setsErrno('i32', 'pointer', 'u64', 'i32'),
  // Gives whether anything went back.
  malloc_trim: cannotFail('i32', 'u64'),
  memcpy: cannotFail('pointer', 'pointer', 'pointer', 'u64'),
  memfd_create: setsErrno('i32', 'string', 'u32'),
  mkfifo: setsErrno('i32', 'string', 'u32'),
  mmap: setsErrno('i64', 'pointer', 'u64', 'i32', 'i32', 'i32', 'i64'),
  mknod: setsErrno('i32', 'string', 'u32', 'u64'),
  mount: setsErrno('i32', 'string', 'string', 'string', 'u64', 'string'),
  mprotect: setsErrno('i32', 'pointer', 'u64', 'i32'),
  open: setsErrno('i32', 'string', 'i32', 'u32'),
  pipe2: setsErrno('i32', 'pointer', 'i32'),
  pivot_root: setsErrno('i32', 'string', 'string'),
  prctl: setsErrno('i32', 'i32', 'u64', 'u64', 'u64', 'u64'),
  pread: setsErrno('i64', 'i32', 'pointer', 'u64', 'i64'),
  prlimit: setsErrno('i32', 'i32', 'i32', 'pointer', 'pointer'),
  pthread_sigmask: returnsError('i32', 'pointer', 'pointer'),
  read: setsErrno('i64', 'i32', 'pointer', 'u64'),
  reboot: setsErrno('i32', 'i32'),
  recvfrom: setsErrno('i64', 'i32', 'pointer', 'u64', 'i32', 'pointer', 'pointer'),
  recvmsg: setsErrno('i64', 'i32', 'pointer', 'i32'),
  sendmsg: setsErrno('i64', 'i32', 'pointer', 'i32'),
  sethostname: setsErrno('i32', 'pointer', 'u64'),
  setitimer: setsErrno('i32', 'i32', 'pointer', 'pointer'),
  setsid: setsErrno('i32'),
  setsockopt: setsErrno('i32', 'i32', 'i32', 'i32', 'pointer', 'u32'),
  shutdown: setsErrno('i32', 'i32', 'i32'),
  sigaction: setsErrno('i32', 'i32', 'pointer', 'pointer'),
  sigaltstack: setsErrno('i32', 'pointer', 'pointer'),
  socket: setsErrno('i32', 'i32', 'i32', 'i32'),
  statfs: setsErrno('i32', 'string', 'pointer'),
  statx: setsErrno('i32', 'i32', 'string', 'i32', 'u32', 'pointer'),
  sync: cannotFail('i32'),
  // Variadic in its header; these are the registers of finit_module(2) and kexec_file_load(2),
  // which glibc does not wrap. A number passes as the address that it is.
  syscall: setsErrno('i64', 'i64', 'i64', 'string', 'i64', 'string', 'i64'),
  umask: cannotFail('u32', 'u32'),
  umount2: setsErrno('i32', 'string', 'i32'),
  waitid: setsErrno('i32', 'i32', 'u32', 'pointer', 'i32'),
  waitpid: setsErrno('i32', 'i32', 'pointer', 'i32'),
  write: setsErrno('i64', 'i32', 'pointer', 'u64'),
};

export const C_NAMES: readonly CName[] = Object.keys(SIGNATURES) as CName[];

function setsErrno(returns: CType, ...args: CType[]): Signature {
  return { args, returns, fails: 'errno' };
}

function returnsError(...args: CType[]): Signature {
  return { args, returns: 'i32', fails: 'result' };
}

function cannotFail(returns: CType, ...args: CType[]): Signature {
  return { args, returns, fails: 'never' };
}

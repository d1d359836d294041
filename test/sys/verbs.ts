/**
 * One ordinary use of every verb of the Kernel: what the fault sweep runs. The type makes a verb
 * without a use an error.
 */
import type { Fd, Pid } from '../../src/core/units.ts';
import type { Kernel } from '../../src/sys/kernel.ts';
import type { FileAction, Program } from '../../src/sys/spawn.ts';

const DOORS = { reusePort: true, freeBind: true, v6only: false };
const LISTEN = { type: 'stream', backlog: 10, mode: 0o600, ...DOORS } as const;
const FD = 50 as Fd;
const PID = 60 as Pid;

/** Two copies that trade places, a gap, and a file: everything a program's descriptors can need. */
const files: FileAction[] = [
  { fd: 0, open: '/dev/null', flags: 0, mode: 0 },
  { fd: 40, dup: 41 as Fd },
  { fd: 41, dup: 40 as Fd },
];

export const PROGRAM: Program = {
  path: '/bin/program',
  argv: ['program', 'argument'],
  env: ['KEY=value'],
  cwd: '/tmp',
  files,
  session: true,
  nofile: { soft: 100, hard: 1000 },
  umask: 0o027,
};

export const USES: Readonly<Record<keyof Kernel, (kernel: Kernel) => unknown>> = {
  mount: (k) => k.mount({ source: 'a', target: '/b', type: 'tmpfs', flags: ['ro'], data: '' }),
  unmount: (k) => k.unmount('/b', ['detach']),
  statfsMagic: (k) => k.statfsMagic('/b'),
  pivotRoot: (k) => k.pivotRoot('/new', '/new/old'),
  chroot: (k) => k.chroot('/new'),
  mknod: (k) => k.mknod('/dev/null', 'char', 0o666, 1, 3),
  mkfifo: (k) => k.mkfifo('/run/fifo', 0o600),
  umask: (k) => k.umask(0o022),
  scratch: (k) => k.scratch('state'),
  memfd: (k) => k.memfd('state', new Uint8Array(10)),
  memfdRead: (k) => k.memfdRead(FD, 100),
  open: (k) => k.open('/file', 0),
  close: (k) => k.close(FD),
  read: (k) => k.read(FD, new Uint8Array(10)),
  write: (k) => k.write(FD, new Uint8Array(10)),
  pipe: (k) => k.pipe(0),
  moveTo: (k) => k.moveTo(FD, FD),
  dup: (k) => k.dup(FD, 3),
  lockOpenFile: (k) => k.lockOpenFile(FD),
  getFlags: (k) => k.getFlags(FD),
  setCloexec: (k) => k.setCloexec(FD, true),
  setAsync: (k) => k.setAsync(FD, PID),
  setBlocking: (k) => k.setBlocking(FD),
  fstatKind: (k) => k.fstatKind(FD),
  makeControllingTty: (k) => k.makeControllingTty(FD),
  windowSize: (k) => k.windowSize(FD),
  writeAll: (k) => k.writeAll(FD, new Uint8Array(3)),
  setWatchdogTimeout: (k) => k.setWatchdogTimeout(FD, 60),
  listenUevents: (k) => k.listenUevents(),
  receiveUevent: (k) => k.receiveUevent(FD, new Uint8Array(10)),
  listenAt: (k) => k.listenAt({ family: 'inet', bytes: Array(16).fill(0), port: 80 }, LISTEN),
  passCredentials: (k) => k.passCredentials(FD),
  sendMessage: (k) => k.sendMessage(FD, new Uint8Array(3), [FD]),
  receiveMessage: (k) => k.receiveMessage(FD, new Uint8Array(10)),
  epollCreate: (k) => k.epollCreate(),
  epollAdd: (k) => k.epollAdd(FD, FD, 1),
  epollRemove: (k) => k.epollRemove(FD, FD),
  epollWait: (k) => k.epollWait(FD, 0, 8),
  inotifyInit: (k) => k.inotifyInit(),
  inotifyAdd: (k) => k.inotifyAdd(FD, '/dir', 1),
  reserveSources: (k) => k.reserveSources(),
  spawn: (k) => k.spawn(PROGRAM),
  waitAny: (k) => k.waitAny(),
  peekAny: (k) => k.peekAny(),
  reap: (k) => k.reap(PID),
  kill: (k) => k.kill(PID, 15),
  getpid: (k) => k.getpid(),
  getppid: (k) => k.getppid(),
  getuid: (k) => k.getuid(),
  geteuid: (k) => k.geteuid(),
  setsid: (k) => k.setsid(),
  setChildSubreaper: (k) => k.setChildSubreaper(),
  setName: (k) => k.setName('name'),
  getNofile: (k) => k.getNofile(0),
  setNofile: (k) => k.setNofile(PID, { soft: 1, hard: 2 }),
  mayRaiseLimits: (k) => k.mayRaiseLimits(),
  execve: (k) => k.execve('/bin/program', ['program'], []),
  installRevival: (k) =>
    k.installRevival({
      paths: ['/own', '/init'],
      argvFor: () => ['init'],
      env: ['A=b'],
      signals: [11],
    }),
  giveBack: (k) => k.giveBack('400000-402000 r-xp 0 fe:00 4 /bin/a\nAnonymous: 0 kB\n'),
  touch: (k) => k.touch(8),
  putOffAlarm: (k) => k.putOffAlarm(5000.7),
  sigDefault: (k) => k.sigDefault([11]),
  sigIgnore: (k) => k.sigIgnore([13]),
  sigBlock: (k) => k.sigBlock([15]),
  sigUnblock: (k) => k.sigUnblock([15]),
  sigSetMask: (k) => k.sigSetMask([]),
  listenUnix: (k) => k.listenUnix('/run/control', 0o600, 8),
  listenUnixDgram: (k) => k.listenUnixDgram('/run/notify', 0o600),
  accept: (k) => k.accept(FD),
  peerCredentials: (k) => k.peerCredentials(FD),
  shutdownWrite: (k) => k.shutdownWrite(FD),
  connectUnix: (k) => k.connectUnix('/run/control', 'stream'),
  monotonic: (k) => k.monotonic(),
  reboot: (k) => k.reboot('poweroff'),
  setCtrlAltDel: (k) => k.setCtrlAltDel(false),
  sync: (k) => k.sync(),
  sethostname: (k) => k.sethostname('machine'),
  interfaceUp: (k) => k.interfaceUp('lo'),
  loadModule: (k) => k.loadModule(FD, 'loop', 'max_loop=8', false),
  loadKernel: (k) => k.loadKernel(FD, FD, 'quiet'),
  unloadKernel: (k) => k.unloadKernel(),
};

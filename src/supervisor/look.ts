/**
 * Whether a way down that may fail at its very end can succeed, before anything is stopped for it:
 * is a kernel loaded, is there an init on a root that is mounted. A root may be on a disk that does
 * not answer any more, so a disposable child looks at it, and is not waited for longer than that.
 */
import { constants, readFileSync } from 'node:fs';
import type { Exit } from '../core/exit.ts';
import type { Look, SwitchTarget } from '../core/halt.ts';
import { parseMountinfo } from '../core/mountinfo.ts';
import { SIGKILL } from '../core/signals.ts';
import { durationWords, type Fd, later, type Millis, ms, type Pid } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import { letGo, wordsOf } from './let-go.ts';

export type LookerPorts = {
  readonly kernel: Kernel;
  readonly now: () => Millis;
  /** Why not, or null. */
  readonly over: (look: Look, problem: string | null) => void;
  /** Answers at once, for nothing is decided any more. */
  readonly refuse: (look: Look, reason: string) => void;
};

type Running = {
  readonly look: Look;
  readonly pid: Pid;
  readonly output: Fd;
  readonly by: Millis;
};

/** A disk that spins up takes some seconds. */
const LOOK_WITHIN = ms(10_000);
const KEXEC_LOADED = '/sys/kernel/kexec_loaded';
/** Where the statically linked busybox of an image is. */
const TOOLS = '/usr/bin';
const SAID_BYTES_MAX = 500;
const NO_KERNEL = 'no kernel is loaded; svctl kexec --kernel=FILE loads one, and so does kexec -l';

/**
 * What is to become /dev, /proc, /sys and /run of the root must be there, or be made. Then our
 * busybox asks from inside the root, where links mean what they will mean, whether init may be
 * executed. It gets there on /run, in a mount namespace that ends with the child.
 */
const OUTSIDE = `umask 022
root=$1
no() { echo "$*"; exit 1; }
for name in dev proc sys run; do
  [ ! -L "$root/$name" ] || no "/$name on $root is a link"
  [ -d "$root/$name" ] || mkdir "$root/$name" 2> /dev/null || no "$root has no /$name"
done
exec unshare -m sh -c "$3" sh "$1" "$2" "$4" "$5"`;
const BETWEEN = `mount --bind "$4" "$1/run" || exit
exec chroot "$1" /run/busybox sh -c "$3" sh "$1" "$2"`;
const INSIDE = `[ -e "$2" ] || { echo "there is no $2 on $1"; exit 1; }
[ -f "$2" ] && [ -x "$2" ] || { echo "$2 on $1 is not executable"; exit 1; }`;

export class Looker {
  readonly #ports: LookerPorts;
  #running: Running | null = null;

  constructor(ports: LookerPorts) {
    this.#ports = ports;
  }

  /** Looks, and `over` hears of it, perhaps at once. */
  begin(look: Look): void {
    const { over } = this.#ports;
    if (look.kind === 'kexec') return over(look, kexecProblem());
    if (!isMounted(look.to.root)) return over(look, `${look.to.root} is no mount point`);
    if (this.#running !== null) return over(look, 'another root is being looked at');
    try {
      this.#running = this.#start(look, look.to);
    } catch (error) {
      over(look, wordsOf(error));
    }
  }

  /** Whether `pid` is the one that looked. */
  ended(pid: Pid, exit: Exit): boolean {
    const running = this.#running;
    if (running?.pid !== pid) return false;
    const said = this.#read(running.output);
    const isWell = exit.kind === 'code' && exit.code === 0;
    this.#over(isWell ? null : said === '' ? 'the root cannot be looked at' : said);
    return true;
  }

  /** Gives one up that takes too long. Called from the reconcile tick. */
  expire(): void {
    const running = this.#running;
    if (running === null || this.#ports.now() < running.by) return;
    this.#ports.kernel.kill(running.pid, SIGKILL);
    this.#over(`the root does not answer within ${durationWords(LOOK_WITHIN)}`);
  }

  /** This image ends, and with it whoever could be told. */
  abandon(): void {
    const running = this.#running;
    this.#running = null;
    if (running === null) return;
    letGo(this.#ports.kernel, running.output);
    const reason = `Cannot ${running.look.kind}: svinit was replaced meanwhile, ask again`;
    this.#ports.refuse(running.look, reason);
  }

  #over(problem: string | null): void {
    const running = this.#running;
    this.#running = null;
    if (running === null) return;
    letGo(this.#ports.kernel, running.output);
    this.#ports.over(running.look, problem);
  }

  #start(look: Look, { root, init }: SwitchTarget): Running {
    const { kernel, now } = this.#ports;
    const [output, end] = kernel.pipe(constants.O_NONBLOCK);
    try {
      const pid = kernel.spawn({
        path: '/bin/sh',
        argv: ['sh', '-c', OUTSIDE, 'sh', root, init, BETWEEN, INSIDE, TOOLS],
        env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
        cwd: '/',
        files: [
          { fd: 0, open: '/dev/null', flags: constants.O_RDWR, mode: 0 },
          { fd: 1, dup: end },
          { fd: 2, dup: end },
        ],
        session: true,
        nofile: null,
      });
      return { look, pid, output, by: later(now(), LOOK_WITHIN) };
    } catch (error) {
      letGo(kernel, output);
      throw error;
    } finally {
      letGo(kernel, end);
    }
  }

  #read(output: Fd): string {
    const buffer = new Uint8Array(SAID_BYTES_MAX);
    const length = this.#ports.kernel.read(output, buffer) ?? 0;
    return new TextDecoder().decode(buffer.subarray(0, length)).trim().replaceAll(/\s+/g, ' ');
  }
}

/** Asking for the table of mounts asks no disk. */
function isMounted(root: string): boolean {
  const mounts = parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8'));
  return root !== '/' && mounts.some(({ target }) => target === root);
}

/** /sys/kernel/kexec_loaded (Documentation/ABI/testing/sysfs-kernel-kexec): 1 when one is. */
function kexecProblem(): string | null {
  try {
    return readFileSync(KEXEC_LOADED, 'latin1').trim() === '1' ? null : NO_KERNEL;
  } catch {
    return 'this kernel has no kexec';
  }
}

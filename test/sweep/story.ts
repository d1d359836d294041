/**
 * The story of src/init.ts on a machine of the sweep: stage 0, stage 1, supervise or rescue, image
 * after image. It is told again here because init.ts opens the real system.
 */
import { openConsole, realConsole } from '../../src/boot/console.ts';
import { observe } from '../../src/boot/observe.ts';
import { tameSignals } from '../../src/boot/signals.ts';
import { stage0 } from '../../src/boot/stage0.ts';
import { describeResult, performBoot } from '../../src/boot/stage1.ts';
import { planBoot } from '../../src/core/boot.ts';
import { BOOT_DEFAULTS } from '../../src/core/boot-options.ts';
import { loggerSpec } from '../../src/core/builtins.ts';
import { decodeCheckpoint } from '../../src/core/checkpoint.ts';
import { BOOTED } from '../../src/core/environment.ts';
import { beginningOf } from '../../src/core/examined.ts';
import { newSystem, type System, type SystemOptions } from '../../src/core/system.ts';
import { ms, pid, fd as toFd } from '../../src/core/units.ts';
import { LOGGER } from '../../src/supervisor/definitions.ts';
import { countRevival, isCrashLoop } from '../../src/supervisor/lifeline.ts';
import { ownArguments } from '../../src/supervisor/own-arguments.ts';
import { pathsIn } from '../../src/supervisor/paths.ts';
import { type Legacy, readLegacy, type Self } from '../../src/supervisor/reexec.ts';
import { rescue } from '../../src/supervisor/rescue.ts';
import { Supervisor } from '../../src/supervisor/supervisor.ts';
import { listenToSignals } from '../../src/supervisor/survive.ts';
import { type Kernel, openKernel } from '../../src/sys/kernel.ts';
import { device, directory, file, link, type Node } from '../boot-unit/world.ts';
import { adopted } from './client.ts';
import type { Machine } from './machine.ts';

/** A machine as its initramfs leaves it, and what the kernel tells of itself. */
export const NODES: Readonly<Record<string, Node>> = {
  '/dev': directory(),
  '/dev/console': device(5, 1, 0o600),
  '/proc': directory(0o555),
  '/proc/self': link('1'),
  '/proc/self/exe': link('/init'),
  '/proc/self/status': file('SigIgn:\t0000000000001000\nCapEff:\t000001ffffffffff\n'),
  '/proc/self/mountinfo': file('1 1 0:3 / /proc rw - proc proc rw\n'),
  '/proc/self/ns/pid': link('pid:[4026531836]'),
  '/proc/self/uid_map': file('         0          0 4294967295\n'),
  '/proc/filesystems': file('nodev\tsysfs\nnodev\tdevtmpfs\n'),
  '/proc/sys/kernel/printk_devkmsg': file('ratelimit\n'),
  '/sys/class/tty/console/active': file('ttyS0\n'),
};

const SELF: Self = { path: '/init', program: ['svinit', BOOTED], given: [], env: ['PATH=/bin'] };

/** What the machine boots from. */
export type Disk = { readonly root: string; readonly uid: number };

/** Begins the first image. */
export function powerOn(machine: Machine, disk: Disk): void {
  begin(machine, disk, []);
}

/** Lets time pass, and begins the next image whenever one takes the place of the last. */
export async function live(machine: Machine, disk: Disk, ms: number): Promise<void> {
  const until = machine.now + ms;
  while (!machine.isOver()) {
    await machine.pass(until - machine.now);
    const argv = machine.became;
    if (argv === null) return;
    machine.became = null;
    begin(machine, disk, argv);
  }
}

function begin(machine: Machine, disk: Disk, argv: readonly string[]): void {
  const kernel = openKernel(machine.boot());
  const before = machine.uncaught.length;
  machine.run(() => {
    try {
      main(machine, kernel, disk, argv);
    } catch (error) {
      const say = (line: string): void => void machine.said.push(line);
      say(`svinit: ${error}`);
      void rescue(kernel, { console: null, machine: true, say });
    }
  });
  // No handler stands yet that would survive it: the runtime ends, and with it the machine.
  if (machine.uncaught.length > before) machine.ended = 'panic: the program has ended';
}

function main(machine: Machine, kernel: Kernel, disk: Disk, argv: readonly string[]): void {
  const beganAt = kernel.monotonic();
  const { files } = machine.world;
  if (argv[0] !== BOOTED) {
    const life = { program: ['svinit'], execPath: '/init', env: {}, cwd: '/', files };
    stage0(kernel, argv, { ...life, chdir: () => {} });
    if (machine.became !== null) return;
  }
  machine.uid = 0;
  const facts = observe(kernel, files);
  const untamed = tameSignals(kernel, facts.machine);
  const console = openConsole(kernel, facts.machine);
  const say = (line: string): void => console.write(line);
  for (const reason of untamed) say(`svinit: ${reason}`);
  const terminal = realConsole(facts.machine, files);

  const { state, died } = ownArguments(argv.slice(1));
  const legacy = state === null ? null : inherit(kernel, say, state);
  if (legacy === null) {
    const report = performBoot(planBoot(BOOT_DEFAULTS, facts), {
      kernel,
      files,
      report: (result) => say(describeResult(result)),
    });
    if (report.fatal !== null) {
      void rescue(kernel, { console: terminal, machine: facts.machine, say }).catch((error) => {
        machine.uncaught.push(error);
      });
      return;
    }
  }
  // The definitions are real files, of whoever runs this.
  machine.uid = disk.uid;
  const revivals = died === null ? [] : countRevival(legacy?.revivals ?? [], kernel.monotonic());
  const supervisor = new Supervisor({
    kernel,
    system: systemFor(kernel, say, legacy, isCrashLoop(revivals), facts.machine),
    paths: pathsIn('/run/svinit'),
    roots: [{ path: disk.root, dialect: 'svinit' }],
    builtins: [loggerSpec(LOGGER, SELF.path, {})],
    environment: { PATH: '/bin' },
    ownEnvironment: { PATH: '/bin' },
    say,
    quiet: false,
    beganAt,
    console: terminal,
    consoles: [],
    machine: facts.machine,
    memoryMin: 0,
    beginning: beginningOf(BOOT_DEFAULTS, observe(kernel, files)),
    self: SELF,
    legacy,
    lost: state !== null && legacy === null,
    death: died === null ? null : { signal: died, revivals },
    revivals,
    watchdog: 0,
    adoptSocket: (fd) => adopted(machine, fd) as never,
    exit: (code) => {
      machine.exited = code;
      throw new Error(`svinit exits with ${code}`);
    },
  });
  listenToSignals(kernel, supervisor, facts.machine);
  supervisor.start();
}

function inherit(kernel: Kernel, say: (line: string) => void, state: number): Legacy | null {
  try {
    return readLegacy(kernel, toFd(state));
  } catch (error) {
    say(`svinit: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

function systemFor(
  kernel: Kernel,
  say: (line: string) => void,
  legacy: Legacy | null,
  safe: boolean,
  machine: boolean,
): System {
  const settings: SystemOptions = {
    target: 'default',
    parallel: Number.POSITIVE_INFINITY,
    main: null,
    haltWithin: ms(60_000),
    stopKind: machine ? 'poweroff' : 'exit',
    safe,
    testing: false,
    version: '0',
    runtime: 'sweep',
    pid: pid(1),
  };
  if (legacy === null) return newSystem(settings, kernel.monotonic());
  const decoded = decodeCheckpoint(legacy.system, settings, legacy.turns);
  if (decoded.ok) return decoded.system;
  say(`svinit: ${decoded.reason}`);
  return newSystem(settings, kernel.monotonic());
}

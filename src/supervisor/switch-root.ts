/**
 * Another init becomes PID 1, on another root: what svinit mounted moves there, what it did to
 * itself is undone, and the init is exec'd. The memory of the initramfs is given back once that has
 * succeeded. Until then everything can be undone, so that a failure ends at a console.
 */
import { constants, mkdirSync, readFileSync } from 'node:fs';
import type { SwitchTarget } from '../core/halt.ts';
import { type Mount, parseMounts } from '../core/mountinfo.ts';
import { planSwitch, type SwitchPlan } from '../core/switch-plan.ts';
import type { Fd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import { becomeInit } from './become.ts';
import { leaveCgroups } from './cgroups-leave.ts';
import { letGo, wordsOf } from './let-go.ts';
import { leaveWayBack } from './way-back.ts';

export type SwitchPorts = {
  readonly kernel: Kernel;
  readonly say: (text: string) => void;
  /** Directories of svinit: what is mounted there ends with it. */
  readonly own: readonly string[];
};

/**
 * Does not return when it succeeds.
 * @throws {Error} saying what failed; the mounts are back where they were, but those of svinit and
 * of services, and the root itself, which may be at /sysroot.
 */
export function switchRoot(ports: SwitchPorts, to: SwitchTarget): never {
  const { kernel, say, own } = ports;
  const plan = planSwitch(mounts(), to.root, own);
  const attempt = (what: string, act: () => void): void => {
    try {
      act();
    } catch (error) {
      say(`cannot ${what}: ${wordsOf(error)}`);
    }
  };
  attempt('leave the cgroups', () => leaveCgroups(say));
  attempt('leave a way back', leaveWayBack);
  const undo: (() => void)[] = [];
  const cleaner = plan.isInitramfs ? startCleaner(kernel) : null;
  try {
    enter(kernel, plan, to.root, undo);
    return becomeInit(kernel, to);
  } catch (error) {
    for (const act of undo.reverse()) attempt('go back', act);
    throw error;
  } finally {
    cleaner?.stay();
  }
}

/** All mounts where the next init expects them, and this process in its root. */
function enter(kernel: Kernel, plan: SwitchPlan, asked: string, undo: (() => void)[]): void {
  const move = (source: string, target: string): void =>
    kernel.mount({ source, target, type: '', flags: ['move'], data: '' });
  // What is shared cannot be moved (mount(2)).
  kernel.mount({ source: '', target: '/', type: '', flags: ['rec', 'private'], data: '' });
  const root = plan.stage ?? asked;
  if (plan.stage !== null) {
    mkdirSync(plan.stage, { recursive: true });
    move(asked, plan.stage);
  }
  for (const target of plan.drop) detach(kernel, target);
  for (const path of plan.move) {
    move(path, `${root}${path}`);
    undo.push(() => move(`${root}${path}`, path));
  }
  // It names this root even when another is on top of it, and ends with a successful exec.
  const before = kernel.open('/', constants.O_RDONLY | constants.O_DIRECTORY);
  process.chdir(root);
  move('.', '/');
  kernel.chroot('.');
  undo.push(() => {
    kernel.chroot(`/proc/self/fd/${before}`);
    move('.', root);
    process.chdir('/');
    letGo(kernel, before);
  });
}

/** What cannot be detached is out of sight all the same, below the next root. */
function detach(kernel: Kernel, target: string): void {
  try {
    kernel.unmount(target, ['detach']);
  } catch {
    // It may have gone with what it was mounted on.
  }
}

function mounts(): Mount[] {
  return parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
}

/**
 * Once nobody can say a word any more, because the end of the pipe that could has gone with the
 * exec, the files of the initramfs are removed: they would take their memory for ever. `-xdev` is
 * what keeps it from all that is mounted (find(1)).
 */
const CLEAN = `read -r word
[ -z "$word" ] || exit
find / -xdev ! -type d ! -path /usr/bin/busybox -exec /usr/bin/busybox rm -f {} +
exec /usr/bin/busybox rm -f /usr/bin/busybox`;

/** A child that stays behind in the present root. Null: there is none, and the files stay. */
function startCleaner(kernel: Kernel): { stay: () => void } | null {
  const [end, word] = kernel.pipe(0);
  try {
    kernel.spawn({
      path: '/bin/sh',
      argv: ['sh', '-c', CLEAN],
      env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
      cwd: '/',
      files: [
        { fd: 0, dup: end },
        { fd: 1, open: '/dev/null', flags: constants.O_RDWR, mode: 0 },
        { fd: 2, open: '/dev/null', flags: constants.O_RDWR, mode: 0 },
      ],
      session: true,
      nofile: null,
    });
    return { stay: () => tellAndClose(kernel, word) };
  } catch {
    letGo(kernel, word);
    return null;
  } finally {
    letGo(kernel, end);
  }
}

function tellAndClose(kernel: Kernel, word: Fd): void {
  kernel.write(word, new TextEncoder().encode('stay\n'));
  letGo(kernel, word);
}

/**
 * The mount namespace in which services of a root run: the root is its `/`, with /dev, /proc and
 * /sys of the machine and a /run of its own. PID 1 stays outside; nothing it sees changes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { LOG, RUN } from '../core/boot-options.ts';
import type { RootPlaces } from '../core/root-places.ts';
import { failureOf } from './run-program.ts';

/** Whoever is in the namespace before it is pinned. */
export type Space = { readonly pid: number; readonly leave: () => void };

/**
 * Runs in the new namespace with the root as `$1`. pivot_root(2) cannot leave an initramfs, so the
 * root is moved over it. What services need of ours is in /run: sockets, and where logs are.
 */
const ENTER = `set -e
cd "$1"
mount --rbind /dev dev
mount --rbind /proc proc
mount --rbind /sys sys
mount -t tmpfs -o nosuid,nodev,mode=755 tmpfs run
mkdir -p ".$2" ".$3"
mount --bind "$2" ".$2"
mount --bind "$3" ".$3"
if [ "$4" = ro ]; then mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs tmp; fi
mount --move . /
exec chroot . /bin/sh -c "$0"
`;
/** Runs in the root, until its input ends or it is killed. */
const WAIT = 'echo entered; read -r line';

const SETUP_WITHIN_MS = 30_000;

/**
 * Makes the namespace.
 * @param writable Where the root is not, at least /tmp shall be.
 * @throws {Error} that says what is lacking.
 */
export function makeSpace(places: RootPlaces, writable: boolean): Promise<Space> {
  const script = ['sh', '-c', ENTER, WAIT, places.tree, RUN, LOG, writable ? 'rw' : 'ro'];
  return enter('unshare', ['-m', '--propagation', 'private', ...script]);
}

/**
 * Enters the namespace that is pinned.
 * @throws {Error} that says what is lacking.
 */
export function joinSpace({ pin }: RootPlaces): Promise<Space> {
  return enter('nsenter', [`--mount=${pin}`, '/bin/sh', '-c', WAIT]);
}

async function enter(program: string, args: readonly string[]): Promise<Space> {
  const child = spawn(program, [...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  const leave = (): void => {
    child.kill('SIGKILL');
  };
  const failure = await enteredOr(child);
  if (failure === null && child.pid !== undefined) return { pid: child.pid, leave };
  leave();
  throw new Error(`Cannot enter the root: ${failure ?? 'there is no process'}`);
}

/** Null once it is inside. */
async function enteredOr(child: ChildProcess): Promise<string | null> {
  const said: string[] = [];
  const { stdout, stderr } = child;
  stderr?.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const stuck = AbortSignal.timeout(SETUP_WITHIN_MS);
  const entered = async (): Promise<null> => {
    if (stdout === null) return null;
    await once(stdout, 'data', { signal: stuck });
    return null;
  };
  const ended = async (): Promise<string> => {
    await once(child, 'close', { signal: stuck });
    return said.join('').trim().split('\n').at(-1) ?? '';
  };
  try {
    return await Promise.race([entered(), ended()]);
  } catch (error) {
    if (stuck.aborted) return `it took longer than ${SETUP_WITHIN_MS / 1000} s`;
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Holds the namespace of `space` at a place of its own, for as long as that is mounted.
 * @throws {Error} that says what is lacking.
 */
export async function pinSpace(places: RootPlaces, { pid }: Space): Promise<void> {
  closeSync(openSync(places.pin, 'w'));
  const argv = ['mount', '--bind', `/proc/${pid}/ns/mnt`, places.pin];
  const failure = await failureOf(argv, { withinMs: SETUP_WITHIN_MS });
  if (failure !== null) throw new Error(`Cannot hold the namespace of the root: ${failure}`);
}

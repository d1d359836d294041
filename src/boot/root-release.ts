/**
 * Takes a root away: whoever still lives in it ends, its namespace is let go, its filesystems are
 * unmounted or, where they are busy, made read-only. Each step has a deadline.
 */
import { closeSync, constants, openSync, rmSync } from 'node:fs';
import { holderWords } from '../core/root-holders.ts';
import type { RootPlaces } from '../core/root-places.ts';
import { lostAccounts } from './root-accounts.ts';
import { endInside, heldBy, holdersNow } from './root-holders.ts';
import { mountedAt, mountsNow } from './root-mount.ts';
import { failureOf } from './run-program.ts';

const UNMOUNT_WITHIN_MS = 10_000;
/** A namespace is taken apart by the kernel some time after its last process has ended. */
const IDLE_WITHIN_MS = 3000;
const LOOK_MS = 50;

export type ReleaseOptions = {
  /** The device whose filesystem must be idle in the end; null: there is none. */
  readonly device: string | null;
  /** Another init takes the root over: its filesystems stay mounted. */
  readonly keep: boolean;
  readonly tell: (line: string) => void;
};

/** Whether nothing holds the root any more; what does has been told. */
export async function release(places: RootPlaces, options: ReleaseOptions): Promise<boolean> {
  const { device, keep, tell } = options;
  const held = heldBy(places);
  const left = await endInside(held, (line, who) => tell(`${line} ${holderWords(who)}`));
  if (left.length > 0) tell(`they do not end: ${holderWords(left)}`);
  const targets = mountedAt(places).filter((target) => !keep || target === places.pin);
  let isFree = true;
  for (const target of targets) {
    const lost = target === places.upper ? await lostAccounts(places) : null;
    if (lost !== null) tell(lost);
    const failure = await failureOf(['umount', target], { withinMs: UNMOUNT_WITHIN_MS });
    if (failure === null) continue;
    isFree = false;
    tell(`Cannot unmount ${target}: ${failure}`);
    await makeReadOnly(target, tell);
  }
  rmSync(places.state, { force: true });
  if (keep) return true;
  const isIdle = !isFree || device === null || (await becomesIdle(device));
  if (!isIdle) tell(`${device} is still in use`);
  if (isFree && isIdle) return true;
  const who = holdersNow(held);
  if (who.length > 0) tell(`it is held by ${holderWords(who)}`);
  return false;
}

/** What is in memory loses nothing. */
async function makeReadOnly(target: string, tell: (line: string) => void): Promise<void> {
  const type = mountsNow().findLast((mount) => mount.target === target)?.type;
  if (type === undefined || IN_MEMORY.has(type)) return;
  const argv = ['mount', '-o', 'remount,ro', target];
  const failure = await failureOf(argv, { withinMs: UNMOUNT_WITHIN_MS });
  tell(failure === null ? `${target} is read-only now` : `nor can it be read-only: ${failure}`);
}

const IN_MEMORY: ReadonlySet<string> = new Set(['tmpfs', 'overlay', 'nsfs']);

/** open(2), O_EXCL: refused with EBUSY for as long as the device is mounted anywhere. */
async function becomesIdle(device: string): Promise<boolean> {
  const until = performance.now() + IDLE_WITHIN_MS;
  while (isBusy(device)) {
    if (performance.now() > until) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return true;
}

function isBusy(device: string): boolean {
  try {
    closeSync(openSync(device, constants.O_RDONLY | constants.O_EXCL));
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EBUSY';
  }
}

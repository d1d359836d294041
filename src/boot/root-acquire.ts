/**
 * The way to a root, told as a story: its device is waited for, checked, mounted, and then either
 * entered by a namespace of its own, in which its services run, or handed the machine.
 */
import { closeSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs';
import type { BootOptions } from '../core/boot-options.ts';
import { handoverOf, planRoot, type RootDevice, rootSource } from '../core/root.ts';
import {
  encodeRootScan,
  ROOT_DEFINITIONS_BYTES_MAX,
  type RootScan,
  withBundle,
} from '../core/root-definitions.ts';
import { OS, type RootPlaces } from '../core/root-places.ts';
import type { Kernel } from '../sys/kernel.ts';
import { askSvinit } from './control.ts';
import { pauseAt } from './pause.ts';
import { askHow, askWhere } from './root-ask.ts';
import { check, type Tell, waitForDevice } from './root-device.ts';
import { loadFilesystems, mountedAt, mountsNow, perform } from './root-mount.ts';
import { release } from './root-release.ts';
import { makeSpace, pinSpace, type Space } from './root-space.ts';
import { writeState } from './root-state.ts';
import { failureOf } from './run-program.ts';

export type RootWork = {
  readonly kernel: Kernel;
  readonly options: BootOptions;
  readonly places: RootPlaces;
  readonly tell: Tell;
  /** Reads the definitions below `/`. */
  readonly scan: () => RootScan;
};

/**
 * What became of it: none is asked for; its services run in it; it is about to be handed the
 * machine; or the machine restarts, for the check of its filesystem wants that.
 */
export type Acquired = 'none' | 'stay' | 'classic' | 'restart';

/**
 * Brings the root.
 * @throws {Error} that says what is lacking; what was mounted until then is taken away.
 */
export async function acquire(work: RootWork): Promise<Acquired> {
  const { tell } = work;
  await pauseAt('initqueue');
  const options = await askWhere(work.options);
  const source = rootSource(options);
  if (source.kind === 'none') {
    tell('no root is asked for: root= of the kernel command line names one');
    return 'none';
  }
  if (source.kind === 'unknown') throw new Error(source.reason);
  await makeRoom(work);
  const device = source.kind === 'device' ? await waitForDevice(source.spec, options, tell) : null;
  try {
    return await bring({ ...work, options: await askHow(options) }, device);
  } catch (error) {
    await release(work.places, { device: device?.path ?? null, keep: false, tell });
    throw error;
  }
}

async function bring(work: RootWork, device: RootDevice | null): Promise<Acquired> {
  const { options, places, kernel, tell } = work;
  await pauseAt('pre-mount');
  if (device !== null && (await check(options, device, tell))) {
    await askSvinit('reboot', {});
    return 'restart';
  }
  const plan = planRoot(options, device, places);
  for (const notice of plan.notices) tell(notice);
  loadFilesystems(kernel, plan);
  for (const step of plan.steps) {
    const failure = await perform(step);
    if (failure !== null) throw new Error(failure);
  }
  await pauseAt('mount');
  const handover = handoverOf(options);
  writeState(places, { device, options, handover, writable: plan.writable, mounts: mountsNow() });
  await pauseAt('pre-pivot');
  if (handover === 'classic') {
    const { init } = options;
    tell(`the root takes over${init === null ? '' : ` with ${init}`}`);
    await askSvinit('switchRoot', { root: places.tree, init });
    return 'classic';
  }
  await enter(work, plan.writable);
  return 'stay';
}

/** A namespace for services of the root, and their definitions for PID 1. */
async function enter(work: RootWork, writable: boolean): Promise<void> {
  const { places } = work;
  const space = await makeSpace(places, writable);
  try {
    await pinSpace(places, space);
    await takeDefinitions(work, space);
  } finally {
    space.leave();
  }
  await askSvinit('start', { names: [OS], wait: false });
}

/**
 * Reads the definitions of the root as it is now, for PID 1 to take over with its next scan, which
 * is asked for unless somebody else will.
 */
export async function takeDefinitions(
  work: RootWork,
  { pid }: Space,
  asksScan = true,
): Promise<void> {
  const { kernel, places, tell, scan } = work;
  const found = withBundle(inside(kernel, pid, scan), OS);
  for (const { name, reason } of found.problems) tell(`${name}: ${reason}`);
  const text = encodeRootScan(found);
  if (Buffer.byteLength(text) > ROOT_DEFINITIONS_BYTES_MAX) {
    throw new Error('Cannot take the definitions of the root: they are too large');
  }
  writeFileSync(`${places.definitions}.new`, text, { mode: 0o600 });
  renameSync(`${places.definitions}.new`, places.definitions);
  if (asksScan) await askSvinit('scan', { prune: false });
  const services = found.found.length - 1;
  if (services === 0) tell('the root has no services: none in /etc/svinit/services');
  else tell(`${services} definitions are of the root`);
}

/**
 * `act` with the root of process `pid` as `/`, so that links lead where they do in there. Nothing
 * else of this process runs meanwhile.
 */
function inside<T>(kernel: Kernel, pid: number, act: () => T): T {
  const back = openSync('/', 'r');
  try {
    kernel.chroot(`/proc/${pid}/root`);
    try {
      return act();
    } finally {
      // A link of /proc leads out of every root.
      kernel.chroot(`/proc/self/fd/${back}`);
    }
  } finally {
    closeSync(back);
  }
}

/** A place for the root; what an attempt before this one has left there goes first. */
async function makeRoom({ places, tell }: RootWork): Promise<void> {
  if (mountedAt(places).length > 0) {
    tell('an earlier root is still there and goes first');
    await release(places, { device: null, keep: false, tell });
    if (mountedAt(places).length > 0) throw new Error('Cannot take the earlier root away');
  }
  mkdirSync(places.all, { recursive: true, mode: 0o700 });
  if (mountsNow().some(({ target }) => target === places.all)) return;
  const tmpfs = ['-o', 'nosuid,nodev,mode=700,size=16m', 'tmpfs', places.all];
  const failure = await failureOf(['mount', '-t', 'tmpfs', ...tmpfs], { withinMs: 10_000 });
  if (failure !== null) tell(`${places.all} has no filesystem of its own: ${failure}`);
}

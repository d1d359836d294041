/**
 * Waits for the device of the root, checks its filesystem, and says what is there when it is not.
 */
import { readFileSync } from 'node:fs';
import { fsckVerdict, planFsck } from '../core/fsck.ts';
import type { RootDevice, RootOptions } from '../core/root.ts';
import { blocks, findBlock } from './blocks.ts';
import { NOT_FOUND, runProgram } from './run-program.ts';

/** How long is waited, in seconds. */
export type Patience = {
  readonly rootdelay: number;
  readonly rootwait: boolean;
  readonly rootTimeout: number;
};

export type Tell = (line: string) => void;

/** Looking costs a read of each disk. */
const LOOK_MS = 250;
/** After this long a person at the console wants to know. */
const TELL_AFTER_MS = 2000;

/**
 * The device that `spec` names, once it is there.
 * @throws {Error} that names what is there instead, when time is up.
 */
export async function waitForDevice(
  spec: string,
  patience: Patience,
  tell: Tell,
): Promise<RootDevice> {
  if (patience.rootdelay > 0) await sleep(patience.rootdelay * 1000);
  const began = performance.now();
  let told = false;
  for (;;) {
    const found = findBlock(spec);
    if (found !== null) {
      const { path, name, type, twins } = found;
      if (twins.length > 0) tell(`${spec} is also the name of ${twins.join(', ')}`);
      return { path, type, readOnly: isReadOnly(name) };
    }
    const waited = performance.now() - began;
    if (!told && waited > TELL_AFTER_MS) tell(`waiting for ${spec}`);
    told ||= waited > TELL_AFTER_MS;
    if (!patience.rootwait && waited > patience.rootTimeout * 1000) {
      throw new Error(`Cannot find the root ${spec}: ${whatIsThere(patience.rootTimeout)}`);
    }
    await sleep(LOOK_MS);
  }
}

/**
 * Checks the filesystem of `device`; true: the machine must be restarted first.
 * @throws {Error} that says why it may not be mounted.
 */
export async function check(
  options: RootOptions,
  device: RootDevice,
  tell: Tell,
): Promise<boolean> {
  const type = options.rootfstype?.split(',')[0] ?? device.type;
  const plan = planFsck(options, type === 'auto' ? device.type : type, device);
  if (!plan.check) {
    tell(`${device.path} is not checked: ${plan.why}`);
    return false;
  }
  if (plan.look !== null) {
    const { exit } = await runProgram(plan.look, { withinMs: null });
    if (exit?.kind === 'code' && exit.code === 0) return false;
  }
  const ran = await runProgram(plan.argv, { withinMs: null, tell: (text) => said(text) });
  if (ran.failure === NOT_FOUND) {
    tell(`${device.path} is not checked: there is no ${plan.argv[0]} here`);
    return false;
  }
  if (ran.exit === null) throw new Error(`Cannot check ${device.path}: ${ran.failure}`);
  const { next, words } = fsckVerdict(ran.exit);
  if (next === 'refuse') throw new Error(`Cannot use ${device.path} as the root: ${words}`);
  if (words !== '') tell(`${device.path}: ${words}`);
  return next === 'reboot';
}

/** What the check prints belongs into the log of the service. */
function said(text: string): void {
  process.stdout.write(text);
}

function whatIsThere(seconds: number): string {
  const words = blocks().map(({ path, type, label, uuid }) => {
    const names = [type, label && `LABEL=${label}`, uuid && `UUID=${uuid}`];
    const known = names.filter((name) => name !== null && name !== '');
    return known.length === 0 ? path : `${path} (${known.join(', ')})`;
  });
  const all = words.length === 0 ? 'there is no disk at all' : `there is ${words.join(', ')}`;
  return `it has not appeared within ${seconds} s; ${all}`;
}

function isReadOnly(name: string): boolean {
  try {
    return readFileSync(`/sys/class/block/${name}/ro`, 'utf8').trim() === '1';
  } catch {
    return false;
  }
}

function sleep(forMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, forMs));
}

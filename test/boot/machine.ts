/**
 * svinit in a virtual machine, as a test drives it: boots the image of a runtime, waits until
 * everything wanted has had its chance, and types commands at the shell on the console.
 */
import type { Runtime } from '../../scripts/compile.ts';
import type { Results, ServiceView } from '../../src/core/methods.ts';
import { type BootOptions, boot, type Ended, type VirtualMachine } from './harness.ts';
import type { CommandResult } from './shell.ts';

export type Machine = {
  readonly vm: VirtualMachine;
  /** Runs a command, whatever becomes of it. */
  run(command: string): Promise<CommandResult>;
  /** What a command printed. @throws {Error} unless its exit status is 0. */
  sh(command: string): Promise<string>;
  /** What `svctl version` answers. */
  version(): Promise<Results['version']>;
  /** What svctl knows of all services, by name. */
  services(): Promise<ReadonlyMap<string, ServiceView>>;
  /** What svctl knows of one service. @throws {Error} when there is none. */
  service(name: string): Promise<ServiceView>;
};

/** What of tap's `t` is needed to end a machine with its test. */
type Test = { teardown(end: () => Promise<void>): void };

/**
 * What svinit says on the console when everything wanted is up, done or known to fail; perhaps
 * behind a prompt.
 */
const SETTLED = /svinit: \d+ services up in .*\n/;

/** Seconds after which `within` gives up: it bounds a hang and is no assertion. */
const WITHIN_S = 90;

/**
 * A machine that has settled, killed after `t`. Messages of the kernel are kept off the console,
 * where they would run into what commands print; `append` may say otherwise.
 */
export async function start(
  t: Test,
  runtime: Runtime,
  options: Omit<BootOptions, 'runtime'> = {},
): Promise<Machine> {
  const append = `loglevel=1 ${options.append ?? ''}`.trimEnd();
  const vm = await boot({ ...options, runtime, append });
  t.teardown(() => vm.kill());
  await lost(vm, () => vm.console.expect(SETTLED));
  return machineOn(vm);
}

/** Until the machine has switched itself off, for as long as a way down may take. */
export async function poweredOff(vm: VirtualMachine): Promise<Ended> {
  await lost(vm, () => vm.console.expect('reboot: Power down', OFF_WITHIN_MS));
  return vm.ended;
}

/** More than the minute and a half that services and filesystems have for it, on a busy host. */
const OFF_WITHIN_MS = 240_000;

/**
 * A command line that fails with status 143 instead of hanging for ever, for what waits for an
 * event that a mistake would keep from coming.
 */
export function within(command: string): string {
  return `timeout ${WITHIN_S} sh -c '${command.replaceAll("'", `'\\''`)}'`;
}

/**
 * Lines svinit could not write, by its own count: it does not wait for a console that is full. A
 * test that looks for lines must bear with as many missing.
 */
export function droppedLines(transcript: string): number {
  const counts = [...transcript.matchAll(/(\d+) console lines? dropped/g)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

function machineOn(vm: VirtualMachine): Machine {
  const run = (command: string): Promise<CommandResult> => lost(vm, () => vm.run(command));
  const sh = async (command: string): Promise<string> => {
    const { output, code } = await run(command);
    if (code !== 0) throw new Error(`${command}: exit ${code}\n${output}`);
    return output;
  };
  const json = async <T>(command: string): Promise<T> => {
    const lines = (await sh(`${command} --json`)).split('\n');
    // svinit may say something on the same console meanwhile.
    return JSON.parse(lines.find((line) => line.startsWith('{')) ?? '');
  };
  const services = async (): Promise<ReadonlyMap<string, ServiceView>> => {
    const result = await json<Results['ls']>('svctl ls');
    return new Map(result.services.map((view) => [view.name, view]));
  };
  const service = async (name: string): Promise<ServiceView> => {
    const [view] = (await json<Results['ls']>(`svctl ls ${name}`)).services;
    if (view === undefined) throw new Error(`svctl ls ${name} shows nothing`);
    return view;
  };
  return { vm, run, sh, version: () => json('svctl version'), services, service };
}

/** A machine that does not answer is ended at once: what comes next need not wait for it too. */
async function lost<T>(vm: VirtualMachine, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    await vm.kill();
    throw error;
  }
}

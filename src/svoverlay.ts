/**
 * svoverlay does for images made for s6-overlay v3 what s6-overlay's own scripts do: it is what the
 * oneshots fix-attrs and legacy-cont-init run, and it puts with-contenv and the like into an image.
 */
import { askSvinit } from './boot/control.ts';
import {
  type Env,
  installPrograms,
  overlayPlaces,
  readAll,
  writeExitCode,
} from './boot/overlay.ts';
import { fixAttributes } from './boot/overlay-attributes.ts';
import { runFinish, runInit } from './boot/overlay-scripts.ts';
import { RUN } from './core/boot-options.ts';
import { type OverlaySettings, overlaySettings } from './core/overlay-settings.ts';
import { judgeStart } from './core/overlay-start.ts';
import type { Results } from './core/results.ts';
import { parseScript, storeInput } from './log/s6-log.ts';

const USAGE = `Usage: svoverlay cont-init | cont-finish | fix-attrs | stage2
       svoverlay install [DIRECTORY...]
       svoverlay log [nNUMBER] [sBYTES] [t|T] DIRECTORY

Does for an image made for s6-overlay v3 what the scripts of s6-overlay do.
  cont-init    runs the scripts of /etc/cont-init.d
  cont-finish  runs the scripts of /etc/cont-finish.d
  fix-attrs    sets owners and modes as /etc/fix-attrs.d says
  stage2       waits until all services have been started, as S6_CMD_WAIT_FOR_SERVICES_MAXTIME
               and S6_BEHAVIOUR_IF_STAGE2_FAILS ask
  install      puts with-contenv, printcontenv, logutil-service and with-retries into each
               DIRECTORY (/command and /usr/bin), and nothing in place of what is there
  log          stores what it reads, as s6-log does: for logutil-service where there is no s6-log

It exits with 0 when that was done, 1 when it was not, 2 on wrong usage.`;

/** @param argv Arguments after the program's name. @returns The exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const [word = '', ...rest] = argv;
  if (word === '--help') {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  try {
    if (word === 'install') return install(rest);
    if (word === 'log') return log(rest);
    const act = rest.length === 0 ? ACTS.get(word) : undefined;
    if (act !== undefined) return await act();
  } catch (error) {
    say(`svoverlay: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
  say(USAGE);
  return 2;
}

const run: string = process.env['SVINIT_RUN'] || RUN;

type Act = () => number | Promise<number>;

const ACTS: ReadonlyMap<string, Act> = new Map<string, Act>([
  ['cont-init', () => runInit(settings(), scriptEnvironment(), say)],
  ['cont-finish', () => runFinish(settings(), scriptEnvironment(), say)],
  ['fix-attrs', () => fixAttributes(isSet('S6_FIX_ATTRS_HIDDEN'), say)],
  ['stage2', () => awaitServices(settings())],
]);

/**
 * Waits until the start is over, or its time is up, and ends the container where that was asked
 * for. How services fail is in the log; here it is what becomes of the container.
 */
async function awaitServices(wishes: OverlaySettings): Promise<number> {
  const { onFailure, verbosity } = wishes;
  const { code, why } = await startOf(wishes);
  if (code === 0 || onFailure === 'ignore') return 0;
  if (verbosity > 0) say(`warning: not all services could be brought up: ${why}`);
  if (onFailure === 'warn') return 0;
  say('fatal: stopping the container.');
  writeExitCode(overlayPlaces(run), code);
  await askSvinit('halt', {});
  return code;
}

/** What s6-rc would have ended with: 0 all are up, 1 some are not, 2 the time is up. */
async function startOf({ waitWithin }: OverlaySettings): Promise<{ code: number; why: string }> {
  const end = waitWithin === null ? Infinity : performance.now() + waitWithin;
  for (;;) {
    const { services } = (await askSvinit('ls', { names: [] })) as Results['ls'];
    const start = judgeStart(services);
    if (start.is === 'up') return { code: 0, why: '' };
    if (start.is === 'failed') return { code: 1, why: start.why };
    if (performance.now() >= end) return { code: 2, why: 'time is up' };
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

const LOOK_MS = 50;

function install(directories: readonly string[]): number {
  const places = directories.length === 0 ? ['/command', '/usr/bin'] : directories;
  for (const directory of places) installPrograms(directory, process.execPath);
  return 0;
}

function log(words: readonly string[]): number {
  const script = parseScript(words);
  if (typeof script === 'string') throw new Error(`Cannot log: ${script}`);
  storeInput(script);
  return 0;
}

function settings(): OverlaySettings {
  return overlaySettings(environment());
}

function environment(): Env {
  return readAll(overlayPlaces(run));
}

const isSet = (name: string): boolean => Number(environment()[name] ?? '0') > 0;

/** Scripts get a PATH alone, as services do, and ask for the rest by with-contenv. */
function scriptEnvironment(): Env {
  const env = environment();
  const { keepEnv, path } = overlaySettings(env);
  const places = ['SVINIT_RUN', 'SVINIT_LOG'].flatMap((name): [string, string][] => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...(keepEnv ? env : {}), ...Object.fromEntries(places), PATH: path };
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

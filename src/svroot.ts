/**
 * svroot brings the root of the machine and takes it away: what the service `root` runs. With the
 * root there, svinit stays outside of it and starts its services inside, or hands it the machine.
 */
import { constants, existsSync, openSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { askSvinit } from './boot/control.ts';
import { phaseFailed } from './boot/failed.ts';
import { changedAccounts } from './boot/root-accounts.ts';
import { type Acquired, acquire, type RootWork, takeDefinitions } from './boot/root-acquire.ts';
import { release } from './boot/root-release.ts';
import { joinSpace } from './boot/root-space.ts';
import { noteWords, optionsFor, readState } from './boot/root-state.ts';
import { RUN } from './core/boot-options.ts';
import { parseCommandLine } from './core/cmdline.ts';
import type { Results } from './core/methods.ts';
import type { RootScan } from './core/root-definitions.ts';
import { ROOT_SERVICE, ROOT_SERVICES, type RootPlaces, rootPlaces } from './core/root-places.ts';
import { stateLines } from './core/root-state.ts';
import { scanLimits, scanPath } from './supervisor/scan.ts';
import { openSystem } from './sys/open.ts';

const USAGE = `Usage: svroot up|down|sync|read|status
       svroot try WORD...

  up      brings the root that root= of the kernel command line names: waits for its device, checks
          and mounts it; then its services can run, or with init= it gets the machine
  down    takes the root away: ends what still runs in it and unmounts it
  sync    reads the definitions in /etc/svinit/services of the root anew
  read    the same, for a scan that is about to be asked for
  status  shows what the root is
  try     has the service \`root\` try again, as if each WORD stood on the kernel command line too,
          until the machine restarts: svroot try root=/dev/sdb1 fsck.repair=yes`;

const VERBS = ['up', 'down', 'sync', 'read', 'status', 'try'] as const;
type Verb = (typeof VERBS)[number];

/**
 * @param argv Arguments after the program's name.
 * @returns The exit code: 0 it is so, 1 it could not be done, 2 wrong usage.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const verb = verbOf(argv);
  if (verb === 'help') return print(USAGE);
  const words = argv.slice(1);
  if (verb === null) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  try {
    return await run(verb, words);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    process.stderr.write(`svroot: ${error.message}\n`);
    return 1;
  }
}

function verbOf(argv: readonly string[]): Verb | 'help' | null {
  try {
    const options = { help: { type: 'boolean', default: false } } as const;
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    if (values.help) return 'help';
    const verb = VERBS.find((known) => known === positionals[0]);
    if (verb === undefined) return null;
    return positionals.length === 1 || verb === 'try' ? verb : null;
  } catch {
    return null;
  }
}

async function run(verb: Verb, words: readonly string[]): Promise<number> {
  const kernel = openSystem();
  const places = rootPlaces(process.env['SVINIT_RUN'] || RUN);
  const work: RootWork = { kernel, options: optionsFor(places), places, tell, scan };
  switch (verb) {
    case 'up':
      return up(work);
    case 'down':
      return down(places);
    case 'sync':
      return sync(work, true);
    case 'read':
      return sync(work, false);
    case 'status':
      return status(places);
    case 'try':
      return tryAgain(places, words);
  }
}

/** Stopped on the way, it leaves nothing behind. */
async function up(work: RootWork): Promise<number> {
  const { places } = work;
  const stop = (): void => {
    const state = readState(places);
    // The next init has it, or will.
    if (state?.handover === 'classic') process.exit(TERMINATED);
    tell('stopped before the root was there');
    const device = state?.device ?? null;
    void release(places, { device, keep: false, tell }).then(() => process.exit(TERMINATED));
  };
  process.once('SIGTERM', stop);
  const acquired = await persist(work);
  process.removeListener('SIGTERM', stop);
  if (acquired === 'none' || acquired === 'stay') return 0;
  // The way down has begun; with the root for the next init, nothing here may touch it any more.
  await new Promise<void>((resolve) => {
    const forever = setInterval(() => {}, 1 << 30);
    process.once('SIGTERM', () => {
      clearInterval(forever);
      resolve();
    });
  });
  return 0;
}

/**
 * At boot somebody at the console may want to try again, perhaps after `svroot try`; later whoever
 * asks for the root learns what is wrong from the log.
 */
async function persist(work: RootWork): Promise<Acquired> {
  const { places } = work;
  const isBoot = !existsSync(places.asked);
  for (;;) {
    try {
      return await acquire({ ...work, options: optionsFor(places) });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      toConsole(`svroot: ${error.message}`);
      if (!isBoot) throw error;
      writeFileSync(places.asked, '');
      if ((await phaseFailed(ROOT_SERVICE, error.message)) !== 'retry') throw error;
    }
  }
}

/** 128 and SIGTERM, as a shell tells it. */
const TERMINATED = 143;

async function down(places: RootPlaces): Promise<number> {
  const device = readState(places)?.device ?? null;
  const keep = (await haltKind()) === 'switch-root';
  return (await release(places, { device, keep, tell })) ? 0 : 1;
}

/** Where svinit goes, if it goes; it may be too busy with that to say so. */
async function haltKind(): Promise<unknown> {
  try {
    const version = await askSvinit('version', {});
    return new Map<string, unknown>(Object.entries(version ?? {})).get('halting');
  } catch {
    return null;
  }
}

async function sync(work: RootWork, asksScan: boolean): Promise<number> {
  if (readState(work.places)?.handover !== 'stay') {
    throw new Error('Cannot read the definitions of the root: there is no root');
  }
  const space = await joinSpace(work.places);
  try {
    await takeDefinitions(work, space, asksScan);
    return 0;
  } finally {
    space.leave();
  }
}

function status(places: RootPlaces): number {
  const state = readState(places);
  if (state === null) return print('there is no root');
  const changed = changedAccounts(places).map((name) => `/etc/${name} is not that of the disk`);
  return print([...stateLines(state), ...changed].join('\n'));
}

/** Longer than any wait for a device that has an end. */
const TRY_WITHIN_MS = 85_000;

async function tryAgain(places: RootPlaces, words: readonly string[]): Promise<number> {
  const { notices } = parseCommandLine(words.map((word) => `"${word}"`).join(' '));
  if (notices.length > 0) throw new Error(notices.join('; '));
  noteWords(places, words);
  const request = { names: [ROOT_SERVICE], wait: true, timeoutMs: TRY_WITHIN_MS };
  const answer = (await askSvinit('restart', request)) as Results['restart'];
  const [outcome] = answer.services;
  if (outcome?.state === 'done') return status(places);
  tell(`${ROOT_SERVICE} is ${outcome?.state ?? 'unknown'}: ${outcome?.note ?? ''}`);
  tell(`svctl logs ${ROOT_SERVICE} tells why`);
  return 1;
}

/** As PID 1 reads its own, with the same limits. */
function scan(): RootScan {
  const roots = ROOT_SERVICES.map((path) => ({ path, dialect: 'svinit' }) as const);
  return scanPath(roots, scanLimits(0));
}

function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Where whoever sits at the console sees it; one that takes nothing now loses it. */
function toConsole(line: string): void {
  try {
    const flags = constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK;
    writeFileSync(openSync('/dev/console', flags), `${line}\n`);
  } catch {
    // It is in the log of the service all the same.
  }
}

function print(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

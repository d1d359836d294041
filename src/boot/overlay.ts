/**
 * What an image made for s6-overlay v3 expects to find at run time: the environment of the
 * container as files, the file of its exit code, the programs that end it, and those that its
 * scripts begin with. What cannot be made is told, and the boot goes on.
 */
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { OVERLAY } from '../core/overlay.ts';
import { OVERLAY_PROGRAMS } from '../core/overlay-programs.ts';
import { type Fd, ms } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';

/** Where things are; in svinit's own directory where /run cannot be written. */
export type OverlayPlaces = { readonly environment: string; readonly exitCode: string };

/** Whether this image was made for s6-overlay: it has one of the directories that are read. */
export function isOverlayImage(): boolean {
  const { sources, bundles, init, legacy } = OVERLAY;
  return [sources, bundles, init, legacy].some((path) => existsSync(path));
}

/** Whether anything here may look for services in /run/service. */
export function hasClientsOfS6(path: string): boolean {
  return path.split(':').some((directory) => existsSync(`${directory}/s6-svc`));
}

export function overlayPlaces(run: string): OverlayPlaces {
  const base = isOurs('/run/s6') ? '/run' : run;
  return {
    environment: `${base}/s6/container_environment`,
    exitCode: `${base}/s6-linux-init-container-results/exitcode`,
  };
}

/**
 * Makes all of it, anew: what a container before this one left in /run does not count.
 * @param self The program that all names are links to.
 * @returns what could not be done, a sentence each.
 */
export function prepareOverlay(
  run: string,
  env: Readonly<Record<string, string>>,
  self: string,
): readonly string[] {
  const notices: string[] = [];
  const attempt = (act: () => void, hint = ''): boolean => {
    try {
      act();
      return true;
    } catch (error) {
      notices.push(`${error instanceof Error ? error.message : String(error)}${hint}`);
      return false;
    }
  };
  const isUsual = attempt(() => {
    makeDirectory('/run/s6', 0o755);
  }, `; what s6-overlay has in /run/s6 is in ${run}/s6`);
  const base = isUsual ? '/run' : run;
  const { environment, exitCode } = overlayPlaces(run);
  attempt(() => makeDirectory(`${base}/s6`, 0o755));
  attempt(() => writeEnvironment(environment, env));
  attempt(() => {
    makeDirectory(dirname(exitCode), 0o755);
    writeFile(exitCode, '0\n', 0o644);
  });
  attempt(() => linkEnds(`${base}/s6/basedir/bin`, self));
  const bare = PROGRAM_PLACES.filter((directory) => !hasPrograms(directory));
  for (const directory of bare) attempt(() => installPrograms(directory, self), WHEN_READ_ONLY);
  return notices;
}

/** What somebody wrote into the file of the exit code; null: nothing that is a code. */
export function readExitCode({ exitCode }: OverlayPlaces): number | null {
  try {
    const text = readFileSync(exitCode, 'latin1').trim();
    return /^[0-9]{1,3}$/.test(text) && Number(text) <= 255 ? Number(text) : null;
  } catch {
    return null;
  }
}

/** The command of the container has ended: whoever writes later than that knows better. */
export function writeExitCode({ exitCode }: OverlayPlaces, code: number): void {
  writeFile(exitCode, `${code}\n`, 0o644);
}

/** The environment of the container as its scripts may have changed it. */
export function readAll({ environment }: OverlayPlaces): Env {
  if (!existsSync(environment)) return {};
  const found = readdirSync(environment).flatMap((name): [string, string][] => {
    const text = readFileSync(join(environment, name), 'utf8').replace(/\n$/, '');
    return text === '' ? [] : [[name, text]];
  });
  return Object.fromEntries(found);
}

export type Env = Readonly<Record<string, string>>;

/**
 * Puts the programs of s6-overlay into `directory`, and nothing in place of what is there.
 * @throws the error of node:fs that says what could not be made.
 */
export function installPrograms(directory: string, self: string): void {
  const missing = [...OVERLAY_PROGRAMS].filter(([name]) => !existsSync(`${directory}/${name}`));
  makeDirectory(directory, 0o755);
  for (const [name, text] of missing) writeFile(`${directory}/${name}`, text, 0o755);
  const link = `${directory}/svoverlay`;
  if (!existsSync(link)) symlinkSync(self, link);
}

/** All of them, or those of s6-overlay itself. */
function hasPrograms(directory: string): boolean {
  return [...OVERLAY_PROGRAMS.keys()].every((name) => existsSync(`${directory}/${name}`));
}

/** S6_STAGE2_HOOK: runs `argv` before definitions are read, which it may change. */
export async function runHook(kernel: Kernel, argv: readonly string[], env: Env): Promise<void> {
  const [name = ''] = argv;
  const path = name.includes('/') ? name : found(name, env['PATH'] ?? '');
  const pid = kernel.spawn({
    ...{ path, argv, cwd: '/', session: true, nofile: null, umask: 0o022 },
    env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
    files: [0, 1, 2].map((fd) => ({ fd, dup: fd as Fd })),
  });
  while (!kernel.reap(pid) && kernel.kill(pid, 0)) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

const LOOK_MS = ms(20);
/** The first is where s6-overlay has them, the other where first lines name them. */
const PROGRAM_PLACES: readonly string[] = ['/command', '/usr/bin'];
const WHEN_READ_ONLY =
  ': with-contenv and the like are not there; `RUN svoverlay install` puts them into an image';
/** Names that the programs of svinit end a container by. */
const ENDS: readonly string[] = ['halt', 'poweroff', 'reboot', 'shutdown'];

/** A file of that name can be made, and is one of the directory. */
const FILE_NAME = /^(?!\.{1,2}$)[^/\0]{1,255}$/;

function writeEnvironment(directory: string, env: Readonly<Record<string, string>>): void {
  rmSync(directory, { recursive: true, force: true });
  makeDirectory(directory, 0o700);
  for (const [name, value] of Object.entries(env)) {
    if (FILE_NAME.test(name)) writeFile(`${directory}/${name}`, value, 0o644);
  }
}

/** Links, so that they can be executed although nothing that is in /run may be (noexec). */
function linkEnds(directory: string, self: string): void {
  makeDirectory(dirname(directory), 0o755);
  makeDirectory(directory, 0o755);
  for (const name of ENDS) {
    rmSync(`${directory}/${name}`, { force: true });
    symlinkSync(self, `${directory}/${name}`);
  }
}

/** PID 1 has a umask of 077, which every mode goes through. */
function makeDirectory(path: string, mode: number): void {
  if (!existsSync(path)) {
    mkdirSync(path, { recursive: true });
    chmodSync(path, mode);
  }
  if (!isOurs(path)) throw new Error(`Cannot write to ${path}`);
}

/** Nobody sees half of it, or a link that somebody has put there in place of it. */
function writeFile(path: string, text: string, mode: number): void {
  const draft = `${path}.svinit-new`;
  rmSync(draft, { force: true });
  writeFileSync(draft, text, { flag: 'wx' });
  chmodSync(draft, mode);
  renameSync(draft, path);
}

function isOurs(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function found(name: string, path: string): string {
  const directory = path.split(':').find((each) => existsSync(`${each}/${name}`));
  if (directory === undefined) throw new Error(`Cannot run ${name}: not found in PATH (${path})`);
  return `${directory}/${name}`;
}

/**
 * What svoverlay runs and waits for, one after another: the scripts of cont-init.d on the way up
 * and those of cont-finish.d on the way down (s6-overlay, legacy-cont-init). Not for PID 1.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { OVERLAY } from '../core/overlay.ts';
import type { OverlaySettings } from '../core/overlay-settings.ts';
import { SIGTERM, signalNumber } from '../core/signals.ts';
import type { Env } from './overlay.ts';

type Say = (line: string) => void;

/**
 * All of them in the order of their names, also after one that fails.
 * @returns 1 when one has failed and a failing start is the end of the container, else 0.
 */
export async function runInit(settings: OverlaySettings, env: Env, say: Say): Promise<number> {
  let failed = false;
  for (const path of scriptsOf(OVERLAY.init)) {
    if (settings.verbosity >= 2) say(`cont-init: info: running ${path}`);
    const code = await run(path, env, null, say);
    if (settings.verbosity >= 2) say(`cont-init: info: ${path} exited ${code}`);
    failed ||= code !== 0;
  }
  if (!failed || settings.onFailure === 'ignore') return 0;
  if (settings.verbosity >= 1) say('cont-init: warning: some scripts exited nonzero');
  return settings.onFailure === 'stop' ? 1 : 0;
}

/** All of them, each killed when its time is up. */
export async function runFinish(settings: OverlaySettings, env: Env, say: Say): Promise<number> {
  for (const path of scriptsOf(OVERLAY.finish)) {
    if (settings.verbosity >= 2) say(`cont-finish: info: running ${path}`);
    await run(path, env, settings.finishWithin, say);
  }
  return 0;
}

function scriptsOf(directory: string): readonly string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true });
    const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
    return names
      .filter((name) => !name.startsWith('.'))
      .sort()
      .map((name) => `${directory}/${name}`);
  } catch {
    return [];
  }
}

/** What a shell would report of it: 126 when it cannot be run, 128 and more when it was killed. */
function run(path: string, env: Env, withinMs: number | null, say: Say): Promise<number> {
  return new Promise((resolve) => {
    // In our own process group: what is left of it ends with us.
    const child = spawn(path, [], { stdio: 'inherit', env: { ...env }, cwd: '/' });
    const timer = setTimeout(() => {
      say(`${path} is killed: it did not end within ${(withinMs ?? 0) / 1000} s`);
      child.kill('SIGKILL');
    }, withinMs ?? NEVER_MS);
    // The container is to end while it is still coming up: no other script is run.
    const stop = (): void => {
      child.kill('SIGTERM');
      process.exit(KILLED + SIGTERM);
    };
    process.once('SIGTERM', stop);
    const give = (code: number): void => {
      clearTimeout(timer);
      process.removeListener('SIGTERM', stop);
      resolve(code);
    };
    child.once('error', (error) => {
      const hint = 'code' in error && error.code === 'EACCES' ? '; chmod +x makes it so' : '';
      say(`Cannot run ${path}: ${error.message}${hint}`);
      give(NOT_EXECUTABLE);
    });
    child.once('exit', (code, signal) => {
      give(code ?? KILLED + (signalNumber(signal ?? '') ?? 0));
    });
  });
}

/** The longest that a timer can wait (Node, setTimeout). */
const NEVER_MS: number = 2 ** 31 - 1;
const NOT_EXECUTABLE = 126;
const KILLED = 128;

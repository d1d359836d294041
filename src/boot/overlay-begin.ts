/**
 * The first of an image made for s6-overlay v3, before its definitions are read: what is prepared
 * once, and what is chosen for all of this life.
 */
import { existsSync } from 'node:fs';
import { containerDirectory, containerEnvironment } from '../core/environment.ts';
import { OVERLAY, type Overlay } from '../core/overlay.ts';
import { downWithin, overlaySettings } from '../core/overlay-settings.ts';
import type { Millis } from '../core/units.ts';
import type { Told } from './first.ts';
import {
  hasClientsOfS6,
  isOverlayImage,
  overlayPlaces,
  prepareOverlay,
  readExitCode,
  runHook,
  writeExitCode,
} from './overlay.ts';

export type OverlayHere = Overlay & {
  readonly exitCode: () => number | null;
  readonly ended: (code: number) => void;
  /** How long services have to go down. */
  readonly downWithin: Millis;
};

/**
 * Null when the image is none of that kind, or somebody says what to supervise. It never fails:
 * what cannot be prepared is told.
 * @param first Whether no image of svinit was here before.
 * @param own Variables that programs of svinit itself need.
 */
export async function beginOverlay(
  told: Told,
  first: boolean,
  own: Readonly<Record<string, string>>,
): Promise<OverlayHere | null> {
  const { command, facts, kernel, options, places, say } = told;
  if (facts.machine || options.scan !== null || !isOverlayImage()) return null;
  const given = containerEnvironment(process.env);
  const settings = overlaySettings(given);
  const env = { ...given, PATH: settings.path };
  const notices = [...settings.notices];
  if (first) {
    notices.push(...prepareOverlay(places.run, env, process.execPath));
    const scripts = settings.keepEnv ? env : { PATH: settings.path };
    try {
      if (settings.hook.length > 0) await runHook(kernel, settings.hook, scripts);
    } catch (error) {
      notices.push(error instanceof Error ? error.message : String(error));
    }
    for (const notice of notices) say(`svinit: ${notice}`);
  }
  const at = overlayPlaces(places.run);
  return {
    ...{ settings, command, notices, own },
    self: process.execPath,
    cwd: containerDirectory(process.env),
    downWithin: downWithin(settings),
    there: new Set(Object.values(OVERLAY).filter((path) => existsSync(path))),
    hasClients: hasClientsOfS6(settings.path),
    exitCode: () => readExitCode(at),
    ended: (code) => {
      try {
        writeExitCode(at, code);
      } catch (error) {
        say(`svinit: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
  };
}

/**
 * Answers a kernel that asks for firmware it has not found itself: the fallback of
 * Documentation/driver-api/firmware/fallback-mechanisms.rst, for kernels built with
 * CONFIG_FW_LOADER_USER_HELPER. Others look below /lib/firmware alone and never ask.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Uevent } from '../core/uevent.ts';

/** Where /sys and the firmware are; tests have others. */
export type FirmwarePlaces = { readonly sys: string; readonly directories: readonly string[] };

/** The places the kernel itself looks in (drivers/base/firmware_loader/main.c, fw_path). */
export function firmwarePlaces(release: string): FirmwarePlaces {
  const base = '/lib/firmware';
  const directories = [`${base}/updates/${release}`, `${base}/updates`, `${base}/${release}`, base];
  return { sys: '/sys', directories };
}

/**
 * Hands over what `event` asks for, or says that there is no such thing: unanswered, the driver
 * would wait for a minute. Gives the words for the log; null when `event` asks for nothing.
 */
export function answerFirmware(places: FirmwarePlaces, event: Uevent): string | null {
  const name = event.values.get('FIRMWARE');
  if (event.subsystem !== 'firmware' || event.action !== 'add' || name === undefined) return null;
  const home = join(places.sys, event.devpath);
  const say = (file: string, content: string | Uint8Array): void => {
    writeFileSync(join(home, file), content);
  };
  // A name that leads elsewhere is none: the kernel refuses `..` as well.
  const isPlain = !name.startsWith('/') && !name.split('/').includes('..');
  const paths = isPlain ? places.directories.map((directory) => join(directory, name)) : [];
  const path = paths.find((one) => existsSync(one));
  try {
    if (path === undefined) {
      say('loading', '-1');
      return `There is no firmware ${name}`;
    }
    const content = readFileSync(path);
    say('loading', '1');
    say('data', content);
    say('loading', '0');
    return `firmware ${name}`;
  } catch (error) {
    const reason = error instanceof Error ? error.message : error;
    return `Cannot hand over the firmware ${name}: ${reason}`;
  }
}

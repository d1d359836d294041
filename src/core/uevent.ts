/**
 * Announcements of the kernel about devices: lib/kobject_uevent.c. It knows no device.
 */
import { decodeUtf8 } from './logline.ts';

export type Uevent = {
  /** `add`, `remove`, `change`, `move`, `bind`, `unbind`, `online`, `offline`. */
  readonly action: string;
  /** Below /sys, with a slash first. */
  readonly devpath: string;
  readonly subsystem: string;
  /** All that it says, these three included. */
  readonly values: ReadonlyMap<string, string>;
};

/**
 * `add@/devices/...` and then `KEY=value`, each ended by a NUL. Null for what is no such message:
 * cut short, or of udevd, which begins with `libudev`.
 */
export function parseUevent(message: Uint8Array): Uevent | null {
  const [head = '', ...lines] = decodeUtf8(message).split('\0');
  const values = valuesOf(lines);
  const [action, devpath, subsystem] = ['ACTION', 'DEVPATH', 'SUBSYSTEM'].map((key) => {
    return values.get(key) ?? '';
  });
  if (!action || !devpath || !subsystem || head !== `${action}@${devpath}`) return null;
  // A path that leads up is none of the kernel's.
  if (!devpath.startsWith('/') || devpath.split('/').includes('..')) return null;
  return { action, devpath, subsystem, values };
}

function valuesOf(lines: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    lines.flatMap((line): readonly (readonly [string, string])[] => {
      const at = line.indexOf('=');
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1)]] : [];
    }),
  );
}

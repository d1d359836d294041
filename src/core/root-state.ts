/**
 * What is known of a root that is there, as a value and as text.
 */
import type { Overlay } from './boot-options.ts';

export type RootState = {
  /** What was asked for: `UUID=…`. */
  readonly root: string;
  /** The device that is mounted; null: it is in memory. */
  readonly device: string | null;
  /** Of the filesystem on that device. */
  readonly type: string;
  /** Whether most of it can be written, be that on the device or in memory. */
  readonly writable: boolean;
  readonly overlay: Overlay;
  readonly etcOverlay: boolean;
  readonly handover: 'stay' | 'classic';
};

/** What people are told of it, line by line. */
export function stateLines(state: RootState): readonly string[] {
  const { root, device, type, writable, overlay, etcOverlay, handover } = state;
  const parts = [
    ...(overlay === 'no' ? [] : [OVERLAY_WORDS[overlay]]),
    ...(etcOverlay ? ['what is written to /etc stays in memory'] : []),
  ];
  return [
    `root=${root}: ${device ?? 'in memory'} (${type}), ${writable ? 'writable' : 'read-only'}`,
    ...parts,
    handover === 'stay' ? 'its services run in it' : 'the machine is handed to its init',
  ];
}

const OVERLAY_WORDS: Readonly<Record<Exclude<Overlay, 'no'>, string>> = {
  state: 'what is written to /var stays in memory',
  overlay: 'whatever is written stays in memory',
  yes: 'it is new and in memory but for /usr',
};

/** Null when the text is not one that svroot wrote. */
export function decodeRootState(text: string): RootState | null {
  try {
    const value: unknown = JSON.parse(text);
    return isState(value) ? value : null;
  } catch {
    return null;
  }
}

function isState(value: unknown): value is RootState {
  if (typeof value !== 'object' || value === null) return false;
  const keys = new Map<string, unknown>(Object.entries(value));
  const texts = ['root', 'type', 'overlay', 'handover'];
  const device = keys.get('device');
  return (
    texts.every((key) => typeof keys.get(key) === 'string') &&
    ['writable', 'etcOverlay'].every((key) => typeof keys.get(key) === 'boolean') &&
    (device === null || typeof device === 'string')
  );
}

/** Stored logs made by hand, to be read back. */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { archive } from '../../src/log/archive.ts';

export type Store = {
  readonly dir: string;
  /** Appends a record of second `at`. */
  add(name: string, at: number, text: string | Buffer, mark?: string): void;
  /** Makes an archive of what has been added. */
  rotate(name: string): void;
};

/** A directory that goes with the process. */
export function newStore(): Store {
  const dir = mkdtempSync(join(tmpdir(), 'svinit-logs-'));
  process.on('exit', () => rmSync(dir, { recursive: true }));
  let rotations = 0;
  return {
    dir,
    add(name, at, text, mark = ' ') {
      mkdirSync(join(dir, name), { recursive: true });
      const parts = [Buffer.from(stamp(at) + mark), Buffer.from(text), Buffer.from('\n')];
      appendFileSync(join(dir, name, 'current'), Buffer.concat(parts));
    },
    rotate(name) {
      rotations += 1;
      archive(join(dir, name), 1e12 + rotations);
    },
  };
}

export const stamp = (at: number): string =>
  `2026-11-21T00:00:${String(at).padStart(2, '0')}.000000Z`;

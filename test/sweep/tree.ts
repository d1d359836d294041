/**
 * The services of the life, as real directories: a definition is read from disk as on any machine.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Behaviour } from './processes.ts';

type Files = Readonly<Record<string, string>>;

const SCRIPT = '#!/bin/sh\n';
const PROGRAMS: ReadonlySet<string> = new Set(['run', 'finish', 'up', 'down']);
const needs = (...names: string[]): Files =>
  Object.fromEntries(names.map((name) => [`dependencies.d/${name}`, '']));

const COMMON: Readonly<Record<string, Files>> = {
  early: { type: 'longrun', run: SCRIPT, 'service.json': '{"early": true, "tty": "console"}' },
  setup: { type: 'oneshot', up: SCRIPT, down: SCRIPT },
  db: { type: 'longrun', run: SCRIPT, 'notification-fd': '3', 'timeout-up': '20000' },
  app: { type: 'longrun', run: SCRIPT, ...needs('db', 'setup') },
  crash: { type: 'longrun', run: SCRIPT },
  tidy: { type: 'longrun', run: SCRIPT, finish: SCRIPT },
  stubborn: { type: 'longrun', run: SCRIPT, 'timeout-kill': '1000' },
};

/** What a scan finds first, and what it finds later. */
const BEFORE = { ...COMMON, leaving: { type: 'longrun', run: SCRIPT } };
const AFTER = { ...COMMON, coming: { type: 'longrun', run: SCRIPT, 'notification-fd': '5' } };

const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  db: { readyMs: 20 },
  coming: { readyMs: 20 },
  crash: { ends: { afterMs: 30, status: 0x0100 } },
  stubborn: { isStubborn: true },
};

export const behaviourOf = (service: string): Behaviour => BEHAVIOURS[service] ?? {};

export class Tree {
  readonly root: string;
  readonly #base: string;

  constructor() {
    this.#base = mkdtempSync(join(tmpdir(), 'svinit-sweep-'));
    this.root = join(this.#base, 'services');
    for (const [name, services] of Object.entries({ before: BEFORE, after: AFTER })) {
      for (const [service, files] of Object.entries(services)) {
        write(join(this.#base, name, service), files);
      }
    }
    this.show('before');
  }

  /** What is at `root` from now on. */
  show(which: 'before' | 'after'): void {
    const link = join(this.#base, 'link');
    symlinkSync(which, link);
    renameSync(link, this.root);
  }

  remove(): void {
    rmSync(this.#base, { recursive: true });
  }
}

function write(directory: string, files: Files): void {
  for (const [file, text] of Object.entries(files)) {
    const path = join(directory, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode: PROGRAMS.has(file) ? 0o755 : 0o644 });
  }
}

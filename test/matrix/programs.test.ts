/** Programs that cannot be executed: each is told by its own name, and nothing else suffers. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { script } from '../supervisor/definitions.ts';
import { before, expectOracle, machine } from './oracle.ts';

const RUN = '/etc/svinit/services/bad/run';

type Case = readonly [what: string, make: (path: string) => void, said: RegExp];

const file = (content: string | Uint8Array, mode = 0o755) => {
  return (path: string): void => {
    writeFileSync(path, content);
    chmodSync(path, mode);
  };
};

const CASES: readonly Case[] = [
  ['an interpreter that is missing', file('#!/no/such/shell\n'), /ENOENT/],
  ['no program at all', file(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 9, 9, 9)), /ENOEXEC/],
  ['nobody may execute it', file('#!/bin/sh\n', 0o644), /run.*(?:executable|EACCES)/],
  ['an interpreter that is a directory', file('#!/etc\n'), /EACCES/],
  ['a directory in its place', (path) => mkdirSync(path), /run.*(?:regular file|directory)/],
  ['nothing in its place', () => {}, /run/],
];

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: F13 programs that cannot be executed`, async (t) => {
    const svinit = await machine(t, runtime, { bad: { run: script('idle'), down: '' } });
    const was = await before(svinit);
    for (const [what, make, said] of CASES) {
      const path = svinit.path(RUN);
      rmSync(path, { recursive: true, force: true });
      make(path);
      const { stdout, stderr } = await svinit.svctl('scan');
      const started = await svinit.svctl('start', 'bad');
      t.not(started.code, 0, `${what}: it does not start`);
      const status = (await svinit.svctl('status', 'bad')).stdout;
      t.match(`${stdout}${stderr}${started.stderr}${status}`, said, `${what}: the reason is told`);
      await svinit.svctl('stop', 'bad');
    }
    await expectOracle(t, svinit, was);
  });
}

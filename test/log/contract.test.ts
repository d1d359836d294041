/** Runs the contracts of svlog and `svctl logs` on both runtimes. */
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { RUNTIMES } from '../contract/runtimes.ts';

for (const program of ['svlog.tap.ts', 'logfiles.tap.ts', 'logs.tap.ts']) {
  for (const { name, path, args } of RUNTIMES) {
    const file = fileURLToPath(new URL(`../contract/${program}`, import.meta.url));
    await t.spawn(path, [...args, file], {}, `${program} on ${name}`);
  }
}

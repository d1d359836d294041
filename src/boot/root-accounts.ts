/**
 * Accounts that were changed while /etc of the root is in memory: which files differ from the disk,
 * and before they are lost, whose lines.
 */
import { existsSync } from 'node:fs';
import { ACCOUNT_FILES, accountDrift } from '../core/accounts.ts';
import type { RootPlaces } from '../core/root-places.ts';
import { runProgram } from './run-program.ts';

/** A disk that is gone must not hold the end of the root for long. */
const READ_WITHIN_MS = 3000;

/** Files of /etc that are other ones than those on the disk. */
export function changedAccounts(places: RootPlaces): readonly string[] {
  const { upper } = etcOf(places);
  return ACCOUNT_FILES.filter((name) => existsSync(`${upper}/${name}`));
}

/** What is lost with the memory; null: nothing. The disk's own /etc must be visible. */
export async function lostAccounts(places: RootPlaces): Promise<string | null> {
  const { disk, upper } = etcOf(places);
  const lost: string[] = [];
  for (const name of changedAccounts(places)) {
    const [old, now] = [await textOf(`${disk}/${name}`), await textOf(`${upper}/${name}`)];
    const drift = accountDrift(old, now);
    if (drift !== '') lost.push(`${name} (${drift})`);
  }
  return lost.length === 0 ? null : `accounts changed in memory are lost: ${lost.join(', ')}`;
}

/** Where /etc is on the disk and in memory, by the layers of core/root.ts. */
function etcOf({ tree, lower, upper }: RootPlaces): { disk: string; upper: string } {
  const whole = `${upper}/root/upper/etc`;
  if (existsSync(whole)) return { disk: `${lower}/etc`, upper: whole };
  return { disk: `${tree}/etc`, upper: `${upper}/etc/upper` };
}

async function textOf(path: string): Promise<string> {
  let text = '';
  const tell = (more: string): void => {
    text += more;
  };
  const { exit } = await runProgram(['cat', path], { withinMs: READ_WITHIN_MS, tell });
  return exit?.kind === 'code' && exit.code === 0 ? text : '';
}

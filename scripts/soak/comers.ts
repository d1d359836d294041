/** An act of the nemesis: definitions that come, change, break and go. */
import { rmSync, writeFileSync } from 'node:fs';
import { type Directory, needs, writeDefinitions } from '../../test/supervisor/definitions.ts';
import { READY } from './cast.ts';
import { ask, DEFINITIONS, type Stage, someOf } from './stage.ts';

const NAMES: readonly string[] = Array.from({ length: 20 }, (_, i) => `c${i}`);

/** Some definitions come, change, break or go, and svinit is asked to look. */
export async function churn(stage: Stage): Promise<string> {
  const { random, comers, svinit } = stage;
  const counts = { added: 0, changed: 0, broken: 0, removed: 0 };
  for (const name of someOf(stage, NAMES, 8)) {
    const directory = svinit.path(`${DEFINITIONS}/${name}`);
    if (!comers.has(name)) {
      const need = random.pick(['base', ...comers]);
      writeDefinitions(svinit.path(DEFINITIONS), { [name]: random.pick(KINDS)(need) });
      comers.add(name);
      counts.added += 1;
    } else if (random.chance(0.5)) {
      rmSync(directory, { recursive: true });
      comers.delete(name);
      counts.removed += 1;
    } else {
      const isBroken = random.chance(0.3);
      const text = isBroken ? '{' : JSON.stringify({ description: `the ${random.below(1000)}th` });
      writeFileSync(`${directory}/service.json`, text);
      counts[isBroken ? 'broken' : 'changed'] += 1;
    }
  }
  const prune = random.chance(0.5);
  await ask(stage, 'scan', { prune });
  const told = Object.entries(counts).map(([what, count]) => `${count} ${what}`);
  return `definitions: ${told.join(' ')}${prune ? ' and pruned' : ''}`;
}

/** Nothing is left of any of them once svinit has stopped them. */
export async function removeAll(stage: Stage): Promise<void> {
  for (const name of stage.comers) {
    rmSync(stage.svinit.path(`${DEFINITIONS}/${name}`), { recursive: true });
  }
  const { code, stderr } = await stage.svinit.svctl('scan', '--prune');
  if (code !== 0) throw new Error(`Cannot scan: ${stderr}`);
}

const KINDS: readonly ((need: string) => Directory)[] = [
  (need) => ({ ...READY, ...needs(need) }),
  () => ({ run: '#!/bin/sh\necho here\nexec sleep 1000000\n' }),
  () => ({ run: '#!/bin/sh\necho here\nexec sleep 1.1\n' }),
  (need) => ({ type: 'oneshot\n', up: '#!/bin/sh\necho up\n', ...needs(need) }),
  (need) => ({ type: 'bundle\n', [`contents.d/${need}`]: '' }),
];

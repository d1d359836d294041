/**
 * Contract of src/sys/revive.ts: whatever ends a runtime, a fresh image begins with the same pid.
 */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { openSystem } from '../../src/sys/open.ts';
import { children, program } from './children.ts';
import { done, point } from './tap.ts';

const kernel = openSystem();
const { output } = children(kernel);
const self = fileURLToPath(new URL('revive-self.ts', import.meta.url));

/** How the first life ends, and the signals of which one is told to the second. */
const ENDS = [
  ['segv', [11]],
  ['bus', [7]],
  ['null', [11]],
  ['abort', [6]],
  ['loop', [14]],
  ['blocked', [14]],
] as const;

for (const [how, signals] of ENDS) {
  await point(`${how}: a fresh image with the same pid, told the signal`, async () => {
    const argv = [process.execPath, ...process.execArgv, self, how];
    const { text, status, pid } = await output(program(argv, { env: ['HOME=/'] }));
    assert.equal(status, 0);
    const life = JSON.parse(text.trim().split('\n').at(-1) ?? '');
    assert.equal(life.pid, pid);
    assert.equal(life.env, 'life');
    assert.ok((signals as readonly number[]).includes(Number(life.died)), `died of ${life.died}`);
  });
}

await point('the alarm takes fractions of a millisecond, and is taken away', () => {
  kernel.putOffAlarm(60_000.123);
  kernel.putOffAlarm(0);
});

done();

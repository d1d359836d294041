/**
 * What a program of the boot does when its phase has failed: it has svrescue write a report and ask
 * at the console. It does not know what failed.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { RUN } from '../core/boot-options.ts';

/** Try the phase again; go on without what it should have done; or the machine goes down. */
export type Verdict = 'retry' | 'without' | 'down';

/**
 * `where` is a word for the phase, `why` a sentence. A machine asks for its first failure only: who
 * tries again later sits at a console, and would lose it to the question. Without svrescue the boot
 * goes on.
 */
export function phaseFailed(where: string, why: string): Promise<Verdict> {
  if (!isTrying && existsSync(REPORT)) return Promise.resolve('without');
  isTrying = true;
  return new Promise((resolve) => {
    const child = spawn('svrescue', [where, why], { stdio: ['ignore', 'inherit', 'inherit'] });
    // Whoever stops us wants no question to be left at the console.
    const stop = (): void => void child.kill('SIGTERM');
    process.once('SIGTERM', stop);
    child.once('close', () => process.removeListener('SIGTERM', stop));
    child.once('error', () => resolve('without'));
    child.once('close', (code) => resolve(code === 0 ? 'retry' : code === 1 ? 'down' : 'without'));
  });
}

/** Where svrescue writes it. */
const REPORT = `${process.env['SVINIT_RUN'] || RUN}/report.txt`;

/** Whether it is this program that has failed before. */
let isTrying = false;

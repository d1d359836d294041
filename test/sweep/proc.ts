/** Lines of /proc as proc_pid_stat(5) has them, for the children of a machine. */
import type { Child } from './processes.ts';

const TICKS_PER_MS = 0.1;

export function statText({ pid, service, state, startedAt }: Child): string {
  const letter = state === 'zombie' ? 'Z' : 'S';
  const started = Math.floor(startedAt * TICKS_PER_MS);
  // Fields 7 to 21 are nobody's business here.
  const others = new Array(15).fill(0).join(' ');
  return `${pid} (${service}) ${letter} 1 ${pid} ${pid} ${others} ${started} 0 0\n`;
}

/**
 * Signal names and numbers of Linux (asm-generic/signal.h: x86-64 and arm64 agree).
 * The one table: definitions are parsed with it, exits are told with it.
 */

const NAMES: readonly string[] = [
  'HUP',
  'INT',
  'QUIT',
  'ILL',
  'TRAP',
  'ABRT',
  'BUS',
  'FPE',
  'KILL',
  'USR1',
  'SEGV',
  'USR2',
  'PIPE',
  'ALRM',
  'TERM',
  'STKFLT',
  'CHLD',
  'CONT',
  'STOP',
  'TSTP',
  'TTIN',
  'TTOU',
  'URG',
  'XCPU',
  'XFSZ',
  'VTALRM',
  'PROF',
  'WINCH',
  'IO',
  'PWR',
  'SYS',
];

const NUMBERS: ReadonlyMap<string, number> = new Map([
  ...NAMES.map((name, i): [string, number] => [name, i + 1]),
  ['IOT', 6],
  ['POLL', 29],
]);

/** SIGRTMAX of the kernel; glibc keeps 32 and 33 for itself. */
const SIGNAL_MAX = 64;

export const SIGHUP = 1;
export const SIGKILL = 9;
export const SIGTERM = 15;
export const SIGCONT = 18;

/** `TERM` for 15, `signal 40` for one without a name of its own. */
export function signalName(number: number): string {
  return NAMES[number - 1] ?? `signal ${number}`;
}

/** The number of `TERM`, `SIGTERM`, `sigterm` or `15`; null when there is no such signal. */
export function signalNumber(text: string): number | null {
  const plain = text.toUpperCase().replace(/^SIG/, '');
  const named = NUMBERS.get(plain);
  if (named !== undefined) return named;
  if (!/^[0-9]{1,2}$/.test(plain)) return null;
  const number = Number(plain);
  return number >= 1 && number <= SIGNAL_MAX ? number : null;
}

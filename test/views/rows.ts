/**
 * The table of compatibility: what clients of s6 2.11.3.2 and runit 2.1.2 may expect of svinit
 * where they know s6-supervise, s6-svscan or runsv, numbered R1 to R52, and the tests that show it,
 * or why it does not hold. That the tests are there, with the number in a title, is checked by
 * rows.test.ts.
 */

/** One row; `tests` are files in test/ with the number in a title. */
export type Row = { readonly number: number; readonly row: string } & (
  | { readonly tests: readonly string[]; readonly but?: string }
  | { readonly why: string }
);

const S6 = 'views/rows-s6.test.ts';
const SVC = 'views/rows-s6-svc.test.ts';
const RUNIT = 'views/rows-runit.test.ts';
const PIPES = 'supervisor/pipelines.test.ts';

const AFTER = 'there is nothing left to ask: with s6-svscan 100, with svinit the machine is off';

export const ROWS: readonly Row[] = rows().map((row, i) => ({ number: i + 1, ...row }));

function rows(): Plain[] {
  return [
    row('`s6-svok` of what is supervised, and not', S6),
    row('`s6-supervise` finds somebody there', S6),
    row('`runsv` finds somebody there', RUNIT),
    row('`s6-svstat`: up', S6),
    row('`s6-svstat`: up and ready', S6),
    row('`s6-svstat`: down by `-d`, with the exit code', S6),
    row('`s6-svstat`: killed by `-k`, waiting for `finish`', S6),
    row('`s6-svstat -o` of what is down', S6),
    row('`s6-svstat -ur` before and after the newline', S6),
    row('`s6-svstat` where nobody supervises', SVC),
    row('`s6-svstat` of a status that is too short', SVC),
    row('`s6-svc -u` where nobody listens, or nothing is', SVC),
    row('`s6-svc` without letters', S6),
    row('`s6-svc -wD -d`', S6),
    row('`timeout-kill`', S6),
    row('`timeout-finish`', S6),
    row('`s6-svc -wU -T`, with a newline and without', S6),
    row('`s6-svc -wU` without `notification-fd`', S6),
    row('`s6-svc -wR -r`', S6),
    row('`finish` exits 125: not restarted, until `-u`', S6),
    row('`s6-svwait -R` during that', S6),
    row('the supervisor ends while `s6-svwait -D` waits', SVC),
    row('`s6-svwait -t` runs out of time', S6),
    row('`s6-svwait -u` of what was never supervised', S6),
    row('`s6-svwait` without arguments', S6),
    row('`s6-svc -Q` while up', SVC),
    row('`s6-svc -D`, then `-U`', SVC),
    row('`s6-svc -o` of what is down', SVC),
    row('`s6-svc -x` while up, then `-d`', SVC),
    row('`s6-svc -p`, then `-c`', SVC),
    row('`down-signal`, as a name or a number', SVC),
    row('`s6-svc -r` of what is down', SVC),
    row('`s6-svdt`, `s6-svdt-clear`', SVC),
    row('all events of a life, in order', SVC),
    row('the arguments of `run` and `finish` of s6', SVC),
    row('how long s6 waits before it starts again', 'core/aftermath.test.ts'),
    row('`s6-svscanctl -a`, and `-an` after a removal', SVC),
    { ...row('`s6-svscanctl -t`', SVC), but: AFTER },
    row('a logger that is down, or stopped', SVC),
    row('`sv status`: up, down, finishing', RUNIT),
    row('`sv status` with a logger', RUNIT),
    row('`sv status` where nobody supervises, or never did', RUNIT),
    row('`sv exit` where nobody supervises', RUNIT),
    row('`sv -v down`, `sv -v up`', RUNIT),
    row('`sv start` with a `check` that fails', RUNIT),
    row('`sv stop`, `sv force-stop` of what ignores TERM', RUNIT),
    row('`sv once`', RUNIT),
    row('the arguments of `finish` of runit', RUNIT),
    row('`control/t`', RUNIT),
    row('`SVDIR`', RUNIT),
    row('`supervise/stat`, `supervise/pid`', RUNIT),
    row('a directory of s6-log for svlogd, and back', PIPES),
  ];
}

type Plain = { readonly row: string } & (
  | { readonly tests: readonly string[]; readonly but?: string }
  | { readonly why: string }
);

function row(name: string, ...tests: readonly string[]): Plain & { tests: readonly string[] } {
  return { row: name, tests };
}

/** The rows as a table of markdown. */
export function rowsTable(): string {
  const lines = ROWS.map((one) => `| R${one.number} | ${one.row} | ${proof(one)} |`);
  return ['| | client and case | test, in test/ |', '|---|---|---|', ...lines].join('\n');
}

function proof(one: Row): string {
  if ('why' in one) return `does not hold: ${one.why}`;
  return `${one.tests.join(', ')}${one.but === undefined ? '' : `; ${one.but}`}`;
}

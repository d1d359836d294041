/**
 * The fault matrix: what may go wrong around and in an init, numbered F1 to F60, and the tests that
 * let it happen, or why it is not about svinit yet. That the tests are there, with the number in a
 * title, is checked by faults.test.ts; what must hold after each live fault is oracle.ts.
 */

/** One fault; `tests` are files in test/ with the number in a title. */
export type Fault = { readonly number: number; readonly fault: string } & (
  | { readonly tests: readonly string[] }
  | { readonly why: string }
);

type Row =
  | { readonly fault: string; readonly tests: readonly string[] }
  | { readonly fault: string; readonly why: string };

const DISK = 'svinit opens no encrypted disk yet';
const UPDATES = 'svinit updates no machine';
const HTTP = 'svinit boots nothing over HTTP';

export const FAULTS: readonly Fault[] = rows().map((row, i) => ({ number: i + 1, ...row }));

function rows(): Row[] {
  return [
    row('10,000 orphans at once', 'supervisor/load.test.ts', 'boot/services.test.ts'),
    row('a child killed at any moment', 'matrix/processes.test.ts', 'simulate/simulate.test.ts'),
    row('hundreds of crash loops', 'matrix/processes.test.ts'),
    row('exits before and after ready, during stop', 'matrix/processes.test.ts'),
    row('a service that ignores TERM', 'supervisor/lifecycle.test.ts'),
    row('a service stopped by SIGSTOP at shutdown', 'matrix/shutdown.test.ts'),
    row('a child that cannot be killed', 'boot/faults-disk.test.ts'),
    row('a daemon that forks itself away', 'matrix/processes.test.ts'),
    row('kill of a whole group, and of everybody', 'matrix/processes.test.ts'),
    row('a number of a process that is used again', 'matrix/processes.test.ts'),
    row('no process can be made', 'matrix/resources.test.ts', 'boot/faults.test.ts'),
    row('any call of C refused', 'sweep/sweep.test.ts'),
    row('programs that cannot be executed', 'matrix/programs.test.ts'),
    row('no descriptor left', 'matrix/resources.test.ts'),
    row('too many clients, idle ones, slow ones', 'supervisor/limits.test.ts'),
    row('hostile frames', 'supervisor/frames.test.ts'),
    row('clients that die or never read', 'supervisor/limits.test.ts'),
    row('a stranger at the socket', 'supervisor/askers.test.ts'),
    row('sockets deleted or replaced', 'supervisor/signals.test.ts', 'matrix/surroundings.test.ts'),
    row('a child that eats the memory', 'boot/faults.test.ts'),
    row('an image of svinit that has grown', 'supervisor/faults.test.ts'),
    row('an error thrown anywhere', 'sweep/sweep.test.ts'),
    row('ends of the program itself', 'supervisor/faults.test.ts', 'boot/revive.test.ts'),
    row('a hang of the main thread', 'supervisor/faults.test.ts', 'boot/revive.test.ts'),
    row(
      'signals of death from inside',
      'supervisor/signals.test.ts',
      'boot/revive.test.ts',
      'boot/services.test.ts',
    ),
    row('50,000 signals, then TERM', 'matrix/shutdown.test.ts'),
    row('SIGCHLD that never comes', 'simulate/simulate.test.ts'),
    row('all other signals', 'supervisor/signals.test.ts'),
    row('re-exec under load', 'supervisor/reexec.test.ts', 'boot/reexec.test.ts'),
    row('a re-exec that fails', 'supervisor/upgrade.test.ts'),
    row('a new image that fails its self-test', 'supervisor/upgrade.test.ts'),
    row('state that is damaged', 'core/checkpoint.test.ts', 'core/ledger.test.ts'),
    row('death at any step of a re-exec', 'simulate/simulate.test.ts'),
    row('TERM in the middle of a re-exec', 'matrix/shutdown.test.ts'),
    row('a console that is stopped or hung up', 'boot-unit/console.test.ts'),
    row('a console that is full, closed or an error', 'matrix/streams.test.ts'),
    row(
      'no standard streams, nothing mounted',
      'boot-unit/stage0.test.ts',
      'matrix/surroundings.test.ts',
      'matrix/streams.test.ts',
    ),
    row(
      '/proc missing at the start, or later',
      'boot-unit/stage0.test.ts',
      'boot/faults.test.ts',
      'matrix/surroundings.test.ts',
    ),
    row('the disk of the logs full', 'log/full.test.ts', 'matrix/resources.test.ts'),
    row('/ read-only', 'boot/faults.test.ts'),
    row('a flood of lines, a line without end', 'log/compose.test.ts', 'matrix/resources.test.ts'),
    row('a logger stopped or killed', 'matrix/resources.test.ts'),
    row('escapes in logs and names', 'cli/print.test.ts', 'supervisor/scan-refuse.test.ts'),
    row('the clock set', 'boot/faults.test.ts'),
    row('service directories that change or are no such thing', 'supervisor/scan-refuse.test.ts'),
    row('cycles, missing needs, long chains', 'core/graph.test.ts', 'matrix/surroundings.test.ts'),
    row(
      'definitions that change in any state',
      'simulate/simulate.test.ts',
      'matrix/surroundings.test.ts',
    ),
    row('a hostile kernel command line', 'boot/environment.test.ts'),
    row('files that a runtime would read', 'matrix/surroundings.test.ts'),
    { fault: 'wrong passwords of a disk', why: DISK },
    row('shutdown asked twice, and during boot', 'boot/halt.test.ts', 'matrix/shutdown.test.ts'),
    row('a filesystem that cannot be synced', 'boot/faults-disk.test.ts'),
    row('a container that is stopped', 'container/container.test.ts', 'matrix/shutdown.test.ts'),
    { fault: 'a torn or wrong update', why: UPDATES },
    { fault: 'a power cut during an update', why: UPDATES },
    { fault: 'a server that stalls or lies', why: HTTP },
    { fault: 'a block device over HTTP', why: HTTP },
    { fault: 'a kexec that fails', why: 'svinit does not kexec' },
    row('an errno that says nothing', 'sweep/sweep.test.ts', 'sys/sweep.test.ts'),
    { fault: 'another release of the runtime', why: 'then the whole of make test is the test' },
  ];
}

function row(fault: string, ...tests: readonly string[]): Row {
  return { fault, tests };
}

/** The matrix as a table of markdown. */
export function faultsTable(): string {
  const rows = FAULTS.map((fault) => {
    const proof = 'tests' in fault ? fault.tests.join(', ') : `– (${fault.why})`;
    return `| F${fault.number} | ${fault.fault} | ${proof} |`;
  });
  return ['| | fault | test, in test/ |', '|---|---|---|', ...rows].join('\n');
}

/**
 * Why a figure is missed, by row and runtime, as far as it is known from measuring. Printed only
 * where it is missed. `{peer: row}` becomes a median of the run that is reported; of the peers `own`
 * is svinit on this runtime, `limit` what this runtime takes at the least.
 */
export type Why = { readonly Bun?: string; readonly Node?: string };

const both = (why: string): Why => ({ Bun: why, Node: why });

export const WHY: Readonly<Record<string, Why>> = {
  'up/1': {
    Bun:
      'Bun reads its options before any code, so it is started twice, {limit: start} each; the ' +
      'least of programs, started once, has its service up after {limit: up/1}; the rest is loading ' +
      'PID 1, its sockets, the definitions, the logger',
    Node:
      'the least of programs has its service up after {limit: up/1}, and one that ends at once takes ' +
      '{limit: start}; the rest is loading PID 1, its sockets, the definitions, the logger',
  },
  'up/1000': both(
    'a FIFO for its log and a pipe on which it says that it is ready: with these the runtime takes ' +
      '{limit: up-full/1000}, without {limit: up/1000}; the rest is reading definitions, deciding, ' +
      'and noting each start for the image after a crash',
  ),
  'stop/1000': both(
    'the command takes {own: status} to ask at all ({limit: status} at the least); the rest is ' +
      'deciding on and noting a thousand deaths',
  ),
  'memory/1000': both(
    'PID 1 and the logger are two processes of the runtime, which for ten services hold ' +
      '{limit: memory/10} when they do nothing, and {own: memory/10} as svinit',
  ),
  flat: {
    Node:
      'not looked into; V8 collects in full only when its heap has grown, and what is a quarter more ' +
      'than before is given back, every ten seconds at most',
  },
  waves: both('100 ms are what the services wait; starting and hearing of 200: {limit: waves}'),
  crash: both(
    'CPU time of a death and a start is {own: event/100}, of the runtime alone {limit: event/100}: ' +
      'the rest is deciding, noting it before and after, a FIFO and a pipe',
  ),
  orphans: both('the runtime alone has taken them after {limit: orphans}'),
  status: both(
    'a program of the runtime that ends at once takes {limit: start}, one that asks by system calls ' +
      '{limit: status}',
  ),
  'restart-asked': both(
    'CPU time of a death and a start is {own: event/100}, of the runtime alone {limit: event/100}',
  ),
  'idle-switches': both(
    'signals may be lost, so the world is looked at each second; the runtime alone, twice: ' +
      '{limit: idle-switches}',
  ),
  'idle-cpu': both('{own: idle-switches}; the runtime alone, twice: {limit: idle-cpu}'),
  boot: both(
    'the runtime alone as PID 1 is there after {limit: boot}, busybox init {busybox init: boot}',
  ),
};

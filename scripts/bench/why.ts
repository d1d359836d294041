/**
 * Why a figure is missed, by row and runtime, as far as it is known from measuring. Printed only
 * where it is missed. `{peer: row}` becomes a median of the run that is reported; of the peers `own`
 * is svinit on this runtime, `limit` what this runtime takes at the least.
 */
export type Why = { readonly Bun?: string; readonly Node?: string };

const UP = [
  'a FIFO for its log, a pipe to hear that it is ready, the note in the ledger before and after:',
  'with FIFO and pipe alone the runtime takes {limit: up-full/1000};',
  'without, {limit: up/1000}',
].join(' ');

const IDLE =
  'it looks at the world once a second, because a signal may be lost; the runtime alone: {limit: idle-switches}';

export const WHY: Readonly<Record<string, Why>> = {
  'up/1': {
    Bun: 'it starts twice, the second time with a clean environment; a bare start is {limit: start}',
    Node: 'it starts twice, the second time with a clean environment; a bare start is {limit: start}',
  },
  'up/1000': { Bun: UP, Node: UP },
  'memory/1000': {
    Bun: 'PID 1 and the logger are two processes of the runtime: empty they hold {limit: memory/10}',
    Node: 'PID 1 and the logger are two processes of the runtime: empty they hold {limit: memory/10}',
  },
  waves: {
    Bun: '100 ms are what the services wait; the runtime alone takes {limit: waves}',
    Node: '100 ms are what the services wait; the runtime alone takes {limit: waves}',
  },
  status: {
    Node: 'a program of Node that ends at once takes {limit: start}',
  },
  'idle-switches': { Bun: IDLE, Node: IDLE },
};

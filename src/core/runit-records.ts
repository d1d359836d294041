/**
 * The files below `supervise/` that sv(8) and people read, as bytes: `status` (update_status of
 * runsv.c in runit 2.1.2), `stat` and `pid`. What they say is decided elsewhere.
 */
import { tai64n } from './tai.ts';

export type RunitStatus = {
  /** When `run` was started, or when all of it had ended; milliseconds since 1970. */
  readonly changedAt: number;
  /** Of `run`, of `finish` while that runs, or null. */
  readonly pid: number | null;
  readonly paused: boolean;
  readonly wantUp: boolean;
  /** TERM was sent to the process that runs. */
  readonly gotTerm: boolean;
  readonly state: 'down' | 'run' | 'finish';
};

export const RUNIT_STATUS_BYTES = 20;

export function encodeRunitStatus(status: RunitStatus): Uint8Array {
  const bytes = new Uint8Array(RUNIT_STATUS_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(tai64n(status.changedAt, 'ten'), 0);
  view.setUint32(12, status.pid ?? 0, true);
  view.setUint8(16, status.paused ? 1 : 0);
  view.setUint8(17, (status.wantUp ? 'u' : 'd').charCodeAt(0));
  view.setUint8(18, status.gotTerm ? 1 : 0);
  view.setUint8(19, STATES.indexOf(status.state));
  return bytes;
}

/** `run, got TERM, want down` and a newline. */
export function statText(status: RunitStatus): string {
  const words = [
    status.state,
    ...(status.paused ? ['paused'] : []),
    ...(status.gotTerm ? ['got TERM'] : []),
    ...(status.state !== 'down' && !status.wantUp ? ['want down'] : []),
  ];
  return `${words.join(', ')}\n`;
}

/** Empty when there is no process. */
export const pidText = ({ pid }: RunitStatus): string => (pid === null ? '' : `${pid}\n`);

/** runsv.c: S_DOWN, S_RUN, S_FINISH. */
const STATES: readonly RunitStatus['state'][] = ['down', 'run', 'finish'];

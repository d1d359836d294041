/**
 * The letters that clients of s6 and of runit write into control FIFOs, and what each asks of
 * svinit. A letter that a supervisor does not know is ignored, as both of them do.
 */
import { signalNumber } from './signals.ts';

/** What a letter asks of one service. */
export type Act =
  /** Wanted up; a pause after a death is over. */
  | { readonly do: 'start' }
  | { readonly do: 'stop' }
  /** Started if it is down, and not restarted. */
  | { readonly do: 'once' }
  /** Not restarted when it ends, and not started either. */
  | { readonly do: 'leave' }
  /** The stop signal to what runs; what is wanted stays as it is. */
  | { readonly do: 'cycle' }
  | { readonly do: 'signal'; readonly signal: number; readonly group: boolean }
  /** What makes it read its configuration again. */
  | { readonly do: 'reload' }
  | { readonly do: 'pause' }
  | { readonly do: 'continue' }
  /** runit's `t`: TERM, and CONT when it is to be down, which svinit adds. */
  | { readonly do: 'terminate' }
  /** Once it is down nobody reads for a moment, as if its supervisor had left. */
  | { readonly do: 'quit'; readonly of: 's6' | 'runit' }
  /** Whether the file `down` is there. */
  | { readonly do: 'markDown'; readonly there: boolean };

/** What a letter asks of all services (s6-svscanctl(8)). */
export type ScanAct = 'scan' | 'prune' | 'end' | 'refuse';

/** As s6-supervise(8) has them, up to 2.15; `x` is the nearest: it leaves it for a moment. */
export function s6Acts(letter: string): readonly Act[] {
  return S6.get(letter) ?? [];
}

/** As runsv(8) has them; `x` is the nearest: the service is stopped, and left for a moment. */
export function runitActs(letter: string): readonly Act[] {
  return RUNIT.get(letter) ?? [];
}

/** As s6-svscan(8) has them; PID 1 is not replaced by a script, which is what `b` asks for. */
export function scanActs(letter: string): readonly ScanAct[] {
  return SCAN.get(letter) ?? [];
}

const START: Act = { do: 'start' };
const STOP: Act = { do: 'stop' };
const ONCE: Act = { do: 'once' };
const LEAVE: Act = { do: 'leave' };
const PAUSE: Act = { do: 'pause' };
const CONTINUE: Act = { do: 'continue' };
const MARK: Act = { do: 'markDown', there: true };
const UNMARK: Act = { do: 'markDown', there: false };

const S6: ReadonlyMap<string, readonly Act[]> = new Map<string, readonly Act[]>([
  ['u', [START]],
  ['U', [UNMARK, START]],
  ['d', [STOP]],
  ['D', [MARK, STOP]],
  ['o', [ONCE]],
  ['O', [LEAVE]],
  ['Q', [MARK, LEAVE]],
  ['x', [LEAVE, { do: 'quit', of: 's6' }]],
  ['r', [{ do: 'cycle' }]],
  ['p', [PAUSE]],
  ['c', [CONTINUE]],
  ['t', toProcess('TERM')],
  ['k', toProcess('KILL')],
  ['i', toProcess('INT')],
  ['h', toProcess('HUP')],
  ['a', toProcess('ALRM')],
  ['q', toProcess('QUIT')],
  ['1', toProcess('USR1')],
  ['2', toProcess('USR2')],
  ['b', toProcess('ABRT')],
  ['y', toProcess('WINCH')],
  ['l', [{ do: 'reload' }]],
  ['P', toGroup('STOP')],
  ['C', toGroup('CONT')],
  ['K', toGroup('KILL')],
]);

const RUNIT: ReadonlyMap<string, readonly Act[]> = new Map<string, readonly Act[]>([
  ['u', [START]],
  ['d', [STOP]],
  ['o', [ONCE]],
  ['x', [STOP, { do: 'quit', of: 'runit' }]],
  ['p', [PAUSE]],
  ['c', [CONTINUE]],
  ['t', [{ do: 'terminate' }]],
  ['k', toProcess('KILL')],
  ['i', toProcess('INT')],
  ['h', toProcess('HUP')],
  ['a', toProcess('ALRM')],
  ['q', toProcess('QUIT')],
  ['1', toProcess('USR1')],
  ['2', toProcess('USR2')],
]);

const SCAN: ReadonlyMap<string, readonly ScanAct[]> = new Map<string, readonly ScanAct[]>([
  ['a', ['scan']],
  ['n', ['prune']],
  ['N', ['prune']],
  ['h', ['prune']],
  ['t', ['end']],
  ['i', ['end']],
  ['q', ['end']],
  ['b', ['refuse']],
]);

function toProcess(name: string): readonly Act[] {
  return [{ do: 'signal', signal: signalNumber(name) ?? 0, group: false }];
}

function toGroup(name: string): readonly Act[] {
  return [{ do: 'signal', signal: signalNumber(name) ?? 0, group: true }];
}

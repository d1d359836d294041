/**
 * Services as clients see them.
 */
import type { ProbesView } from './probe.ts';
import type { ServiceType } from './spec.ts';

export type StateWord =
  | 'down'
  | 'waiting'
  | 'starting'
  | 'up'
  | 'stopping'
  | 'finishing'
  | 'backoff'
  | 'done'
  | 'failed';

/** One service as clients see it. Durations are milliseconds. */
export type ServiceView = {
  readonly name: string;
  readonly type: ServiceType;
  readonly description: string;
  readonly state: StateWord;
  readonly want: 'up' | 'down';
  readonly pid: number | null;
  /** Since the state last changed. */
  readonly forMs: number;
  /** Starts after the first. */
  readonly restarts: number;
  /** One short reason, or empty. */
  readonly note: string;
  /** What moved it last. */
  readonly cause: string;
  readonly lastExit: string | null;
  readonly lastExitMs: number | null;
  /** The same as waitpid(2) tells it. */
  readonly wstat: number | null;
  /** It runs once and is not restarted; `want` stays up until it has ended. */
  readonly once: boolean;
  /** It says itself when it is ready; otherwise it is up once it runs. */
  readonly announces: boolean;
  /** Until the next try, when it is in backoff. */
  readonly nextTryMs: number | null;
  readonly needs: readonly string[];
  readonly neededBy: readonly string[];
  /** Needs (or ordered predecessors) that hold it now. */
  readonly waitingFor: readonly string[];
  readonly directory: string;
  readonly definition: 'current' | 'changed' | 'removed';
  readonly early: boolean;
  /** How many deaths views remember; absent: as many as is usual. */
  readonly deathTally?: number;
  /** Who reads what it prints, when that is not svlog; absent: svlog does. */
  readonly printsTo?: string;
  /** Whose output it reads; absent: nobody's. */
  readonly readsFrom?: readonly string[];
  /** Absent: it has none. */
  readonly probes?: ProbesView;
};

/** What became of one name of a start, stop, restart or wait. */
export type Outcome = { readonly name: string; readonly state: StateWord; readonly note: string };

/**
 * What a service keeps of the programs that run beside its own, and of its reload: plain values,
 * which the next image of svinit goes on with. What becomes of them is decided in errands.ts.
 */
import { type Millis, ms, type Pid } from './units.ts';

/** One of `control/` that runs or is to, or, where `run` is empty, what waits behind one. */
export type Errand = {
  /** The letter that is its name. */
  readonly run: string;
  /** Null: not known yet, or not begun. */
  readonly pid: Pid | null;
  readonly begun: boolean;
  /** When it is not waited for any more; null: not begun. */
  readonly by: Millis | null;
  readonly next: Next;
};

export type Next =
  | { readonly do: 'nothing' }
  | { readonly do: 'start' }
  | { readonly do: 'signal'; readonly pid: Pid; readonly signal: number };

/** How far a reload is, or how the last one ended. */
export type Reload =
  /** Its program runs; pid null: not known yet. `by` null: it may take for ever. */
  | { readonly at: 'running'; readonly pid: Pid | null; readonly by: Millis | null }
  /** It was signalled, and may say until `by` that it reloads (RELOADING=1, sd_notify(3)). */
  | { readonly at: 'asked'; readonly by: Millis }
  /** It said so, and is to say that it is ready. */
  | { readonly at: 'heard' }
  | { readonly at: 'over'; readonly problem: string | null };

/** For a program of `control/`: as long as a service has to stop in svinit's own dialect. */
export const CONTROL_WITHIN: Millis = ms(10_000);
/** For one that reloads, unless `reload.timeout` says otherwise. */
export const RELOAD_WITHIN: Millis = ms(60_000);
/** For RELOADING=1 after the signal: who can say it, says it first (sd_notify(3)). */
export const RELOADING_WITHIN: Millis = ms(1000);
/** More than these at once nobody waits for. */
export const ERRANDS_MAX = 32;

/** It was told to reload, and has not done it yet. */
export const isReloading = (reload: Reload | undefined): boolean =>
  reload !== undefined && reload.at !== 'over';

/** Programs run for it that are not those of its lifecycle, or are to. */
export const hasErrands = (of: {
  readonly errands?: readonly Errand[];
  readonly reload?: Reload;
}): boolean => of.errands !== undefined || of.reload?.at === 'running';

/**
 * How a definition says that its service ends: the signal, and the time each part of its life may
 * take, with the defaults of each dialect.
 */
import { SIGTERM } from './signals.ts';
import type { Dialect, ServiceType, Spec } from './spec.ts';
import { agree, type Draft, signalFile, timeoutFile } from './spec-draft.ts';
import { type Millis, ms } from './units.ts';

type Limits = {
  readonly stopWithin: Millis | null;
  readonly finishWithin: Millis | null;
};

/**
 * Native: ten seconds to stop, then SIGKILL, so that a halt always ends; s6-supervise(8) never
 * kills unless told to, and gives `finish` five seconds; runsv(8) knows no limits.
 */
const LIMITS: Readonly<Record<Dialect, Limits>> = {
  svinit: { stopWithin: ms(10_000), finishWithin: ms(5000) },
  s6: { stopWithin: null, finishWithin: ms(5000) },
  runit: { stopWithin: null, finishWithin: null },
};

export type Stopping = Pick<
  Spec,
  'stopSignal' | 'stopWithin' | 'upWithin' | 'downWithin' | 'finishWithin'
>;

/** How a service ends, and the time each part of its life may take. */
export function stopping(draft: Draft, type: ServiceType, dialect: Dialect): Stopping {
  const { stop, start, finish } = draft.json;
  const limit = (
    file: string,
    path: string,
    fromJson: Millis | null | undefined,
    fallback: Millis | null,
  ): Millis | null => {
    const both = agree(draft, file, timeoutFile(draft, file), path, fromJson);
    return both === undefined ? fallback : both;
  };
  // `stop.timeout` is the time a service has to come down, and a oneshot comes down by `down`.
  const [kill, down] = type === 'oneshot' ? [undefined, stop?.timeout] : [stop?.timeout, undefined];
  const limits = LIMITS[dialect];
  const signal = signalFile(draft, 'down-signal');
  return {
    stopSignal: agree(draft, 'down-signal', signal, 'stop.signal', stop?.signal) ?? SIGTERM,
    stopWithin: limit('timeout-kill', 'stop.timeout', kill, limits.stopWithin),
    upWithin: limit('timeout-up', 'start.timeout', start?.timeout, null),
    downWithin: limit('timeout-down', 'stop.timeout', down, null),
    finishWithin: limit('timeout-finish', 'finish.timeout', finish?.timeout, limits.finishWithin),
  };
}

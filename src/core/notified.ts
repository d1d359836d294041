/**
 * What a service's own words (sd_notify(3)) move: readiness, more time, a sign of life, another
 * main process.
 */
import type { Notification } from './notify.ts';
import { type Phase, type Service, type Step, same, to, within } from './phase.ts';
import type { Spec } from './spec.ts';
import { later, type Millis } from './units.ts';

/** A process that shows no sign of life is asked for a core (systemd.service(5), WatchdogSec). */
export const SIGABRT = 6;

type Running = Extract<Phase, { at: 'starting' | 'up' | 'stopping' }>;

/** What `said` makes of a service whose process runs; `stop` is how one that is unwell ends. */
export function notified(
  svc: Service,
  said: Notification,
  spec: Spec,
  now: Millis,
  unwell: (svc: Service, phase: Extract<Phase, { at: 'up' }>) => Step,
): Step {
  const { at } = svc.phase;
  if (at !== 'starting' && at !== 'up' && at !== 'stopping') return same(svc);
  const told = withWords(svc, said);
  const phase = withTime(withPid(svc.phase, said), said, spec, now);
  if (phase.at === 'up' && said.watchdog === 'trigger') {
    return unwell({ ...told, cause: 'watchdog: it asked for it' }, phase);
  }
  const isReady = said.ready === true && phase.at === 'starting' && spec.ready.by === 'notify';
  if (isReady && spec.type === 'longrun') {
    return to({ ...told, cause: 'ready' }, up(phase.pid, phase.startedAt, spec, now, said), now);
  }
  if (phase === svc.phase) return told === svc ? same(svc) : [told, []];
  return to(told, phase, now);
}

/** The phase of a service that is ready; its signs of life are counted from now on. */
export function up(
  pid: Running['pid'],
  startedAt: Millis,
  spec: Spec,
  now: Millis,
  said: Notification = {},
): Extract<Phase, { at: 'up' }> {
  const every = said.watchdogEvery ?? spec.watchdog;
  if (every === undefined) return { at: 'up', pid, startedAt };
  return { at: 'up', pid, startedAt, alive: { every, by: later(now, every) } };
}

function withWords(svc: Service, said: Notification): Service {
  const words =
    said.status ?? (said.stopping ? 'stopping' : said.reloading ? 'reloading' : undefined);
  // What it said while it read its configuration is over when it says that it is ready again.
  const status = words ?? (said.ready === true && svc.status === 'reloading' ? '' : undefined);
  if (status === undefined || status === (svc.status ?? '')) return svc;
  if (status !== '') return { ...svc, status };
  const { status: _, ...silent } = svc;
  return silent;
}

function withPid(phase: Running, { mainPid }: Notification): Running {
  return mainPid === undefined || mainPid === phase.pid ? phase : { ...phase, pid: mainPid };
}

function withTime(phase: Running, said: Notification, spec: Spec, now: Millis): Running {
  const { extend } = said;
  if (phase.at === 'up') {
    const every = said.watchdogEvery ?? phase.alive?.every ?? spec.watchdog;
    const isSign = said.watchdog === 'ping' || said.watchdogEvery !== undefined;
    if (every === undefined || !isSign) return phase;
    return { ...phase, alive: { every, by: later(now, every) } };
  }
  const by = within(extend ?? null, now);
  if (by === null) return phase;
  if (phase.at === 'starting') {
    return phase.readyBy === null || phase.readyBy >= by ? phase : { ...phase, readyBy: by };
  }
  return phase.killAt === null || phase.killAt >= by ? phase : { ...phase, killAt: by };
}

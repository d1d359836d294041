/**
 * The verbs that end the machine, now or later, and those that look after its way down.
 */
import { spawnSync } from 'node:child_process';
import type { Results } from '../core/methods.ts';
import { durationWords } from '../core/units.ts';
import { EXIT, Failure, usageFailure } from './failure.ts';
import { noNames, type Parsed } from './options.ts';
import { list, scheduledLine } from './print.ts';
import type { Session } from './session.ts';
import { delayIn, delayUntil } from './when.ts';
import { safe } from './words.ts';

export type Method = 'poweroff' | 'reboot' | 'halt';

/** What the programs poweroff, reboot, halt and shutdown ask for. */
export type Descent = {
  readonly method: Method;
  /** Milliseconds from now; null: at once, as a service manager does it. */
  readonly inMs: number | null;
  readonly message: string;
  /** Services are not stopped in order. */
  readonly force: boolean;
};

export async function machineVerb(
  parsed: Parsed,
  session: Session,
  method: Method,
): Promise<number> {
  const usage = `svctl ${method} [--force] [--in DUR|--at HH:MM] [--message TEXT]`;
  noNames(parsed, usage);
  const [duration, time] = [parsed.value('in'), parsed.value('at')];
  if (duration !== null && time !== null) throw usageFailure('Both --in and --at are given', usage);
  const until = time === null ? null : delayUntil(time, usage);
  const inMs = duration === null ? until : delayIn(duration, usage);
  const message = parsed.value('message') ?? '';
  const force = parsed.has('force');
  if (force && (inMs !== null || message !== '')) {
    throw usageFailure('--force is for now, and tells nobody', usage);
  }
  return goDown({ method, inMs, message, force }, session);
}

/** Also what the programs poweroff, reboot, halt and shutdown end in. */
export async function goDown(
  { method: kind, inMs, message, force }: Descent,
  session: Session,
): Promise<number> {
  if (inMs === null && (message === '' || force)) {
    const result = await session.request(kind, force ? { force } : {});
    session.show(result, ({ halting }) => [goingDown(halting)]);
    return EXIT.done;
  }
  const result = await session.request('schedule', { kind, inMs: inMs ?? 0, message });
  session.show(result, (scheduled) =>
    scheduled.inMs === 0
      ? [goingDown(scheduled.kind)]
      : [scheduledLine(scheduled), 'svctl shutdown cancel calls it off'],
  );
  return EXIT.done;
}

/** Tells everybody at a terminal what would happen. */
export async function warn(
  { method: kind, inMs, message }: Pick<Descent, 'method' | 'message'> & { readonly inMs: number },
  session: Session,
): Promise<number> {
  const result = await session.request('schedule', { kind, inMs, message, pretend: true });
  session.show(result, () => ['people have been told; nothing is scheduled']);
  return EXIT.done;
}

/** `svctl kexec [--kernel=FILE [--initrd=FILE] [--append=TEXT]]`. */
export async function kexec(parsed: Parsed, session: Session): Promise<number> {
  const usage = 'svctl kexec [--kernel=FILE [--initrd=FILE] [--append=TEXT]]';
  noNames(parsed, usage);
  const given = (name: string): string[] => {
    const value = parsed.value(name);
    return value === null ? [] : [`--${name}=${value}`];
  };
  const [kernel, initrd, append] = [given('kernel'), given('initrd'), given('append')];
  if (kernel.length > 0) {
    const rest = append.length > 0 ? append : ['--reuse-cmdline'];
    load([...kernel, ...initrd, ...rest]);
  } else if (initrd.length + append.length > 0) {
    throw usageFailure('--initrd and --append are for a --kernel', usage);
  }
  const result = await session.request('kexec', {});
  session.show(result, ({ halting }) => [goingDown(halting)]);
  return EXIT.done;
}

/** Loading is for the kernel of this machine alone, so it is another program, not svinit. */
function load(words: readonly string[]): void {
  const { status, error } = spawnSync(LOADER, words, { stdio: 'inherit' });
  if (error !== undefined) throw new Failure(EXIT.failed, `Cannot run ${LOADER}: ${error.message}`);
  if (status !== 0) throw new Failure(EXIT.failed, 'No kernel was loaded, nothing is stopped');
}

const LOADER = 'svkexec';

/** `svctl switch-root [--init=PATH] [ROOT [ARGUMENT...]]`. */
export async function switchRoot(parsed: Parsed, session: Session): Promise<number> {
  const [root = null, ...given] = parsed.names;
  const init = parsed.value('init');
  const params = { root, init, arguments: given.length === 0 ? null : given };
  const result = await session.request('switchRoot', params);
  session.show(result, ({ halting }) => [goingDown(halting)]);
  return EXIT.done;
}

/** `svctl shutdown [status|cancel|skip NAME...]`. */
export async function shutdownVerb(parsed: Parsed, session: Session): Promise<number> {
  const usage = 'svctl shutdown [status|cancel|skip NAME...]';
  const [act = 'status', ...names] = parsed.names;
  if (parsed.has('watch') && act !== 'status') {
    throw usageFailure(`${act} is done once`, 'svctl shutdown status --watch');
  }
  if (act === 'skip') {
    if (names.length === 0) throw usageFailure('Name whom not to wait for', usage);
    const result = await session.request('skip', { names });
    session.show(result, ({ skipped }) => list('killed, and not waited for', skipped));
    return EXIT.done;
  }
  const [extra] = names;
  if (extra !== undefined) throw usageFailure(`'${extra}' is one word too many`, usage);
  if (act === 'cancel') return cancel(session);
  if (act !== 'status') throw usageFailure(`'${act}' is not status, cancel or skip`, usage);
  session.show(await session.request('shutdown', {}), shutdownLines);
  return EXIT.done;
}

export async function cancel(session: Session): Promise<number> {
  const result = await session.request('cancel', {});
  session.show(result, ({ cancelled }) =>
    cancelled === null ? ['nothing was scheduled'] : [`cancelled: ${scheduledLine(cancelled)}`],
  );
  return EXIT.done;
}

const goingDown = (kind: string): string => `Going down (${safe(kind)}): services are stopping`;

function shutdownLines({
  halting,
  scheduled,
  waitingFor,
  skipped,
}: Results['shutdown']): readonly string[] {
  if (halting === null) return [scheduled === null ? 'not going down' : scheduledLine(scheduled)];
  const end = durationWords(halting.leftMs);
  return [
    `going down: ${safe(halting.cause)}; what still runs in ${end} is killed`,
    ...(waitingFor.length === 0 ? ['no service is waited for'] : waitingFor.map(waitedForLine)),
    ...list('not waited for any more', skipped),
  ];
}

function waitedForLine({
  name,
  state,
  pid,
  forMs,
  killInMs,
  heldBy,
}: Results['shutdown']['waitingFor'][number]): string {
  const process = pid === null ? [] : [`pid ${pid}`];
  if (heldBy.length > 0) {
    const after = `stops after ${heldBy.map(safe).join(', ')}`;
    return `  ${safe(name)}: ${[...process, after].join(', ')}`;
  }
  const kill =
    killInMs === null ? 'is not killed by itself' : `killed in ${durationWords(killInMs)}`;
  const since = `${safe(state)} for ${durationWords(forMs)}`;
  return `  ${safe(name)}: ${[since, ...process, kill].join(', ')}`;
}

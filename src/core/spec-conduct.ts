/**
 * How a service is dealt with while it runs: what reloads it, who is asked before a signal, how far
 * a kill goes, the lock it holds, the deaths that are remembered. s6-supervise(8), runsv(8) and
 * s6-rc-compile(8) say it by files, service.json by the key `reload`.
 */
import * as v from 'valibot';
import { lineCommand } from './command.ts';
import { quoted } from './names.ts';
import type { Command, Dialect, ServiceType, Spec } from './spec.ts';
import { agree, below, type Draft, notice, refuse, signalFile, uintFile } from './spec-draft.ts';
import { command, duration, type Key, key, OBJECT, signal, type Value } from './spec-values.ts';
import type { Millis } from './units.ts';

/** The key `reload`: a signal for the main process, or a program. */
export type ReloadJson = {
  readonly signal?: number;
  readonly command?: readonly string[];
  /** For the command; null: for ever. */
  readonly timeout?: Millis | null;
};

/** The keys of this file, as ServiceJson has them. */
export type ConductKeys = { readonly reload?: ReloadJson };

/** What `reload` may hold. */
export const RELOAD: v.StrictObjectSchema<v.ObjectEntries, typeof OBJECT> = v.strictObject(
  {
    signal: key('Sent to what it runs.', signal),
    command: key('Run in its place, without a shell.', command),
    timeout: key('The time the command may take (null: for ever).', v.nullable(duration)),
  },
  OBJECT,
);

export const CONDUCT_KEYS: { readonly reload: Key<ReloadJson> } = {
  reload: key(
    'What makes it read its configuration again: a signal, or a command.',
    RELOAD as unknown as Value<ReloadJson>,
  ),
};

export type Conduct = Pick<
  Spec,
  | 'reloadSignal'
  | 'reload'
  | 'reloadWithin'
  | 'killsGroup'
  | 'lockFd'
  | 'deathTally'
  | 'control'
  | 'ownPids'
>;

/** s6-supervise(8) keeps no more, whatever `max-death-tally` says. */
const DEATHS_MAX = 4096;
/** The largest descriptor that every service may have, whatever its limit (RLIMIT_NOFILE, 1024). */
const FD_MAX = 1023;

/** What a definition says of all this; what it does not say is absent. */
export function conduct(draft: Draft, type: ServiceType, dialect: Dialect): Conduct {
  if (type === 'bundle') return {};
  const deaths = uintFile(draft, 'max-death-tally', 'a whole number', 0);
  // Only s6 has it so: the others kill whatever is left in the group.
  const single = dialect === 's6' && !draft.found.files.has('flag-timeout-killpg');
  const control = controlOf(draft, dialect);
  return {
    ...reloading(draft, type),
    ...(single ? { killsGroup: false } : {}),
    ...locking(draft, type),
    ...(deaths === undefined ? {} : { deathTally: Math.min(deaths, DEATHS_MAX) }),
    ...(control === '' ? {} : { control }),
    ...(type === 'longrun' && draft.found.files.has('flag-newpidns') ? { ownPids: true } : {}),
  };
}

function reloading(
  draft: Draft,
  type: ServiceType,
): Pick<Conduct, 'reloadSignal' | 'reload' | 'reloadWithin'> {
  const { reload } = draft.json;
  const wrong = (reason: string): void =>
    refuse(draft, 'service.json', draft.lineOf('reload'), reason);
  if (reload?.signal !== undefined && reload.command !== undefined) {
    wrong("reload: expected 'signal' or 'command', found both");
  }
  if (reload !== undefined && reload.signal === undefined && reload.command === undefined) {
    wrong("reload: expected 'signal' or 'command', found neither");
  }
  if (type === 'oneshot' && reload?.signal !== undefined) {
    wrong("a oneshot has no 'reload.signal': nothing of it runs");
  }
  const fromFile = type === 'longrun' ? signalFile(draft, 'reload-signal') : undefined;
  const asked = agree(draft, 'reload-signal', fromFile, 'reload.signal', reload?.signal);
  const command = reloadCommand(draft, type);
  return {
    ...(asked === undefined ? {} : { reloadSignal: asked }),
    ...(command === null ? {} : { reload: command }),
    ...(reload?.timeout === undefined ? {} : { reloadWithin: reload.timeout }),
  };
}

/** `reload` of a oneshot is a command line as `up` is (s6-rc-compile(8), 0.7). */
function reloadCommand(draft: Draft, type: ServiceType): Command | null {
  const argv = draft.json.reload?.command;
  const text = type === 'oneshot' ? draft.found.files.get('reload')?.text : undefined;
  if (argv !== undefined) {
    if (text !== undefined) {
      const reason = "the key 'reload' and the file 'reload' cannot both be there";
      refuse(draft, 'service.json', draft.lineOf('reload'), reason);
    }
    return { path: argv[0] ?? '', argv };
  }
  if (text === undefined) return null;
  const found = lineCommand(text, `${draft.found.directory}/reload`);
  if (!found.ok) {
    refuse(draft, 'reload', found.line, found.reason);
    return null;
  }
  if (found.notice !== null) notice(draft, `reload: ${found.notice}`);
  return found.command;
}

function locking(draft: Draft, type: ServiceType): Pick<Conduct, 'lockFd'> {
  if (type !== 'longrun') return {};
  const lockFd = uintFile(draft, 'lock-fd', `a descriptor from 3 to ${FD_MAX}`, 3, FD_MAX);
  if (lockFd === undefined) return {};
  const { ready } = draft.json;
  const told = draft.found.files.get('notification-fd')?.text.split('\n', 1)[0]?.trim();
  const other = typeof ready === 'object' && 'fd' in ready ? String(ready.fd) : told;
  if (other === String(lockFd)) {
    refuse(draft, 'lock-fd', 1, `expected another descriptor than notification-fd has, ${lockFd}`);
  }
  return { lockFd };
}

/** The commands for which runsv(8) asks a program, as the letters that stand for them. */
const LETTERS = 'udtxpchaiq12k';

function controlOf(draft: Draft, dialect: Dialect): string {
  const there = below(draft, 'control');
  if (dialect !== 'runit') {
    if (there.length > 0) {
      notice(draft, `'control/' has no meaning in the dialect ${dialect}: only in runit's`);
    }
    return '';
  }
  let letters = '';
  for (const name of there) {
    const file = `control/${name}`;
    if (name.length !== 1 || !LETTERS.includes(name)) {
      notice(draft, `${quoted(file)} is none of runsv's: u d t x p c h a i q 1 2 k`);
    } else if (draft.found.files.get(file)?.executable !== true) {
      notice(draft, `${quoted(file)} is not executable, and so not run`);
    } else letters += name;
  }
  return letters;
}

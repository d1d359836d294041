/**
 * What a service runs: `run` and `finish` of a longrun, `up` and `down` of a oneshot, or the key
 * `command` in place of the first.
 */
import { type Found, lineCommand, scriptCommand } from './command.ts';
import type { Command, Dialect, ServiceType, Spec } from './spec.ts';
import { type Draft, notice, refuse } from './spec-draft.ts';

export type Programs = Pick<Spec, 'start' | 'finish' | 'down'>;

/** The programs of a definition; null where it has none, or none that can be used. */
export function programs(draft: Draft, type: ServiceType, dialect: Dialect): Programs {
  switch (type) {
    case 'bundle':
      return { start: null, finish: null, down: null };
    case 'oneshot':
      return { start: oneshotStart(draft), finish: null, down: line(draft, 'down') };
    case 'longrun': {
      const { name } = draft.found;
      const run = dialect === 'runit' ? (['./run'] as const) : (['./run', name] as const);
      const finish = dialect === 'runit' ? './finish' : 'finish';
      return {
        start: longrunStart(draft, run, dialect),
        finish: script(draft, 'finish', [finish], dialect),
        down: null,
      };
    }
  }
}

function oneshotStart(draft: Draft): Command | null {
  return ownCommand(draft, 'up') ?? line(draft, 'up');
}

function longrunStart(
  draft: Draft,
  argv: readonly [string, ...string[]],
  dialect: Dialect,
): Command | null {
  const command = ownCommand(draft, 'run');
  if (command !== null) return command;
  const { files } = draft.found;
  if (!files.has('run')) {
    const typed = files.has('type') || draft.json.type !== undefined;
    const other = files.has('up') ? 'oneshot' : files.has('contents.d/') ? 'bundle' : null;
    const hint = typed || other === null ? '' : `; a ${other} has a file 'type' that says so`;
    refuse(draft, 'run', null, `is missing: a longrun has 'run' or the key 'command'${hint}`);
  }
  return script(draft, 'run', argv, dialect);
}

/** The key `command`, which may not stand beside the file it replaces. */
function ownCommand(draft: Draft, file: 'run' | 'up'): Command | null {
  const argv = draft.json.command;
  if (argv === undefined) return null;
  if (draft.found.files.has(file)) {
    const reason = `the key 'command' and the file '${file}' cannot both be there`;
    refuse(draft, 'service.json', draft.lineOf('command'), reason);
  }
  return { path: argv[0] ?? '', argv };
}

function line(draft: Draft, file: 'up' | 'down'): Command | null {
  const text = draft.found.files.get(file)?.text;
  if (text === undefined) return null;
  return taken(draft, file, lineCommand(text, `${draft.found.directory}/${file}`));
}

function script(
  draft: Draft,
  file: 'run' | 'finish',
  argv: readonly [string, ...string[]],
  dialect: Dialect,
): Command | null {
  const { directory, files } = draft.found;
  const found = files.get(file);
  if (found === undefined) return null;
  const compiled = dialect === 's6' && files.has('type');
  return taken(draft, file, scriptCommand(found, `${directory}/${file}`, argv, compiled));
}

function taken(draft: Draft, file: string, found: Found): Command | null {
  if (!found.ok) {
    refuse(draft, file, found.line, found.reason);
    return null;
  }
  if (found.notice !== null) notice(draft, `${file}: ${found.notice}`);
  return found.command;
}

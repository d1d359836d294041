/**
 * Definitions that ask for terminals become definitions that have them: one more service holds the
 * pseudo-terminal of a service with `"tty": "pty"`, and one with `"tty": "consoles"` is there once
 * for each console. It knows no terminal.
 */
import { plainSpec } from './builtins.ts';
import { NAME_CHARS_MAX, quoted } from './names.ts';
import type { Problem, Spec } from './spec.ts';
import { ms } from './units.ts';

export type Terminals = {
  /** The console; null when there is none. */
  readonly console: string | null;
  /** Device files of the other consoles. */
  readonly consoles: readonly string[];
  /** Where services find the terminals that are held for them. */
  readonly folder: string;
  /** Our own program, and what it needs of its environment. */
  readonly program: { readonly path: string; readonly env: Readonly<Record<string, string>> };
};

export type Expanded = { readonly specs: readonly Spec[]; readonly problems: readonly Problem[] };

/** What is behind the name of the service whose terminal a service holds. */
export const HOLDER_SUFFIX = '.pty';

/** The descriptor at which a holder says that its terminal is there. */
const READY_FD = 3;

/** `specs`, and what they need to have their terminals. */
export function expandTerminals(specs: readonly Spec[], terminals: Terminals): Expanded {
  if (!specs.some(({ tty }) => tty !== null)) return { specs, problems: [] };
  const names = new Set(specs.map(({ name }) => name));
  const problems: Problem[] = [];
  const copies = new Map<string, readonly Spec[]>();
  const expanded = specs.flatMap((spec) => {
    const added = addedFor(spec, terminals);
    const long = added.find(({ name }) => name.length > NAME_CHARS_MAX);
    if (long !== undefined) {
      problems.push(tooLong(spec, long.name));
      return [];
    }
    if (spec.tty === 'consoles') copies.set(spec.name, added);
    // A directory with the name of one of these takes its place.
    return [withTerminal(spec, terminals), ...added.filter(({ name }) => !names.has(name))];
  });
  return { specs: expanded.map((spec) => withCopies(spec, copies)), problems };
}

function addedFor(spec: Spec, terminals: Terminals): readonly Spec[] {
  if (spec.tty === 'pty') return [holderOf(spec, terminals)];
  if (spec.tty !== 'consoles' || terminals.console === null) return [];
  return terminals.consoles.map((path) => ({
    ...spec,
    name: `${spec.name}-${path.slice(path.lastIndexOf('/') + 1)}`,
    tty: path,
  }));
}

/**
 * Runs for as long as the service is wanted, so that a terminal, and those who look at it, outlive
 * the program on it.
 */
function holderOf(spec: Spec, { program }: Terminals): Spec {
  return plainSpec({
    name: `${spec.name}${HOLDER_SUFFIX}`,
    description: `holds the terminal of ${spec.name}`,
    start: {
      path: program.path,
      argv: ['svpty', '--ready-fd', String(READY_FD), '--service', spec.name],
    },
    env: program.env,
    ready: { by: 'fd', fd: READY_FD },
    initially: 'down',
    early: spec.early,
    upWithin: ms(10_000),
    stopWithin: ms(2000),
  });
}

function withTerminal(spec: Spec, { console, folder }: Terminals): Spec {
  if (spec.tty === 'pty') {
    return {
      ...spec,
      tty: `${folder}/${spec.name}/tty`,
      needs: [...spec.needs, `${spec.name}${HOLDER_SUFFIX}`],
      env: { TERM: 'xterm', ...spec.env },
    };
  }
  if (spec.tty !== 'console' && spec.tty !== 'consoles') return spec;
  return console === null ? withoutConsole(spec) : { ...spec, tty: 'console' };
}

/** Where there is no terminal, a console service has nothing to do: it is done at once. */
function withoutConsole(spec: Spec): Spec {
  return {
    ...spec,
    type: 'oneshot',
    tty: 'console',
    start: null,
    finish: null,
    description: `${spec.description} (no terminal here)`.trim(),
  };
}

/** Who asks for a service that is there once for each console asks for all of them. */
function withCopies(spec: Spec, copies: ReadonlyMap<string, readonly Spec[]>): Spec {
  if (spec.type !== 'bundle') return spec;
  const contents = spec.contents.flatMap((name) => [
    name,
    ...(copies.get(name) ?? []).map((copy) => copy.name),
  ]);
  return { ...spec, contents: [...new Set(contents)] };
}

function tooLong({ name, directory }: Spec, added: string): Problem {
  const reason = `its terminal would need a service ${quoted(added)}, a name that is too long`;
  return { name, directory, file: 'service.json', line: null, reason };
}

/**
 * Service directories as values, for tests: a file of a directory is a key, what is in it a text.
 * It knows what may be executed and nothing else of what the files mean.
 */
import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Files of one service directory by relative path: `run`, `env/PORT`, `dependencies.d/db`. */
export type Directory = Readonly<Record<string, string>>;

/** Service directories by name. */
export type Definitions = Readonly<Record<string, Directory>>;

/** Writes the directories below `parent`, which is made; each appears whole, by a rename. */
export function writeDefinitions(parent: string, definitions: Definitions): void {
  mkdirSync(parent, { recursive: true });
  for (const [name, files] of Object.entries(definitions)) {
    const unfinished = join(parent, `.${name}`);
    mkdirSync(unfinished, { mode: 0o755 });
    for (const [path, content] of Object.entries(files)) {
      const file = join(unfinished, path);
      mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
      writeFileSync(file, content);
      chmodSync(file, content.startsWith('#!') ? 0o755 : 0o644);
    }
    renameSync(unfinished, join(parent, name));
  }
}

/** A longrun that says when it starts, is ready after that, and says on TERM that it stops. */
export function longrun(name: string, more: Directory = {}): Directory {
  const run = script(`trap 'say stop ${name}; exit 0' TERM; say start ${name}; echo >&3; idle`);
  return { run, 'notification-fd': '3\n', ...more };
}

/** A oneshot that says what it does. */
export function oneshot(name: string, more: Directory = {}): Directory {
  const [up, down] = [script(`say up ${name}`), script(`say down ${name}`)];
  return { type: 'oneshot\n', up, down, ...more };
}

/** The keys of a directory that needs `names`. */
export function needs(...names: readonly string[]): Directory {
  return Object.fromEntries(names.map((name) => [`dependencies.d/${name}`, '']));
}

/**
 * A shell script. `say WORDS` appends `@ WORDS` to the file $SAID, or else to what the test sees as
 * the console, at once and past every log; `idle` waits for a signal, for ever.
 */
export function script(text: string): string {
  return `#!/bin/sh\n${PRELUDE}\n${text}\n`;
}

const PRELUDE = [
  'test -n "$SAID" || SAID=/proc/1/fd/2',
  'say() { echo "@ $*" >>"$SAID"; }',
  // A shell runs its trap only between commands, and `wait` is the one that ends for a signal.
  'idle() { sleep 1000000 & trap "kill $!" EXIT; while :; do wait; done; }',
  "trap 'exit 143' TERM",
].join('\n');

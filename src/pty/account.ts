/**
 * Whose shells they are and what those find: the line of passwd(5), programs on the PATH, and the
 * part of our environment that is not the runtime's.
 */
import { accessSync, constants, readFileSync } from 'node:fs';

export type Account = { readonly user: string; readonly home: string; readonly shell: string };

/** What a shell may know of our environment: it is not the runtime's. */
export function inherited(): Record<string, string> {
  const kept = ['PATH', 'LANG', 'TZ', 'SVINIT_RUN', 'SVINIT_LOG'];
  const pairs = kept.map((key): [string, string] => [key, process.env[key] ?? '']);
  return Object.fromEntries(pairs.filter(([, value]) => value !== ''));
}

/** The line of passwd(5) of `uid`, or what there is without one. */
export function accountOf(uid: number): Account {
  const line = lines('/etc/passwd').find((text) => text.split(':')[2] === String(uid));
  const [user = '', , , , , home = '', shell = ''] = line?.split(':') ?? [];
  return {
    user: user || (uid === 0 ? 'root' : String(uid)),
    home: isThere(home) ? home : '/',
    shell: isThere(shell) ? shell : '/bin/sh',
  };
}

function lines(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}

/**
 * As execvp(3) looks a program up.
 * @throws {Error} when there is none.
 */
export function lookUp(name: string): string {
  if (name.includes('/')) return name;
  const candidates = (process.env['PATH'] ?? '').split(':').map((folder) => `${folder}/${name}`);
  const found = candidates.find(isThere);
  if (found === undefined) throw new Error(`there is no program ${name}`);
  return found;
}

function isThere(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return path !== '';
  } catch {
    return false;
  }
}

/**
 * A directory of `svinit.scan=` as people write it: a path, of service directories as s6 has them,
 * or a dialect, a colon and the path: `runit:/etc/service`.
 */
import type { Dialect } from './spec.ts';

export type NamedRoot = { readonly path: string; readonly dialect: Dialect };

/** What the text says; whether its path is one is not asked here. */
export function scanRootOf(text: string): NamedRoot {
  const dialect = DIALECTS.find((name) => text.startsWith(`${name}:`));
  if (dialect === undefined) return { path: text, dialect: 's6' };
  return { path: text.slice(dialect.length + 1), dialect };
}

const DIALECTS: readonly Dialect[] = ['s6', 'runit', 'svinit'];

/**
 * The definitions of a root as svroot left them for PID 1: one file in memory. PID 1 opens no path
 * of the root itself, where a dead disk would hold it.
 */
import { readFileSync, statSync } from 'node:fs';
import {
  decodeRootScan,
  ROOT_DEFINITIONS_BYTES_MAX,
  type RootScan,
} from '../core/root-definitions.ts';

const NOTHING: RootScan = { found: [], problems: [] };

/** What is in the file at `path`; nothing when there is none, a problem when it cannot be read. */
export function readRootDefinitions(path: string): RootScan {
  try {
    const { size } = statSync(path);
    if (size > ROOT_DEFINITIONS_BYTES_MAX) return refused(path, `it is ${size} bytes long`);
    const decoded = decodeRootScan(readFileSync(path, 'utf8'));
    return decoded.ok ? decoded.scan : refused(path, decoded.reason);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    if (error.code === 'ENOENT') return NOTHING;
    return refused(path, `open failed with ${error.code}`);
  }
}

/** A name with a slash is no service's name: it cannot be taken for one. */
function refused(path: string, why: string): RootScan {
  const reason = `Cannot read ${path}: ${why}`;
  return { found: [], problems: [{ name: path, directory: path, file: null, line: null, reason }] };
}

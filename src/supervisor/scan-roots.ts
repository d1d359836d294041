/**
 * Where definitions come from: what was asked for, or the usual places, and those of an image made
 * for s6-overlay.
 */
import { OVERLAY } from '../core/overlay.ts';
import { scanRootOf } from '../core/scan-roots.ts';
import type { ScanRoot } from './scan.ts';

/**
 * Of two definitions with one name that of the earlier root wins.
 * @param asked What somebody says instead; null: nobody does.
 * @param added The directory of what is added at run time.
 */
export function scanRoots(
  asked: readonly string[] | null,
  added: string,
  isOverlay: boolean,
): readonly ScanRoot[] {
  if (asked !== null) return asked.map(scanRootOf);
  // The vendor's are those of svinit's own image: in another image they are nobody's.
  const own = [added, ADMINISTRATOR, ...(isOverlay ? [] : [VENDOR])].map(
    (path): ScanRoot => ({ path, dialect: 'svinit' }),
  );
  return isOverlay ? [...own, ...OVERLAY_ROOTS] : own;
}

const ADMINISTRATOR = '/etc/svinit/services';
const VENDOR = '/usr/lib/svinit/services';

/** Where an image made for s6-overlay keeps its definitions. */
const OVERLAY_ROOTS: readonly ScanRoot[] = [
  { path: OVERLAY.sources, dialect: 's6' },
  { path: OVERLAY.legacy, dialect: 's6' },
];

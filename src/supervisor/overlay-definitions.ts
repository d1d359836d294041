/**
 * The scan of an image made for s6-overlay v3: what core/overlay.ts adds to what was found, with
 * the user bundles of their newer place.
 */
import { asBundle, OVERLAY, type Overlay, overlayNotices, overlaySpecs } from '../core/overlay.ts';
import type { Problem, Spec } from '../core/spec.ts';
import { type ParsedSpec, parseSpec } from '../core/spec-files.ts';
import { type ScanLimits, scanPath } from './scan.ts';

export type Overlaid = {
  readonly specs: readonly Spec[];
  readonly parsed: readonly ParsedSpec[];
  readonly problems: readonly Problem[];
  readonly notices: readonly string[];
};

/** `found` as it is, when the image is none of that kind. */
export function overlaid(
  overlay: Overlay | null,
  found: readonly Spec[],
  limits: ScanLimits,
): Overlaid {
  if (overlay === null) return { specs: found, parsed: [], problems: [], notices: [] };
  const scan = scanPath([{ path: OVERLAY.bundles, dialect: 's6' }], limits);
  const parsed = scan.found.map((texts) => parseSpec(asBundle(texts)));
  const bundles = parsed.flatMap(({ spec }) => (spec === null ? [] : [spec]));
  const specs = overlaySpecs(overlay, found, bundles);
  const notices = [...overlay.notices, ...overlayNotices(found)];
  return { specs, parsed, problems: scan.problems, notices };
}

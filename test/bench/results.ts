/** Results as a run would leave them, of the figures a test is about. */
import type { Results } from '../../scripts/bench/results.ts';

export function results(
  samples: Results['samples'],
  machine: Record<string, string> = { processors: '4 × some', load: '0.10' },
): Results {
  return { began: '2026-01-02T03:04:05.000Z', quick: false, machine, missing: {}, samples };
}

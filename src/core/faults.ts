/**
 * Ends and troubles of svinit itself that its tests ask for.
 */

export type FaultKind =
  | 'throw'
  | 'reject'
  | 'exit'
  | 'abort'
  | 'null'
  | 'loop'
  | 'block'
  | 'heap'
  | 'stack'
  | 'leak';

export const FAULTS: readonly FaultKind[] = [
  ...(['throw', 'reject', 'exit', 'abort', 'null', 'loop'] as const),
  ...(['block', 'heap', 'stack', 'leak'] as const),
];

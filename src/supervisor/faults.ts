/**
 * Ends and troubles of svinit itself, on purpose: what its own tests ask for, and nobody else can.
 */
import type { FaultKind } from '../core/methods.ts';
import { unreachable } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';

/** Kept for ever: what leaks, and what fills the heap. */
const kept: unknown[] = [];
const LEAK_BYTES: number = 1024 * 1024;
const LEAKS = 32;
/** How long svinit may be deaf while it fills its heap. */
const TURN_MS = 50;

/** Most do not come back. */
export function commit(kind: FaultKind, kernel: Kernel): void {
  switch (kind) {
    case 'throw':
      throw new Error('a fault that was asked for');
    case 'reject':
      void Promise.reject(new Error('a rejection that was asked for'));
      return;
    case 'exit':
      return process.exit(3);
    case 'abort':
      return process.abort();
    case 'null':
      return kernel.touch(8);
    case 'loop':
      return spin();
    case 'block':
      return block(kernel);
    case 'heap':
      return fillHeap();
    case 'stack':
      return exhaustStack();
    case 'leak':
      for (let i = 0; i < LEAKS; i += 1) kept.push(Buffer.alloc(LEAK_BYTES, 1));
      return;
    default:
      return unreachable(kind);
  }
}

function spin(): never {
  for (;;);
}

/** Reads from a pipe whose other end is our own: for ever. */
function block(kernel: Kernel): void {
  const [reader, writer] = kernel.pipe(0);
  kept.push(writer);
  kernel.read(reader, new Uint8Array(1));
}

/** Turn by turn: the heap shall end, and not the patience with a main thread that hangs. */
function fillHeap(): void {
  const endsAt = performance.now() + TURN_MS;
  while (performance.now() < endsAt) {
    kept.push(Array.from({ length: 10_000 }, (_, index) => ({ index, text: `${index}` })));
  }
  setImmediate(fillHeap);
}

function exhaustStack(): void {
  const deeper = (depth: number): number => (depth < 0 ? 0 : deeper(depth + 1) + 1);
  kept.push(deeper(0));
}

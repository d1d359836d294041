/**
 * The earliest deadline among thousands, in O(log n): a binary heap whose entries may be stale.
 * A phase is the truth about its deadline; the heap only remembers where to look.
 */
import type { Millis } from './units.ts';

type Entry = { readonly at: Millis; readonly name: string };

/**
 * Instants by name, and how many of them are looked through for stale ones. Not a value: it is
 * changed in place by its owner, the system.
 */
export type Agenda = { readonly heap: Entry[]; limit: number };

/** Below this, stale entries are not worth looking for. */
const LIMIT_MIN = 1000;

export const newAgenda = (): Agenda => ({ heap: [], limit: LIMIT_MIN });

/** Notes that `name` must be looked at when `at` has come. */
export function note(agenda: Agenda, name: string, at: Millis): void {
  const { heap } = agenda;
  heap.push({ at, name });
  let child = heap.length - 1;
  while (child > 0) {
    const parent = (child - 1) >> 1;
    if (!swapIfEarlier(heap, child, parent)) return;
    child = parent;
  }
}

/**
 * The earliest instant that is still true, or null. Entries for which `dueOf` names another
 * instant are dropped on the way: each is dropped once, so the cost stays with who noted it.
 */
export function earliest(agenda: Agenda, dueOf: (name: string) => Millis | null): Millis | null {
  if (agenda.heap.length > agenda.limit) prune(agenda, dueOf);
  for (;;) {
    const top = agenda.heap[0];
    if (top === undefined) return null;
    if (dueOf(top.name) === top.at) return top.at;
    removeTop(agenda.heap);
  }
}

/** Takes out every name whose instant is not after `now`; stale ones among them do no harm. */
export function takeDue(agenda: Agenda, now: Millis): string[] {
  const due: string[] = [];
  for (let top = agenda.heap[0]; top !== undefined && top.at <= now; top = agenda.heap[0]) {
    due.push(top.name);
    removeTop(agenda.heap);
  }
  return due;
}

/**
 * A client that waits for a day and is answered at once leaves an entry for a day. The next look
 * is after twice what is left, so the cost again stays with who noted.
 */
function prune(agenda: Agenda, dueOf: (name: string) => Millis | null): void {
  const kept = new Map<string, Millis>();
  for (const { name, at } of agenda.heap) if (dueOf(name) === at) kept.set(name, at);
  agenda.heap.length = 0;
  for (const [name, at] of kept) note(agenda, name, at);
  agenda.limit = Math.max(LIMIT_MIN, 2 * kept.size);
}

function removeTop(heap: Entry[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  heap[0] = last;
  let parent = 0;
  for (;;) {
    const left = 2 * parent + 1;
    const right = left + 1;
    const child = (heap[right]?.at ?? Infinity) < (heap[left]?.at ?? Infinity) ? right : left;
    if (heap[child] === undefined || !swapIfEarlier(heap, child, parent)) return;
    parent = child;
  }
}

function swapIfEarlier(heap: Entry[], child: number, parent: number): boolean {
  const a = heap[child];
  const b = heap[parent];
  if (a === undefined || b === undefined || a.at >= b.at) return false;
  heap[child] = b;
  heap[parent] = a;
  return true;
}

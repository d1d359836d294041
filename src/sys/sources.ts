/**
 * Where the copies that a child begins with come from. A source that is another's target would be
 * overwritten, and one with a high number costs the child a copy of all descriptors below it: such
 * sources are lent another number while the child is made. Who makes it is not known here.
 */
import type { Fd } from '../core/units.ts';
import { O } from './constants.ts';
import { dup } from './descriptors.ts';
import { scratch } from './files.ts';
import { type Libc, orUndo } from './libc.ts';

/** At `fd`, the child has a copy of our `dup`. */
export type DupAction = { readonly fd: number; readonly dup: Fd };

/**
 * Does `act` with sources of which none is another's target.
 * @throws {SysError} `EMFILE`, and what `act` throws.
 */
export function withSources<T>(
  libc: Libc,
  dups: readonly DupAction[],
  act: (dups: readonly DupAction[]) => T,
): T {
  const above = dups.reduce((most, { fd }) => Math.max(most, fd + 1), 0);
  const clashes = ({ fd, dup }: DupAction) => fd !== dup && dups.some((other) => other.fd === dup);
  const undo: (() => void)[] = [];
  const moved = (action: DupAction): DupAction => {
    if (clashes(action)) {
      const spare = dup(libc, action.dup, above);
      undo.push(() => libc.call('close', spare));
      return { fd: action.fd, dup: spare };
    }
    const lent = action.dup < HIGH ? null : lend(libc, action.dup, above, undo);
    return lent === null ? action : { fd: action.fd, dup: lent };
  };
  try {
    return act(dups.map(moved));
  } finally {
    for (const one of undo) one();
  }
}

/**
 * Reserves the numbers that are lent, which must be low: the earlier the better. Without them a
 * start takes longer the more descriptors there are, and that is all.
 * @throws {SysError} `EMFILE`, `ENOMEM`.
 */
export function reserveSources(libc: Libc): void {
  if (!slotsOf.has(libc)) newSlots(libc);
}

/** From here on the copies below it cost more than what saves them. */
const HIGH = 64;
/** A notification pipe and a lock; whoever has more pays for them. */
const SLOTS = 2;
/** Above what most programs ask for. */
const FIRST = 10;

/** Low numbers that are never free for anybody else, as `empty` is there when nothing is lent. */
type Slots = { readonly empty: Fd; readonly free: Fd[] };
const slotsOf = new WeakMap<Libc, Slots>();

/** A slot in which `source` is until it is undone; null: there is none above all targets. */
function lend(libc: Libc, source: Fd, above: number, undo: (() => void)[]): Fd | null {
  const slots = slotsOf.get(libc);
  const slot = slots?.free.pop();
  if (slots === undefined || slot === undefined) return null;
  if (slot < above || libc.call('dup3', source, slot, O.CLOEXEC) === -1) {
    slots.free.push(slot);
    return null;
  }
  undo.push(() => {
    // One that cannot be emptied is closed, lest the source stays open in it, and is lent no more.
    if (libc.call('dup3', slots.empty, slot, O.CLOEXEC) === -1) libc.call('close', slot);
    else slots.free.push(slot);
  });
  return slot;
}

function newSlots(libc: Libc): Slots {
  const made: Fd[] = [];
  const close = (): void => {
    for (const fd of made) libc.call('close', fd);
  };
  return orUndo(() => {
    const empty = scratch(libc, 'svinit-slot');
    made.push(empty);
    for (let i = 0; i < SLOTS; i += 1) made.push(dup(libc, empty, FIRST));
    const slots = { empty, free: made.slice(1) };
    slotsOf.set(libc, slots);
    return slots;
  }, close);
}

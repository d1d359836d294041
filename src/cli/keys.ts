/**
 * Keys in what a terminal sends: a control sequence (ECMA-48, 5.4; SS3 of xterm), or a character.
 * A slow line may bring a sequence in pieces.
 */

const KEY = /\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])|[\s\S]/g;
/** The beginning of a sequence, at the end. */
const UNFINISHED = /\x1b(?:\[[0-9;]*|O)?$/;

/** @param isAll nothing more will follow: what looks like a beginning is the key escape. */
export function keysIn(
  text: string,
  isAll: boolean,
): { readonly keys: readonly string[]; readonly rest: string } {
  const rest = isAll ? '' : (UNFINISHED.exec(text)?.[0] ?? '');
  const whole = text.slice(0, text.length - rest.length);
  return { keys: whole.match(KEY) ?? [], rest };
}

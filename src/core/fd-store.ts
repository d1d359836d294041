/**
 * What a service says of descriptors that it leaves for its next run (sd_notify(3), FDSTORE). It
 * knows the text; the descriptors come beside it.
 */

export type StoreWords =
  | { readonly do: 'store'; readonly name: string; readonly isPolled: boolean }
  | { readonly do: 'remove'; readonly name: string };

/** What systemd calls one that was given no name, or none that can be one. */
const UNNAMED = 'stored';
/** FDNAME= of sd_notify(3): no control character and no colon, and at most 255 of them. */
const NAME = /^[ -9;-~]{1,255}$/;

/** Null when the text is of something else. */
export function parseStoreWords(text: string): StoreWords | null {
  const said = new Map(
    text.split('\n').flatMap((line) => {
      const equals = line.indexOf('=');
      return equals < 1 ? [] : [[line.slice(0, equals), line.slice(equals + 1)] as const];
    }),
  );
  const given = said.get('FDNAME') ?? '';
  const name = NAME.test(given) ? given : UNNAMED;
  if (said.get('FDSTOREREMOVE') === '1') {
    // Without a name nobody knows which are meant.
    return NAME.test(given) ? { do: 'remove', name } : null;
  }
  if (said.get('FDSTORE') !== '1') return null;
  return { do: 'store', name, isPolled: said.get('FDPOLL') !== '0' };
}

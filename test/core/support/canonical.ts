/** JSON in one order of keys, whatever order it was made in. */

/** Keys in one order: what is absent at first is last, and in its place once it was read. */
export const canonical = (text: string): string =>
  JSON.stringify(JSON.parse(text), (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );

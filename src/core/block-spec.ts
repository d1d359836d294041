/**
 * How a block device is named: what root= and fstab(5) say, and the names of its links below
 * /dev/disk. It knows no device.
 */

/** What of a device a name may mean. */
export type BlockKey = 'uuid' | 'label' | 'partuuid' | 'partlabel';

export type BlockSpec =
  | { readonly by: BlockKey; readonly value: string; readonly offset: number }
  | { readonly by: 'path'; readonly value: string }
  | { readonly by: 'number'; readonly major: number; readonly minor: number };

/** Those of a device that a name may mean; null: it has none. */
export type BlockNames = Readonly<Record<BlockKey, string | null>>;

/**
 * `/dev/sda1`, `UUID=`, `LABEL=`, `PARTUUID=`, `PARTLABEL=` with or without quotes, a link below
 * /dev/disk/by-uuid and its likes whether it is there or not, and the kernel's own `8:1` and
 * `PARTUUID=X/PARTNROFF=N`, the partition N places behind (Documentation/admin-guide,
 * early_lookup_bdev). Null: it names no device.
 */
export function parseBlockSpec(text: string): BlockSpec | null {
  const tag = /^(UUID|LABEL|PARTUUID|PARTLABEL)=(.+)$/s.exec(text);
  if (tag !== null) return tagged(tag[1]?.toLowerCase() as BlockKey, unquoted(tag[2] ?? ''));
  const link = /^\/dev\/disk\/by-(uuid|label|partuuid|partlabel)\/(.+)$/s.exec(text);
  if (link !== null) {
    return { by: link[1] as BlockKey, value: decodedName(link[2] ?? ''), offset: 0 };
  }
  if (/^\/dev\/./.test(text)) return { by: 'path', value: text };
  const number = /^(\d{1,4}):(\d{1,7})$/.exec(text);
  if (number === null) return null;
  return { by: 'number', major: Number(number[1]), minor: Number(number[2]) };
}

/** Whether a device of these names is meant: UUIDs in any case, labels as they are or encoded. */
export function isMeant(names: BlockNames, by: BlockKey, value: string): boolean {
  const own = names[by];
  if (own === null) return false;
  if (by === 'uuid' || by === 'partuuid') return own.toLowerCase() === value.toLowerCase();
  return own === value || encodedName(own) === value;
}

/**
 * As udev names links (blkid_encode_string of libblkid): what is no letter, digit, one of
 * `#+-.:=@_` or beyond ASCII becomes `\x2f`.
 */
export function encodedName(text: string): string {
  return text.replace(/[^A-Za-z0-9#+.:=@_\u0080-\u{10ffff}-]/gu, (char) => {
    return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

/** What `encodedName` was made of. */
export function decodedName(name: string): string {
  return name.replace(/\\x([0-9a-f]{2})/gi, (_, digits: string) => {
    return String.fromCharCode(Number.parseInt(digits, 16));
  });
}

function tagged(by: BlockKey, value: string): BlockSpec | null {
  const shifted = by === 'partuuid' ? /^(.+)\/PARTNROFF=(-?\d{1,4})$/.exec(value) : null;
  if (shifted !== null) return { by, value: shifted[1] ?? '', offset: Number(shifted[2]) };
  return value === '' ? null : { by, value, offset: 0 };
}

function unquoted(text: string): string {
  return /^(["'])(.*)\1$/s.exec(text)?.[2] ?? text;
}

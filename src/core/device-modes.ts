/**
 * Who may use which device node: what differs from the kernel's own choice, 0600 of root for nearly
 * everything. The modes and groups are those of udev's rules (rules.d/50-udev-default.rules.in of
 * systemd), which programs are written for.
 */

export type NodeKind = 'block' | 'char';

/** `group` is a name of /etc/group; where there is none of that name the node stays root's. */
export type Permission = { readonly mode: number; readonly group: string | null };

/** What the node at `name` below /dev shall have; null: as the kernel made it. */
export function permissionOf(kind: NodeKind, name: string): Permission | null {
  const rule = RULES.find(([of, pattern]) => of === kind && pattern.test(name));
  return rule === undefined ? null : { mode: rule[2], group: rule[3] };
}

/** The numbers of groups by name, of a text as group(5) describes it. */
export function parseGroups(text: string): ReadonlyMap<string, number> {
  return new Map(
    text.split('\n').flatMap((line): readonly (readonly [string, number])[] => {
      const [name = '', , digits = ''] = line.split(':');
      return name !== '' && /^\d{1,10}$/.test(digits) ? [[name, Number(digits)]] : [];
    }),
  );
}

type Rule = readonly [NodeKind, RegExp, number, string | null];

/** The first that fits holds. */
const RULES: readonly Rule[] = [
  ['block', /^(?:sr\d|cdrom)/, 0o660, 'cdrom'],
  ['block', /^fd\d/, 0o660, 'floppy'],
  ['block', /./, 0o660, 'disk'],
  ['char', /^(?:null|zero|full|random|urandom)$/, 0o666, null],
  ['char', /^(?:tty|ptmx)$/, 0o666, 'tty'],
  ['char', /^tty\d+$/, 0o620, 'tty'],
  ['char', /^vcs/, 0o660, 'tty'],
  ['char', /^(?:tty(?:S|USB|ACM|AMA)|rfcomm|hvc)\d/, 0o660, 'dialout'],
  ['char', /^(?:fuse|net\/tun|vfio\/vfio)$/, 0o666, null],
  ['char', /^(?:kvm|vhost-net|vhost-vsock)$/, 0o660, 'kvm'],
  ['char', /^(?:mem|kmem|port)$/, 0o640, 'kmem'],
  ['char', /^(?:loop-control|btrfs-control|sg\d+|bsg\/.*)$/, 0o660, 'disk'],
  ['char', /^(?:st|nst)\d/, 0o660, 'tape'],
  ['char', /^input\/js\d/, 0o664, 'input'],
  ['char', /^input\//, 0o660, 'input'],
  ['char', /^(?:video|media|fb|dri\/card)/, 0o660, 'video'],
  ['char', /^dri\/renderD/, 0o660, 'render'],
  ['char', /^snd\//, 0o660, 'audio'],
  ['char', /^bus\/usb\//, 0o664, null],
  ['char', /^(?:lp\d|usb\/lp\d)/, 0o660, 'lp'],
  ['char', /^rfkill$/, 0o664, null],
];

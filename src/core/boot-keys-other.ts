/**
 * Words of the kernel command line that people know and that are not options of svinit: what a
 * program of the image does with them, what the kernel does, why they are ignored, or that what
 * they ask for is not built. For people only: nothing is read by this table.
 */

export type OtherKey = {
  /** As written on the kernel command line; a `*` at the end stands for any end. */
  readonly names: readonly string[];
  readonly state: WordState;
  readonly about: string;
};

/** Who does what with a word that is no option of svinit. */
export type WordState =
  /** Another program of the image honours it. */
  | 'elsewhere'
  /** It is the kernel's, or the boot loader's. */
  | 'kernel'
  /** It is taken and does nothing, on purpose. */
  | 'ignored'
  /** Nothing does yet what it asks for. */
  | 'not built';

export const OTHER_KEYS: readonly OtherKey[] = [
  {
    names: ['modules-load', 'rd.modules-load', 'rd.driver.pre'],
    state: 'elsewhere',
    about: 'svmod loads these modules.',
  },
  {
    names: ['modprobe.blacklist', 'rd.driver.blacklist', 'module_blacklist'],
    state: 'elsewhere',
    about: 'svmod does not load these modules for devices.',
  },
  {
    names: [
      'BOOT_IMAGE',
      'initrd',
      'rdinit',
      'panic',
      'debug',
      'earlycon',
      'earlyprintk',
      'nokaslr',
    ],
    state: 'kernel',
    about: 'For the kernel or its loader.',
  },
  {
    names: ['systemd.setenv'],
    state: 'ignored',
    about: 'Environment never comes from the command line.',
  },
  {
    names: ['systemd.log_level', 'systemd.log_target', 'rd.udev.log_level', 'rd.info', 'rd.debug'],
    state: 'ignored',
    about: 'svinit writes down everything; svctl logs shows it.',
  },
  {
    names: ['splash', 'nosplash', 'plymouth.*', 'vt.handoff', 'rhgb'],
    state: 'ignored',
    about: 'There is no picture.',
  },
  {
    names: ['rd.driver.post', 'rd.retry', 'rootfallback', 'rl.*'],
    state: 'not built',
    about: 'More ways to a root.',
  },
  {
    names: ['mount.usr', 'mount.usrfstype', 'mount.usrflags'],
    state: 'not built',
    about: 'A /usr on a filesystem of its own.',
  },
  {
    names: ['roothash', 'systemd.verity', 'systemd.verity_*', 'usrhash'],
    state: 'not built',
    about: 'A root whose blocks are verified.',
  },
  {
    names: ['rd.luks*', 'luks.*', 'cryptdevice', 'rd.lvm*', 'rd.md*', 'rd.dm*', 'resume'],
    state: 'not built',
    about: 'A root on encrypted, logical or combined devices, and hibernation.',
  },
  {
    names: [
      ...['ip', 'ifname', 'nameserver', 'rd.route', 'BOOTIF', 'bootdev', 'rd.neednet'],
      ...['rd.net.*', 'rd.peerdns', 'nfsroot', 'iscript', 'httpfuse'],
    ],
    state: 'not built',
    about: 'A network before the root, and a root over it.',
  },
  {
    names: ['systemd.mask', 'systemd.wants', 'systemd.machine_id', 'systemd.set_credential*'],
    state: 'not built',
    about: 'Units of systemd, its machine id and credentials.',
  },
];

/** The row of `key`; the value, if any, is not looked at. Null: nobody here knows it. */
export function otherKey(key: string): OtherKey | null {
  const plain = key.replaceAll('-', '_');
  const fits = (name: string): boolean => {
    const wanted = name.replaceAll('-', '_');
    return wanted.endsWith('*') ? plain.startsWith(wanted.slice(0, -1)) : plain === wanted;
  };
  return OTHER_KEYS.find(({ names }) => names.some(fits)) ?? null;
}

/**
 * How a root is brought: what `root=` means, which check its filesystem gets and what the answer of
 * that check means, what is mounted where and in which order. It knows values and no disk.
 */
import type { BootOptions } from './boot-options.ts';
import type { RootPlaces } from './root-places.ts';

/** What `root=` asks for. */
export type RootSource =
  | { readonly kind: 'none' }
  | { readonly kind: 'tmpfs' }
  | { readonly kind: 'device'; readonly spec: string }
  | { readonly kind: 'unknown'; readonly reason: string };

/** The device that was found. */
export type RootDevice = {
  /** `/dev/vda1`. */
  readonly path: string;
  /** The filesystem on it, by its superblock; null: none that is known. */
  readonly type: string | null;
  /** The device takes no writes. */
  readonly readOnly: boolean;
};

/** One act on the way to a root, in order. */
export type RootStep =
  | { readonly do: 'mkdir'; readonly path: string }
  | {
      readonly do: 'mount';
      /** Tried in this order; empty: whatever the kernel finds. */
      readonly types: readonly string[];
      readonly source: string;
      readonly target: string;
      readonly options: readonly string[];
    }
  | { readonly do: 'bind'; readonly source: string; readonly target: string }
  /** Directories and links at the top of `from`, other than /usr, made anew at the top of `to`. */
  | { readonly do: 'skeleton'; readonly from: string; readonly to: string };

export type RootPlan = {
  readonly steps: readonly RootStep[];
  /** Modules of the kernel that it takes, when they are none of its own. */
  readonly modules: readonly string[];
  /** Whether services of the root can write to most of it. */
  readonly writable: boolean;
  readonly notices: readonly string[];
};

export type RootOptions = Pick<
  BootOptions,
  | 'root'
  | 'rootfstype'
  | 'rootflags'
  | 'rw'
  | 'init'
  | 'handover'
  | 'overlay'
  | 'etcOverlay'
  | 'fsckMode'
  | 'fsckRepair'
>;

/** Words for no root at all: svinit's, and those of initramfs images that are the whole system. */
const NONE: ReadonlySet<string> = new Set(['', 'none', 'rdinit', 'initramfs', 'rootfs']);
const TAGS = ['UUID=', 'LABEL=', 'PARTUUID=', 'PARTLABEL='];

/** Reads `root=`. */
export function rootSource({ root }: Pick<RootOptions, 'root'>): RootSource {
  if (root === null || NONE.has(root)) return { kind: 'none' };
  if (root === 'tmpfs') return { kind: 'tmpfs' };
  const isDevice = root.startsWith('/dev/') || TAGS.some((tag) => root.startsWith(tag));
  if (isDevice) return { kind: 'device', spec: root };
  const reason = `root=${root} is not supported: a device, UUID=, LABEL=, PARTUUID=, PARTLABEL=`;
  return { kind: 'unknown', reason: `${reason}, tmpfs or none` };
}

/** Whether svinit stays outside of the root, or becomes its init. */
export function handoverOf({ init, handover }: RootOptions): 'stay' | 'classic' {
  return handover ?? (init === null ? 'stay' : 'classic');
}

/** Filesystems that cannot be written to, whatever is asked. */
const IMAGES: ReadonlySet<string> = new Set(['squashfs', 'erofs', 'iso9660', 'cramfs', 'romfs']);

/** What a root must have to be entered, and to be the root of anything. */
const MOUNT_POINTS: readonly string[] = ['dev', 'proc', 'sys', 'run', 'tmp'];

/** What is to be mounted, from the bottom up. `device` null: the root is empty, in memory. */
export function planRoot(
  options: RootOptions,
  device: RootDevice | null,
  places: RootPlaces,
): RootPlan {
  const { tree } = places;
  if (device === null) {
    const points = MOUNT_POINTS.map((name) => mkdir(`${tree}/${name}`));
    const steps = [mkdir(tree), tmpfs(tree, '0755'), ...points];
    return { steps, modules: [], writable: true, notices: [] };
  }
  const types = typesOf(options, device);
  const isImage = types.length > 0 && types.every((type) => IMAGES.has(type));
  const fixed = device.readOnly || isImage;
  // What cannot be written to and yet shall be: then what is written stays in memory.
  const overlay = options.overlay === 'no' && options.rw && fixed ? 'overlay' : options.overlay;
  const what = isImage ? `a ${types.join(' or ')}` : 'read-only';
  const notices =
    overlay === options.overlay
      ? []
      : [`${device.path} is ${what}: what is written to the root stays in memory`];
  const rw = options.rw && !fixed;
  const disk = diskStep(options, device, types, places, overlay, rw);
  const steps = [...disk, ...layers(options, places, overlay)];
  const isLayered = overlay === 'overlay' || overlay === 'state' || isEtcApart(options, overlay);
  return {
    steps,
    modules: [...types, ...(isLayered ? ['overlay'] : [])],
    writable: overlay === 'overlay' || overlay === 'yes' || rw,
    notices,
  };
}

function typesOf({ rootfstype }: RootOptions, { type }: RootDevice): readonly string[] {
  if (rootfstype !== null && rootfstype !== 'auto') return rootfstype.split(',');
  return type === null ? [] : [type];
}

function diskStep(
  { rootflags }: RootOptions,
  { path }: RootDevice,
  types: readonly string[],
  { tree, lower }: RootPlaces,
  overlay: RootOptions['overlay'],
  rw: boolean,
): readonly RootStep[] {
  const isWhole = overlay === 'overlay' || overlay === 'yes';
  const target = isWhole ? lower : tree;
  const flags = (rootflags ?? '').split(',').filter((flag) => flag !== '');
  const access = flags.filter((flag) => flag !== 'ro' && flag !== 'rw');
  // The last word counts for mount(8) too; below an overlay nothing may be written.
  const options = [...access, rw && !isWhole ? 'rw' : 'ro'];
  return [mkdir(target), { do: 'mount', types, source: path, target, options }];
}

function layers(
  options: RootOptions,
  places: RootPlaces,
  overlay: RootOptions['overlay'],
): readonly RootStep[] {
  const { tree, lower, upper } = places;
  const memory = [mkdir(upper), tmpfs(upper, '0700')];
  if (overlay === 'overlay') {
    return [...memory, mkdir(tree), ...overlayOn(lower, tree, `${upper}/root`)];
  }
  if (overlay === 'yes') {
    const usr = `${tree}/usr`;
    return [
      ...[mkdir(tree), tmpfs(tree, '0755')],
      { do: 'skeleton', from: lower, to: tree },
      mkdir(usr),
      { do: 'bind', source: `${lower}/usr`, target: usr },
    ];
  }
  const parts = [
    ...(overlay === 'state' ? ['var'] : []),
    ...(isEtcApart(options, overlay) ? ['etc'] : []),
  ];
  if (parts.length === 0) return [];
  return [
    ...memory,
    ...parts.flatMap((part) => overlayOn(`${tree}/${part}`, `${tree}/${part}`, `${upper}/${part}`)),
  ];
}

/** Where all of the root is in memory, /etc is anyway. */
function isEtcApart({ etcOverlay }: RootOptions, overlay: RootOptions['overlay']): boolean {
  return etcOverlay && (overlay === 'no' || overlay === 'state');
}

/** Documentation/filesystems/overlayfs.rst: upper and work directory are on one filesystem. */
function overlayOn(lower: string, target: string, store: string): readonly RootStep[] {
  const [upper, work] = [`${store}/upper`, `${store}/work`];
  const options = [`lowerdir=${lower}`, `upperdir=${upper}`, `workdir=${work}`];
  return [
    ...[mkdir(store), mkdir(upper), mkdir(work)],
    { do: 'mount', types: ['overlay'], source: 'overlay', target, options },
  ];
}

const mkdir = (path: string): RootStep => ({ do: 'mkdir', path });

function tmpfs(target: string, mode: string): RootStep {
  return { do: 'mount', types: ['tmpfs'], source: 'tmpfs', target, options: [`mode=${mode}`] };
}

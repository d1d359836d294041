/**
 * An image made for s6-overlay v3, in the words of svinit: the bundles and oneshots that s6-overlay
 * brings along, the legacy services behind them, and the command after all of them. It knows
 * definitions, not the disk.
 */
import { mainSpec, plainSpec } from './builtins.ts';
import type { OverlaySettings } from './overlay-settings.ts';
import type { Command, DirectoryTexts, Spec } from './spec.ts';
import { ms } from './units.ts';

/** Where an image keeps what s6-overlay reads, and where its programs look at run time. */
export const OVERLAY = {
  sources: '/etc/s6-overlay/s6-rc.d',
  bundles: '/etc/s6-overlay/user-bundles.d',
  init: '/etc/cont-init.d',
  finish: '/etc/cont-finish.d',
  legacy: '/etc/services.d',
  attributes: '/etc/fix-attrs.d',
} as const;

/** The service that CMD is: in capitals, so that no image has one of that name. */
export const COMMAND = 'CMD';

/** The bundle that is brought up. */
export const TOP = 'top';

export type Overlay = {
  readonly settings: OverlaySettings;
  /** The program that svoverlay is a name of. */
  readonly self: string;
  /** Variables that it needs itself. */
  readonly own: Readonly<Record<string, string>>;
  /** Which of the places in `OVERLAY` there are. */
  readonly there: ReadonlySet<string>;
  /** Whether there are clients of s6 that would look for services in /run/service. */
  readonly hasClients: boolean;
  /** What was given in place of CMD; null: nothing. */
  readonly command: readonly string[] | null;
  readonly cwd: string;
  /** What of the image has no effect, or could not be prepared. */
  readonly notices: readonly string[];
};

/**
 * CMD stands behind `/init` without `--`. What begins with a word that is no option is a command;
 * anything else is what svinit is always given.
 */
export function commandBehind(given: readonly string[]): readonly string[] {
  const first = given[0];
  return first === undefined || first.startsWith('-') ? given : ['--', ...given];
}

/** A bundle that another place has too: one of the two kinds of a `user` bundle. */
export function isUserBundle(name: string): boolean {
  return USER_BUNDLES.includes(name);
}

/** A directory below user-bundles.d is a bundle, whether it says so or not. */
export function asBundle(texts: DirectoryTexts): DirectoryTexts {
  if (texts.files.has('type')) return texts;
  const type = { text: 'bundle\n', executable: false };
  return { ...texts, files: new Map([...texts.files, ['type', type]]) };
}

/**
 * What was found, as s6-overlay would have it: members of the two user bundles from both places,
 * the services of services.d behind base and user, and what is missing of the rest.
 * @param bundles The bundles of user-bundles.d.
 */
export function overlaySpecs(
  overlay: Overlay,
  found: readonly Spec[],
  bundles: readonly Spec[],
): readonly Spec[] {
  const { settings } = overlay;
  const isLegacy = ({ directory }: Spec): boolean => directory.startsWith(`${OVERLAY.legacy}/`);
  const own = found.map((spec) => {
    if (isLegacy(spec)) return legacyService(spec, settings);
    return isUserBundle(spec.name) ? joined(spec, bundles) : spec;
  });
  const legacy = found.filter(isLegacy).map(({ name }) => name);
  const all = [...bundles, ...provided(overlay, legacy)];
  const names = new Set(own.map(({ name }) => name));
  const missing = all.filter(({ name }) => !names.has(name) && names.add(name) !== undefined);
  return [...own, ...missing];
}

/** A notice when a user bundle is where s6-overlay had it before 3.2.3.2. */
export function overlayNotices(found: readonly Spec[]): readonly string[] {
  return found.flatMap(({ name, directory, contents }) => {
    if (!isUserBundle(name) || contents.length === 0) return [];
    if (directory !== `${OVERLAY.sources}/${name}`) return [];
    return [`${name} has members in ${directory}; since 3.2.3.2 they belong in ${OVERLAY.bundles}`];
  });
}

const USER_BUNDLES: readonly string[] = ['user', 'user2'];
const BEFORE_LEGACY: readonly string[] = ['base', 'user'];

function joined(spec: Spec, bundles: readonly Spec[]): Spec {
  const other = bundles.find(({ name }) => name === spec.name)?.contents ?? [];
  return { ...spec, contents: [...new Set([...spec.contents, ...other])].sort() };
}

/** As the copy of it that s6-overlay makes and supervises once `user` is up. */
function legacyService(spec: Spec, { servicesWithin }: OverlaySettings): Spec {
  return {
    ...spec,
    needs: [...new Set([...spec.needs, ...BEFORE_LEGACY])],
    initially: spec.initially === 'down' ? 'down' : 'target',
    stopWithin: spec.stopWithin ?? servicesWithin,
  };
}

/** What s6-overlay brings along itself: nothing of its own files is needed. */
function provided(overlay: Overlay, legacy: readonly string[]): Spec[] {
  return [
    bundle(TOP, ['base', 'user', 'legacy-services', 'user2']),
    bundle('base', ['fix-attrs', 'legacy-cont-init']),
    ...USER_BUNDLES.map((name) => bundle(name, [])),
    bundle('legacy-services', legacy),
    oneshot(overlay, 'fix-attrs', 'fix-attrs', OVERLAY.attributes),
    {
      ...oneshot(overlay, 'legacy-cont-init', 'cont-init', OVERLAY.init),
      needs: ['fix-attrs'],
      down: program(overlay, 'cont-finish', OVERLAY.finish),
    },
    ...gate(overlay),
    ...command(overlay),
    ...views(overlay),
  ];
}

/**
 * The command waits for an end of this one where the wait has an end, or where a failure before it
 * is to be told of.
 */
export const GATE = 's6-stage2';
const needsGate = ({ onFailure, waitWithin }: OverlaySettings): boolean =>
  onFailure !== 'ignore' || waitWithin !== null;

function gate(overlay: Overlay): Spec[] {
  if (!needsGate(overlay.settings)) return [];
  return [{ ...oneshot(overlay, GATE, 'stage2', null), initially: 'up' }];
}

function command({ settings, command: given, cwd }: Overlay): Spec[] {
  if (given === null) return [];
  const { awaitLegacy, prefix, waitWithin } = settings;
  const spec = mainSpec([...prefix, ...given], cwd);
  const services = ['base', 'user', 'user2', ...(awaitLegacy ? ['legacy-services'] : [])];
  const after = [...(waitWithin === null ? services : []), ...(needsGate(settings) ? [GATE] : [])];
  return [{ ...spec, name: COMMAND, after, outlet: 'given' }];
}

function views({ self, own, hasClients }: Overlay): Spec[] {
  if (!hasClients) return [];
  const spec = plainSpec({
    name: 'views',
    description: 'services as s6 and runit would show them: /run/service, and /run/sv for sv',
    start: { path: self, argv: ['svviews', '--ready-fd=3'] },
    env: own,
    ready: { by: 'fd', fd: 3 },
    early: true,
    stopWithin: ms(5000),
  });
  return [spec];
}

function bundle(name: string, contents: readonly string[]): Spec {
  const description = 'as s6-overlay has it';
  return plainSpec({
    name,
    description,
    start: null,
    type: 'bundle',
    initially: 'target',
    contents,
  });
}

/** One that has no `place` to look at is done at once. */
function oneshot(overlay: Overlay, name: string, word: string, place: string | null): Spec {
  const start = program(overlay, word, place);
  const description = `svoverlay ${word}, as s6-overlay has it`;
  const spec = plainSpec({ name, description, start, type: 'oneshot', initially: 'target' });
  return { ...spec, env: overlay.own, restart: { ...spec.restart, when: 'never' } };
}

/** Null when there is no `place` for it to look at. */
function program({ self, there }: Overlay, word: string, place: string | null): Command | null {
  if (place !== null && !there.has(place)) return null;
  return { path: self, argv: ['svoverlay', word] };
}

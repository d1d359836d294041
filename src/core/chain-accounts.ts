/**
 * The part of the chain that makes a program run as another user, in other groups and with fewer
 * capabilities: what is looked up before, what is tried before, and the program that does it, which
 * comes last, for it gives away what the others need.
 */
import { word } from './chain-words.ts';
import type { Confinement } from './spec-confinement.ts';
import type { Privileges } from './spec-privileges.ts';

const SETPRIV = '/usr/bin/setpriv';
const CHROOT = '/usr/sbin/chroot';
const CHOWN = '/bin/chown';
const ID = '/usr/bin/id';
const TRUE = '/bin/true';

/** The ids that the last step needs, looked up where the service runs. */
export function lookUpSteps(privileges: Privileges, { chroot }: Confinement): string[] {
  const { user, group } = privileges;
  const own = `${ID} -g -- ${word(user ?? '')}`;
  return [
    ...(user === undefined ? [] : userSteps(user)),
    ...(user === undefined || group !== undefined ? [] : [looked('gid', 'user', own)]),
    ...(chroot === undefined ? [] : numberSteps(privileges)),
  ];
}

/**
 * What it prints to is its own, so that it may open /dev/stdout; where that cannot be had it does
 * without. A terminal is not for us to give away.
 */
function userSteps(user: string): string[] {
  return [
    isNumber(user) ? `svinit_uid=${user}` : looked('uid', 'user', `${ID} -u -- ${word(user)}`),
    `[ ! -p /proc/self/fd/2 ] ||`,
    `  ${CHOWN} "$svinit_uid" /proc/self/fd/1 /proc/self/fd/3 3>&2 2> /dev/null`,
  ];
}

/** Numbers, because names may stand for others in another root. */
function numberSteps({ user, group, groups }: Privileges): string[] {
  const commas = 'svinit_groups=$(set -- $svinit_groups; IFS=,; echo "$*")';
  const gid = `${SETPRIV} --regid=${group} --clear-groups -- ${ID} -g`;
  const some = `${SETPRIV} --regid="\${svinit_gid:-0}" --groups=${groups?.join(',')} -- ${ID} -G`;
  return [
    'svinit_groups=',
    ...(group === undefined ? [] : [looked('gid', 'group', gid)]),
    ...(groups === undefined || groups.length === 0
      ? []
      : // The first is the own one.
        [
          looked('groups', 'groups', some),
          'svinit_groups=$(set -- $svinit_groups; shift; echo "$*")',
          commas,
        ]),
    ...(groups !== undefined || user === undefined || isNumber(user)
      ? []
      : [looked('groups', 'user', `${ID} -G -- ${word(user)}`), commas]),
  ];
}

/** A variable with what a program says, unless that fails. */
const looked = (variable: string, key: string, program: string): string =>
  `svinit_${variable}=$(${program} 2>&1) || fail "${key}: $svinit_${variable}"`;

/**
 * What only the last program does is done once by a process of its own, since nobody is left to
 * tell which key it was when that one fails.
 */
export function checkSteps(privileges: Privileges, { chroot }: Confinement): string[] {
  if (chroot !== undefined) {
    return [`[ -d ${word(chroot)} ] || fail ${word(`chroot: there is no directory ${chroot}`)}`];
  }
  const parts = setprivParts(privileges);
  // That alone is never refused.
  if (parts.every(([key]) => key === 'noNewPrivileges')) return [];
  const tried = (words: readonly string[]): string => [SETPRIV, ...words, '--', TRUE].join(' ');
  const all = parts.flatMap(([, words]) => words);
  return [
    `${tried(all)} 2> /dev/null || {`,
    ...parts.map(([key, words]) => `  try ${key} ${tried(withGroups(key, words))}`),
    `  try '${parts.map(([key]) => key).join(', ')}' ${tried(all)}`,
    '}',
  ];
}

/** setpriv(1) changes the group only when it is told what becomes of the others. */
const withGroups = (key: string, words: readonly string[]): readonly string[] =>
  key === 'group' || key === 'user' ? ['--clear-groups', ...words.filter(isNoGroups)] : words;

const isNoGroups = (option: string): boolean => !/^--(?:init|clear|keep)-groups$/.test(option);

/** What the shell becomes in the end, in front of the program. */
export function lastWords(privileges: Privileges, { chroot }: Confinement): string[] {
  if (chroot === undefined) {
    const words = setprivParts(privileges).flatMap(([, own]) => own);
    return words.length === 0 ? [] : [SETPRIV, ...words, '--'];
  }
  const { user, group, groups, noNewPrivileges } = privileges;
  const hasIds = user !== undefined || group !== undefined;
  const uid = user === undefined ? '' : '+"$svinit_uid"';
  const ids = [
    ...(hasIds ? [`--userspec=${uid}:+"$svinit_gid"`] : []),
    ...(hasIds || groups !== undefined ? ['--groups="$svinit_groups"'] : []),
  ];
  return [
    ...(noNewPrivileges === true ? [SETPRIV, '--no-new-privs', '--'] : []),
    ...[CHROOT, ...ids, word(chroot)],
  ];
}

/** The options of setpriv(1), by the key that asks for them. */
function setprivParts(privileges: Privileges): (readonly [string, readonly string[]])[] {
  const { user, group, groups, capabilities, noNewPrivileges } = privileges;
  return [
    ...(user === undefined ? [] : [['user', userWords(user, group, groups)] as const]),
    ...(group === undefined ? [] : [['group', groupWords(group, user, groups)] as const]),
    ...(groups === undefined ? [] : [['groups', groupsWords(groups)] as const]),
    ...(capabilities === undefined
      ? []
      : [['capabilities', capabilityWords(user, capabilities)] as const]),
    ...(noNewPrivileges === true ? [['noNewPrivileges', ['--no-new-privs']] as const] : []),
  ];
}

/** A number need not be in the list of users. */
function userWords(
  user: string,
  group: string | undefined,
  groups: readonly string[] | undefined,
): string[] {
  return [
    `--reuid=${user}`,
    ...(group === undefined ? ['--regid="$svinit_gid"'] : []),
    ...(groups !== undefined ? [] : [isNumber(user) ? '--clear-groups' : '--init-groups']),
  ];
}

/** Whoever keeps the user keeps the groups. */
function groupWords(
  group: string,
  user: string | undefined,
  groups: readonly string[] | undefined,
): string[] {
  const keep = user === undefined && groups === undefined ? ['--keep-groups'] : [];
  return [`--regid=${group}`, ...keep];
}

const groupsWords = (groups: readonly string[]): string[] =>
  groups.length === 0 ? ['--clear-groups'] : [`--groups=${groups.join(',')}`];

/** root has what it may have; others only what is handed to them. */
function capabilityWords(user: string | undefined, capabilities: readonly string[]): string[] {
  const all = ['-all', ...capabilities.map((name) => `+${name}`)].join(',');
  const isRoot = user === undefined || user === 'root' || user === '0';
  return [
    `--inh-caps=${all}`,
    ...(isRoot ? [] : [`--ambient-caps=${all}`]),
    `--bounding-set=${all}`,
  ];
}

const isNumber = (account: string): boolean => /^[0-9]+$/.test(account);

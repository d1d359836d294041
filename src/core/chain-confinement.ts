/**
 * The part of the chain that changes what a program sees of the filesystem, in a mount namespace of
 * its own: what is made read-only, and an empty /tmp.
 */
import { BASICS, marked, shell } from './chain-words.ts';
import type { Confinement } from './spec-confinement.ts';

const UNSHARE = '/usr/bin/unshare';
const MOUNT = '/bin/mount';
const READLINK = '/bin/readlink';
const TRUE = '/bin/true';

/** What is mounted, by who is in that namespace already. */
export function mountSteps({ privateTmp, readOnlyPaths = [] }: Confinement): string[] {
  const tmpfs = (path: string): string =>
    `try privateTmp ${MOUNT} -t tmpfs -o mode=1777,nosuid,nodev svinit ${path}`;
  return [
    ...(readOnlyPaths.length === 0 ? [] : [READONLY_PATH]),
    ...readOnlyPaths.map((path) => marked(path, (quoted) => `readonly_path ${quoted}`)),
    // A link is to the other one, or to where it does not matter.
    ...(privateTmp === true
      ? [tmpfs('/tmp'), `[ ! -d /var/tmp ] || [ -L /var/tmp ] || ${tmpfs('/var/tmp')}`]
      : []),
  ];
}

/**
 * What comes behind it has a mount namespace, in which others' mounts still show up. It is tried
 * before, since nobody would be left to tell of a failure.
 */
export function namespaceWords({ privateTmp, readOnlyPaths }: Confinement): string[] {
  if (privateTmp !== true && readOnlyPaths === undefined) return [];
  const words = [UNSHARE, '-m', '--propagation', 'slave'];
  const key = privateTmp === true ? 'privateTmp' : 'readOnlyPaths';
  return [...shell([...BASICS, `try ${key} ${words.join(' ')} ${TRUE}`, 'exec "$@"']), ...words];
}

/**
 * `readonly_path PATH` makes it and all that is mounted below it read-only, in the mount namespace
 * this runs in; what else such a mount forbids stays forbidden (proc_pid_mountinfo(5): the fifth
 * word is where it is, with blanks as octal numbers, the sixth what it forbids).
 */
const READONLY_PATH = `is_mount() {
  while read -r _ _ _ _ svinit_at _; do
    [ "$(printf %b "$svinit_at")" = "$1" ] && return 0
  done < /proc/self/mountinfo
  return 1
}
readonly_path() {
  [ -e "$1" ] || fail "readOnlyPaths: there is no $1"
  svinit_path=$(${READLINK} -f -- "$1") || fail "readOnlyPaths: cannot find $1"
  is_mount "$svinit_path" ||
    try readOnlyPaths ${MOUNT} -o rbind "$svinit_path" "$svinit_path"
  svinit_mounts=$(while read -r _ _ _ _ svinit_at svinit_how _; do
    printf '%s %s\\n' "$svinit_at" "$svinit_how"
  done < /proc/self/mountinfo)
  while read -r svinit_at svinit_forbids; do
    svinit_at=$(printf %b "$svinit_at")
    case \${svinit_at%/}/ in "\${svinit_path%/}"/*) ;; *) continue ;; esac
    [ -e "$svinit_at" ] || continue
    svinit_how=remount,bind,ro
    for svinit_flag in nosuid nodev noexec noatime nodiratime relatime; do
      case ,$svinit_forbids, in *,$svinit_flag,*) svinit_how=$svinit_how,$svinit_flag ;; esac
    done
    try readOnlyPaths ${MOUNT} -o "$svinit_how" none "$svinit_at"
  done <<END
$svinit_mounts
END
}`;

/**
 * The chain of programs by which a service comes to run as whom and with what it shall: each does
 * one thing and execs the next. Pure, so that every start is the same. When one of them cannot do
 * its part it ends, and the service does not run: never with more than was asked for.
 */
import type { Privileges } from './spec-privileges.ts';

/** Where Debian and our image have them; a root must have those that it uses there too. */
const SETPRIV = '/usr/bin/setpriv';
const PRLIMIT = '/usr/bin/prlimit';
const NICE = '/usr/bin/nice';
const SHELL = '/bin/sh';
/** 111 is what such chains end with when they fail for a moment (s6, daemontools). */
const FAILED = 111;

/** What is put in front of the path and arguments of a program; empty: nothing is needed. */
export function chainOf(privileges: Privileges): string[] {
  const { limits = {}, user, group } = privileges;
  const options = Object.entries(limits).map(([name, value]) => `--${name}=${value}`);
  const setpriv = setprivOptions(privileges);
  const steps = [
    ...(privileges.oomScoreAdjust === undefined
      ? []
      : [`echo ${privileges.oomScoreAdjust} > /proc/self/oom_score_adj || exit ${FAILED}`]),
    // The user's own group is looked up where the service runs.
    ...(user === undefined || group !== undefined
      ? []
      : [`group=$(id -g -- '${user}') || exit ${FAILED}`]),
  ];
  const ownGroup = user === undefined || group !== undefined ? [] : ['--regid="$group"'];
  const words = [
    ...(options.length === 0 ? [] : [PRLIMIT, ...options, '--']),
    ...(privileges.nice === undefined ? [] : [NICE, '-n', String(privileges.nice)]),
    ...(setpriv.length === 0 ? [] : [SETPRIV, ...ownGroup, ...setpriv, '--']),
  ];
  if (steps.length === 0) return words;
  return [SHELL, '-c', [...steps, `exec ${[...words, '"$@"'].join(' ')}`].join('; '), 'svinit'];
}

/** setpriv(1); what comes last, for it gives away what the others need. */
function setprivOptions(privileges: Privileges): string[] {
  const { user, group, groups, capabilities, noNewPrivileges } = privileges;
  const caps = capabilities?.map((name) => `+${name}`);
  const all = caps === undefined ? null : ['-all', ...caps].join(',');
  // root has what it may have; others only what is handed to them.
  const isRoot = user === undefined || user === 'root' || user === '0';
  return [
    ...(user === undefined ? [] : [`--reuid=${user}`]),
    ...(group === undefined ? [] : [`--regid=${group}`]),
    ...groupOptions(user, groups),
    ...(all === null ? [] : [`--inh-caps=${all}`]),
    ...(all === null || isRoot ? [] : [`--ambient-caps=${all}`]),
    ...(all === null ? [] : [`--bounding-set=${all}`]),
    ...(noNewPrivileges === true ? ['--no-new-privs'] : []),
  ];
}

function groupOptions(user: string | undefined, groups: readonly string[] | undefined): string[] {
  if (groups !== undefined) {
    return groups.length === 0 ? ['--clear-groups'] : [`--groups=${groups.join(',')}`];
  }
  if (user === undefined) return [];
  // A number need not be in the list of users.
  return /^[0-9]+$/.test(user) ? ['--clear-groups'] : ['--init-groups'];
}

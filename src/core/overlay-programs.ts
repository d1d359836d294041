/**
 * The programs of s6-overlay that definitions name in their first line or call, as shell scripts:
 * one is started with nearly every service, and a shell is there before a runtime is. Texts only.
 */

/**
 * Where the environment of the container is. A container whose /run cannot be written has it in
 * svinit's own directory.
 */
const DIRECTORY = `dir=/run/s6/container_environment
[ -d "$dir" ] || dir=\${SVINIT_RUN:-/run/svinit}/s6/container_environment
`;

/** What each program is called, and its text; the kernel runs one script through another. */
export const OVERLAY_PROGRAMS: ReadonlyMap<string, string> = new Map([
  ['with-contenv', withContenv()],
  ['printcontenv', printContenv()],
  ['logutil-service', logutilService()],
  ['with-retries', withRetries()],
]);

/**
 * Files as s6-envdir(1) reads them with -f: a newline at the end is no part of the value, and an
 * empty file is no variable. Without a process for each of them: \`read\` is the shell's own. What
 * svinit itself has for a service is kept (NOTIFY_SOCKET of sd_notify(3), SVINIT_RUN).
 */
function withContenv(): string {
  return `#!/bin/sh
# with-contenv PROGRAM [ARGUMENT...]: runs PROGRAM with the environment of the container.
[ $# -gt 0 ] || { echo 'usage: with-contenv PROGRAM [ARGUMENT...]' >&2; exit 100; }
case \${S6_KEEP_ENV:-0} in 0) ;; *) exec "$@" ;; esac
${DIRECTORY}[ -r "$dir" ] && [ -x "$dir" ] || {
  echo "with-contenv: cannot read $dir; it belongs to the user that svinit runs as" >&2
  exit 111
}
nl='
'
for file in "$dir"/*; do
  [ -f "$file" ] || continue
  value= line=
  while IFS= read -r line; do value=$value$line$nl; done <"$file"
  value=$value$line
  value=\${value%"$nl"}
  [ -z "$value" ] || set -- "\${file##*/}=$value" "$@"
done
for name in SVINIT_RUN SVINIT_LOG NOTIFY_SOCKET WATCHDOG_USEC LISTEN_FDS LISTEN_PID LISTEN_FDNAMES
do
  eval "value=\\\${$name-}"
  [ -z "$value" ] || set -- "$name=$value" "$@"
done
exec env -i PATH="$PATH" "$@"
`;
}

function printContenv(): string {
  return `#!/bin/sh
# printcontenv NAME: prints a variable of the environment of the container; 1 when it is not set.
[ $# -gt 0 ] || { echo 'printcontenv: fatal: too few arguments' >&2; exit 100; }
case \${S6_KEEP_ENV:-0} in 0) ;; *) eval "printf '%s\\n' \\"\\\${$1-}\\""; exit ;; esac
${DIRECTORY}exec cat "$dir/$1" 2>/dev/null
`;
}

/** Where there is no s6-log, svoverlay does what its directives n, s, t and T ask for. */
function logutilService(): string {
  return `#!/bin/sh
# logutil-service [-f FIFO] DIRECTORY: stores what it reads in DIRECTORY, as nobody, as s6-log does.
fifo=
while getopts f: option; do case $option in f) fifo=$OPTARG ;; *) exit 100 ;; esac; done
shift $((OPTIND - 1))
[ $# -gt 0 ] || { echo 'usage: logutil-service [-f FIFO] DIRECTORY' >&2; exit 100; }
script=$("\${0%/*}/printcontenv" S6_LOGGING_SCRIPT) || script='n20 s1000000 T'
[ -z "$fifo" ] || exec <>"$fifo"
set -f
drop=
if [ "$(id -u)" = 0 ]; then
  if command -v s6-setuidgid >/dev/null; then drop='s6-setuidgid nobody'
  else drop='setpriv --reuid=65534 --regid=65534 --clear-groups'
  fi
  # Without the capability for it, or such a program, it stays who it is.
  $drop true 2>/dev/null || drop=
fi
log='s6-log -b --'
command -v s6-log >/dev/null || log='svoverlay log'
# In this order: busybox's env would take a setpriv of its own.
exec $drop env -i PATH="$PATH" $log $script "$1"
`;
}

function withRetries(): string {
  return `#!/bin/sh
# with-retries [-n TRIES] [-t MILLISECONDS] PROGRAM [ARGUMENT...]: runs PROGRAM until it succeeds,
# each time for so long at most (whole seconds: timeout(1)).
n=3 t=500
while getopts n:t: option; do
  case $option in n) n=$OPTARG ;; t) t=$OPTARG ;; *) exit 100 ;; esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || { echo 'usage: with-retries [-n TRIES] [-t MILLISECONDS] PROGRAM' >&2; exit 100; }
code=1
while [ "$n" -gt 0 ]; do
  n=$((n - 1))
  timeout $(((t + 999) / 1000)) "$@" && exit
  code=$?
done
exit "$code"
`;
}

/**
 * Words of the shell that stands in front of a service: the functions its script is made of, and
 * how a value gets into it. POSIX sh, which is dash in Debian and ash in our image.
 */

/** Where Debian and our image have it; a root must have it there too. */
export const SHELL = '/bin/sh';
/** What such chains end with when they cannot do their part (s6, daemontools). */
const FAILED = 111;

/** As one word of the shell, whatever is in it. */
export const word = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** A step with the path that is marked by a `-` when nothing need be there. */
export function marked(path: string, step: (path: string) => string): string {
  const isOptional = path.startsWith('-');
  const quoted = word(isOptional ? path.slice(1) : path);
  return isOptional ? `[ ! -e ${quoted} ] || ${step(quoted)}` : step(quoted);
}

/** The arguments by which `script` runs in front of what comes behind them. */
export const shell = (script: readonly string[]): string[] => [
  ...[SHELL, '-c', script.join('\n'), 'svinit'],
];

/**
 * `fail WORDS` ends it and says why; `try KEY PROGRAM...` does that with what the program says when
 * it fails. Nothing is expanded but what the script asks for.
 */
export const BASICS: readonly string[] = [
  'set -f',
  `fail() { printf 'svinit: not started: %s\\n' "$(echo $1)" >&2; exit ${FAILED}; }`,
  'try() { svinit_key=$1; shift; svinit_said=$("$@" 2>&1) || fail "$svinit_key: $svinit_said"; }',
];

/**
 * `envfile FILE` adds the lines `NAME=value` of a file to the environment. It must be a regular
 * file: others could block for ever. Quotes around a whole value are taken away; nothing else in it
 * has a meaning.
 */
export const ENVFILE: string = `envfile() {
  [ -f "$1" ] && [ -r "$1" ] || fail "envFile: expected a file that can be read, found $1"
  svinit_n=0
  while IFS= read -r svinit_line || [ -n "$svinit_line" ]; do
    svinit_n=$((svinit_n + 1))
    svinit_line=\${svinit_line#"\${svinit_line%%[! \t]*}"}
    svinit_line=\${svinit_line%"\${svinit_line##*[! \t\r]}"}
    case $svinit_line in '' | '#'* | ';'*) continue ;; esac
    svinit_name=\${svinit_line%%=*} svinit_value=\${svinit_line#*=}
    case $svinit_line in *=*) ;; *) svinit_name= ;; esac
    case $svinit_name in
    '' | [0-9]* | *[!A-Za-z0-9_]* | svinit_*)
      fail "envFile: $1:$svinit_n: expected NAME=value" ;;
    esac
    case $svinit_value in
    '"'*'"' | "'"*"'") svinit_value=\${svinit_value#?} svinit_value=\${svinit_value%?} ;;
    '"'* | "'"*) fail "envFile: $1:$svinit_n: expected a quote at the end of the line" ;;
    esac
    export "$svinit_name=$svinit_value"
  done < "$1" || fail "envFile: cannot read $1"
}`;

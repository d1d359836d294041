/**
 * Secrets out of text that is going to be read by others: a report of a boot that failed. What is a
 * secret is told by the name in front of it, as people name them; it knows no format.
 */
import { type KernelWord, splitKernelWords } from './kernel-words.ts';

export const REDACTED = '[redacted]';

/**
 * The words of a kernel command line, quoted anew, without the values of secrets. Of two words that
 * look the same here only one may have been quoted.
 */
export function redactCommandLine(text: string): string {
  const { words, rest } = splitKernelWords(text);
  const shown = words.map((word) => shownWord(word));
  return [
    ...shown,
    ...(rest.length === 0 ? [] : ['--', ...rest.map((word) => redactText(word))]),
  ].join(' ');
}

/**
 * What the command line `text` keeps secret, so that it can be taken out of everything else: the
 * kernel writes its command line into its log. Short values are left out, for they would take
 * ordinary words along, and what is as short is no secret.
 */
export function secretsOf(text: string): readonly string[] {
  const { words, rest } = splitKernelWords(text);
  const named = words.flatMap(({ key, value }) => (SECRET.test(key) ? [value ?? ''] : []));
  const embedded = [...words.map(({ value }) => value ?? ''), ...rest].flatMap(secretsIn);
  const long = [...named, ...embedded].filter((secret) => secret.length >= SECRET_MIN);
  // The longer first: one may be part of another.
  return [...new Set(long)].sort((a, b) => b.length - a.length);
}

/** The value of one word of a command line, or what stands in its place. */
export function redactValue(key: string, value: string, secrets: readonly string[] = []): string {
  return SECRET.test(key) ? REDACTED : redactText(value, secrets);
}

/** `text` without `NAME=VALUE` and passwords of addresses, and without any of `secrets`. */
export function redactText(text: string, secrets: readonly string[] = []): string {
  const without = secrets.reduce((left, secret) => left.replaceAll(secret, REDACTED), text);
  return without
    .replace(ADDRESS, (_, scheme: string) => `${scheme}${REDACTED}@`)
    .replace(ASSIGNED, (_, name: string, equals: string) => `${name}${equals}${REDACTED}`);
}

/** In any spelling: `rd.luks.key`, `svinit_token`, `PASSWORD`, `systemd.set_credential`. */
const SECRET = /pass|secret|token|key|credential/i;
/** `user:password@` of an address, RFC 3986 "Userinfo"; the slashes end it. */
const ADDRESS = /\b([a-z][a-z0-9+.-]{0,31}:\/\/)[^\s/?#"']{1,1024}@/gi;
const ASSIGNED =
  /([\w.-]{0,64}(?:pass|secret|token|key|credential)[\w.-]{0,64})(\s?=\s?)("[^"]*"?|[^\s,;&"]+)/gi;
const SECRET_MIN = 4;

function shownWord({ key, value }: KernelWord): string {
  if (value === null) return quotedIfNeeded(redactText(key));
  return quotedIfNeeded(`${key}=${redactValue(key, value)}`);
}

function quotedIfNeeded(word: string): string {
  return /\s/.test(word) ? `"${word}"` : word;
}

/** The secrets that stand inside of a value: options of a mount, addresses. */
function secretsIn(value: string): readonly string[] {
  const addresses = [...value.matchAll(ADDRESS)].map(([found, scheme]) =>
    found.slice((scheme ?? '').length, -1),
  );
  const assigned = [...value.matchAll(ASSIGNED)].map(([, , , secret]) => secret ?? '');
  const passwords = addresses.map((user) => user.slice(user.indexOf(':') + 1));
  return [...addresses, ...passwords, ...assigned.map((secret) => secret.replaceAll('"', ''))];
}

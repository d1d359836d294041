/**
 * Results to lines of text: the table of `ls`, the screen of `status`, and the small pieces other
 * verbs share. Pure; every text of a service passes `safe` here.
 */
import type { ScheduledView } from '../core/blockers.ts';
import type { Results, ServiceView } from '../core/methods.ts';
import type { ProbeOutcome } from '../core/probe.ts';
import type { Problem } from '../core/spec.ts';
import { durationWords } from '../core/units.ts';
import { type Cell, type Column, layout, shorten } from './table.ts';
import type { Style } from './terminal.ts';
import {
  byName,
  byUrgency,
  dash,
  ellipsis,
  glyphOf,
  paint,
  painterOf,
  safe,
  shortDuration,
  stateText,
} from './words.ts';

/** PID is the first to go on a narrow terminal, then from the right; NOTE is cut before. */
const COLUMNS: readonly Column[] = [
  { title: 'NAME', align: 'left', give: 'keep' },
  { title: 'STATE', align: 'left', give: 'keep' },
  { title: 'UP', align: 'left', give: 'drop' },
  { title: 'RESTARTS', align: 'right', give: 'drop' },
  { title: 'PID', align: 'right', give: 'extra' },
  { title: 'NOTE', align: 'left', give: 'cut' },
];

/** The order of the summary line. */
const COUNTED: readonly string[] = [
  'up',
  'starting',
  'waiting',
  'backoff',
  'failed',
  'stopping',
  'finishing',
  'down',
  'done',
];

/** The table, a summary, and what was refused. */
export function lsLines(result: Results['ls'], style: Style): string[] {
  const sorted = result.services.toSorted(byUrgency);
  const lines =
    sorted.length === 0 ? ['no services'] : [...tableLines(sorted, style), summary(sorted)];
  if (result.halting !== null) lines.push(`going down: ${safe(result.halting)}`);
  const problems = result.problems.toSorted((a, b) => byName(a.name, b.name));
  return [...lines, ...problems.map((problem) => paint(problemLine(problem), 'red', style))];
}

/** Everything about one service on one screen. */
export function statusLines(
  view: ServiceView,
  log: readonly string[],
  style: Style,
): readonly string[] {
  const title = `${glyphOf(view.state, style)} ${paint(safe(view.name), 'bold', style)}`;
  const about = view.description === '' ? '' : ` ${dash(style)} ${safe(view.description)}`;
  const state = painterOf(view.state, style)(stateText(view, style));
  const note = view.note === '' ? '' : ` (${safe(view.note)})`;
  const rows: readonly (readonly [string, string | null])[] = [
    ['state', `${state} for ${durationWords(view.forMs)}${note}`],
    ['why', safe(view.cause)],
    ['pid', view.pid === null ? null : String(view.pid)],
    ['restarts', String(view.restarts)],
    ...probeRows(view),
    ['last exit', exitText(view)],
    ['next try', view.nextTryMs === null ? null : `in ${durationWords(view.nextTryMs)}`],
    ['waiting for', names(view.waitingFor)],
    ['needs', names(view.needs)],
    ['needed by', names(view.neededBy)],
    ['prints to', view.printsTo === undefined ? null : safe(view.printsTo)],
    ['reads', names(view.readsFrom ?? [])],
    ['type', view.early ? `${safe(view.type)}, early` : safe(view.type)],
    ['defined in', definitionText(view)],
  ];
  return [
    title + about,
    ...rows.flatMap(([key, value]) => (value === null ? [] : [`  ${key.padEnd(11)}  ${value}`])),
    ...(log.length === 0 ? [] : ['  last lines', ...log.map((line) => logLine(line, style))]),
  ];
}

export function versionLines(result: Results['version']): string[] {
  const { version, runtime, pid, uptimeMs, target, image, halting, scheduled } = result;
  const down = halting === null ? '' : `, going down: ${safe(halting)}`;
  return [
    `svinit ${safe(version)} on ${safe(runtime)}, pid ${pid}, up for ${durationWords(uptimeMs)}`,
    `target ${safe(target)}, image ${image}${down}`,
    // An older svinit says nothing of it.
    ...(scheduled ? [scheduledLine(scheduled)] : []),
    ...(result.safe ? ['safe mode: svinit died too often, nothing is started or stopped'] : []),
  ];
}

/** `scheduled: reboot in 5 min (reboot by uid 0): new kernel`. */
export function scheduledLine({ kind, inMs, cause, message }: ScheduledView): string {
  const why = message === '' ? '' : `: ${message}`;
  return safe(`scheduled: ${kind} in ${durationWords(inMs)} (${cause})${why}`);
}

/** `refused: web: run:3: not executable`. */
export function problemLine({ name, file, line, reason }: Problem): string {
  const where = file === null ? '' : line === null ? ` ${file}:` : ` ${file}:${line}:`;
  return safe(`refused: ${name}:${where} ${reason}`);
}

/** `added: a, b`, or nothing when there are none. */
export function list(label: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [safe(`${label}: ${items.join(', ')}`)];
}

export function tableLines(services: readonly ServiceView[], style: Style): string[] {
  const rows = services.map((view): Cell[] => [
    // The glyph stands in front of the name, so that the eye finds it in the first column.
    { text: `${glyphOf(view.state, style)} ${safe(view.name)}` },
    { text: stateText(view, style), paint: painterOf(view.state, style) },
    { text: view.pid === null ? '' : shortDuration(view.forMs) },
    { text: String(view.restarts) },
    { text: view.pid === null ? '' : String(view.pid) },
    { text: safe(view.note) },
  ]);
  const [first = COLUMNS[0], ...others] = COLUMNS;
  const columns = first === undefined ? [] : [{ ...first, title: `  ${first.title}` }, ...others];
  const [titles = '', ...lines] = layout(columns, rows, style.columns, ellipsis(style));
  return [paint(titles, 'bold', style), ...lines];
}

/** `12 up, 1 backoff, 2 done`. */
function summary(services: readonly ServiceView[]): string {
  const counts = new Map<string, number>(COUNTED.map((state) => [state, 0]));
  for (const { state } of services) counts.set(state, (counts.get(state) ?? 0) + 1);
  const parts = [...counts].filter(([, count]) => count > 0);
  return parts.map(([state, count]) => `${count} ${safe(state)}`).join(', ');
}

/** What a probe of it was told last: `ready probe  ok: connected`. */
export function probeRows({ probes }: ServiceView): readonly (readonly [string, string])[] {
  return (['ready', 'alive'] as const).flatMap((kind): [string, string][] => {
    const outcome = probes?.[kind];
    if (outcome === undefined) return [];
    return [[`${kind} probe`, outcome === null ? 'no answer yet' : outcomeText(outcome)]];
  });
}

function outcomeText({ ok, detail }: ProbeOutcome): string {
  const word = ok === null ? 'not yet' : ok ? 'ok' : 'failed';
  return `${word}: ${safe(detail)}`;
}

function exitText({ lastExit, lastExitMs }: ServiceView): string | null {
  if (lastExit === null) return null;
  const when = lastExitMs === null ? '' : `, ${durationWords(lastExitMs)} ago`;
  return safe(lastExit) + when;
}

const names = (all: readonly string[]): string | null =>
  all.length === 0 ? null : all.map(safe).join(', ');

function definitionText({ name, directory, definition }: ServiceView): string {
  const place = safe(directory);
  if (definition === 'changed') return `${place} (changed since: svctl restart ${safe(name)})`;
  return definition === 'removed' ? `${place} (no longer there: svctl scan --prune)` : place;
}

function logLine(line: string, style: Style): string {
  const text = `    ${safe(line)}`;
  return style.columns === null ? text : shorten(text, style.columns, ellipsis(style));
}

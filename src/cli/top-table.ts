/**
 * The figures of `svctl top` as text: a table of rows, and the machine on one line. Pure; columns
 * have widths of their own, so that a figure that changes moves nothing beside it.
 */
import { type Pressure, shortBytes, worst } from '../core/figures.ts';
import type { Figures, MachineFigures } from './gauge.ts';
import { type Cell, type Column, layout } from './table.ts';
import type { Style } from './terminal.ts';
import type { Row } from './top-rows.ts';
import { ellipsis, glyphOf, paint, painterOf, safe, shortDuration, stateText } from './words.ts';

/** PID is the first to go on a narrow terminal, then from the right. */
const COLUMNS: readonly Column[] = [
  { title: '  NAME', align: 'left', give: 'keep' },
  { title: 'STATE', align: 'left', give: 'keep' },
  { title: 'UP    ', align: 'left', give: 'drop' },
  { title: ' CPU%', align: 'right', give: 'drop' },
  { title: ' MEM', align: 'right', give: 'drop' },
  { title: 'TASKS', align: 'right', give: 'drop' },
  { title: '  PSI', align: 'right', give: 'drop' },
  { title: 'RST', align: 'right', give: 'drop' },
  { title: 'PID', align: 'right', give: 'extra' },
  { title: 'NOTE', align: 'left', give: 'cut' },
];

/** The head of the table, then a line for each row. */
export function topLines(rows: readonly Row[], style: Style): string[] {
  const cells = rows.map((row) => cellsOf(row, style));
  const [titles = '', ...lines] = layout(COLUMNS, cells, style.columns, ellipsis(style));
  return [paint(titles, 'bold', style), ...lines];
}

/** `cpu 3%  mem 81M of 481M  tasks 96  load 0.20  psi cpu 0.0 mem 0.0 io 1.2`. */
export function machineLine(machine: MachineFigures): string {
  const { cpuPercent, memory, load, pressure } = machine;
  return [
    `cpu ${cpuPercent === null ? '-' : `${Math.round(cpuPercent)}%`}`,
    ...(memory === null ? [] : [`mem ${shortBytes(memory.used)} of ${shortBytes(memory.total)}`]),
    ...(load === null ? [] : [`tasks ${load.tasks}`, `load ${load.load.toFixed(2)}`]),
    pressureText(pressure),
  ].join('  ');
}

function pressureText({ cpu, memory, io }: Pressure): string {
  if (cpu === null && memory === null && io === null) return 'psi -';
  const of = (percent: number | null): string => percent?.toFixed(1) ?? '-';
  return `psi cpu ${of(cpu)} mem ${of(memory)} io ${of(io)}`;
}

function cellsOf({ name, depth, view, figures }: Row, style: Style): Cell[] {
  const indent = '  '.repeat(Math.min(depth, DEPTH_MAX));
  if (view === null) {
    const cell = { text: `${indent}/ ${safe(name)}` };
    return [cell, { text: 'slice' }, { text: '' }, ...figureCells(figures)];
  }
  return [
    { text: `${indent}${glyphOf(view.state, style)} ${safe(name)}` },
    { text: stateText(view, style), paint: painterOf(view.state, style) },
    { text: view.pid === null ? '' : shortDuration(view.forMs) },
    ...figureCells(figures),
    { text: String(view.restarts) },
    { text: view.pid === null ? '' : String(view.pid) },
    { text: safe(view.note) },
  ];
}

/** A tree that is deeper is drawn no further to the right. */
const DEPTH_MAX = 8;

/** What would be shown as 0.0. */
const PERCENT_MIN = 0.05;

function figureCells(figures: Figures | null): Cell[] {
  if (figures === null) return ['', '', '', ''].map((text) => ({ text }));
  const { cpuPercent, memoryBytes, tasks, pressure } = figures;
  const most = worst(pressure);
  return [
    cpuPercent === null ? '-' : cpuPercent.toFixed(1),
    memoryBytes === null ? '-' : shortBytes(memoryBytes),
    tasks === null ? '-' : String(tasks),
    most === null
      ? '-'
      : most.percent < PERCENT_MIN
        ? '0'
        : `${most.kind}${most.percent.toFixed(1)}`,
  ].map((text) => ({ text }));
}

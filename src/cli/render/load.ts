import type { LoadDocument, LoadFigure } from '../../control/documents.ts'
import type { Style } from './style.ts'
import { table } from './table.ts'
import { duration, figure } from './units.ts'

const KB_PER_MB = 1024

/** Each figure as average → forecast (normalised), then the non-select value by the type of the failed server. */
export function renderLoad(document: LoadDocument, style: Style): string {
  const columns = [{ title: 'HOST' }, { title: 'VM', right: true }, { title: 'MEMORY MB', right: true }, { title: 'CPU IDLE %', right: true }, { title: 'NETWORK KB/S', right: true }, { title: 'CPU', right: true }, { title: 'NETWORK', right: true }, { title: 'CPU_NET', right: true }, { title: 'AGE', right: true }]
  const rows = document.hosts.map(host => [
    host.name, String(host.virtual_servers),
    loadText(host.memory, KB_PER_MB, 0), loadText(host.cpu, 1, 1), loadText(host.network, 1, 0),
    figure(host.non_select.CPU, 1), figure(host.non_select.NETWORK, 1), figure(host.non_select.CPU_NET, 1), duration(host.age_ms),
  ])
  return `${[
    style('faint', `as seen by ${document.host} at ${document.at}: average → forecast (normalised, 0 best); then non-select values, lower is chosen`),
    '', ...table(columns, rows, style),
  ].join('\n')}\n`
}

function loadText(load: LoadFigure, per: number, digits: number): string {
  const scaled = (value: number | null) => value === null ? null : value / per
  return `${figure(scaled(load.average), digits)} → ${figure(scaled(load.forecast), digits)} (${figure(load.normalised, 0)})`
}

import type { Incident, IncidentsDocument } from '../../control/documents.ts'
import type { Style, Tone } from './style.ts'
import { table, type Cell } from './table.ts'
import { seconds } from './units.ts'

const LOCAL = 'the shared area does not answer: these are the records of this host only'

/** The list: measured beside predicted, in seconds, newest first. The number is what `incidents N` takes. */
export function renderIncidents(document: IncidentsDocument, style: Style): string {
  const columns = [{ title: 'N', right: true }, { title: 'DETECTED' }, { title: 'TARGET' }, { title: 'TROUBLE' }, { title: 'MANAGER' }, { title: 'CHOSEN' }, { title: 'FUNCTION S', right: true }, { title: 'TARGET S', right: true }, { title: 'OUTCOME' }, { title: 'ID' }]
  const rows = document.incidents.map((incident, index): Cell[] => [
    String(index + 1), incident.detected, incident.target, incident.trouble ?? '-', incident.manager, incident.chosen_host ?? '-',
    measured(incident, 'function_ms'), measured(incident, 'target_ms'), { text: outcomeText(incident), tone: outcomeTone(incident) }, incident.id,
  ])
  const lines = document.source === 'local' ? [style('warning', LOCAL), ''] : []
  lines.push(...rows.length === 0 ? ['no incidents'] : table(columns, rows, style))
  if (document.availability.length > 0) lines.push('', ...availabilityTable(document, style))
  return `${lines.join('\n')}\n`
}

/** One incident: what was decided and why, and every stage with its time. */
export function renderIncident(incident: Incident, style: Style): string {
  const head = [
    `${style('title', incident.id)}  ${style(outcomeTone(incident), outcomeText(incident))}`,
    `${incident.trouble ?? 'trouble not yet known'} of ${incident.target}, detected ${incident.detected}, managed by ${incident.manager}`,
    ...incident.successor ? [`goes on as ${incident.successor.incident}`] : [],
    '', 'Seconds    measured  predicted',
    ...(['function_ms', 'target_ms'] as const).map(key => `${key.slice(0, -3).padEnd(9)}  ${seconds(incident[key]).padStart(8)}  ${seconds(incident.predicted[key]).padStart(9)}`),
    `client     ${'-'.padStart(8)}  ${seconds(incident.predicted.client_ms).padStart(9)}`,
  ]
  const candidates = incident.candidates.map((candidate): Cell[] => [
    candidate.host === incident.chosen_host ? { text: candidate.host, tone: 'good' } : candidate.host,
    candidate.value === null ? '-' : candidate.value.toFixed(1), candidate.reason,
  ])
  const stages = incident.stages.map(stage => [seconds(stage.after_ms), stage.at, stage.host ?? '-', stage.name, stage.text ?? ''])
  const lines = [...head]
  if (candidates.length > 0) lines.push('', ...table([{ title: 'CANDIDATE' }, { title: 'VALUE', right: true }, { title: 'REASON' }], candidates, style))
  lines.push('', ...table([{ title: 'AFTER S', right: true }, { title: 'AT' }, { title: 'HOST' }, { title: 'STAGE' }, { title: '' }], stages, style))
  return `${lines.join('\n')}\n`
}

function measured(incident: Incident, key: 'function_ms' | 'target_ms'): string {
  const predicted = incident.predicted[key]
  return predicted === null ? seconds(incident[key]) : `${seconds(incident[key])} (${seconds(predicted)})`
}

function outcomeText({ outcome, successor }: Incident): string {
  return successor ? `${outcome} to ${successor.manager}` : outcome
}

function outcomeTone(incident: Incident): Tone {
  if (incident.outcome === 'open') return 'warning'
  return incident.outcome === 'down' ? 'bad' : 'good'
}

function availabilityTable({ availability }: IncidentsDocument, style: Style): string[] {
  const columns = [{ title: 'AVAILABILITY OF' }, { title: 'DAYS', right: true }, { title: 'INCIDENTS', right: true }, { title: 'CONVENTIONAL %', right: true }, { title: 'IMPROVED %', right: true }, { title: 'GAIN %', right: true }]
  const percent = (part: number) => (part * 100).toFixed(4)
  const day_ms = 24 * 60 * 60 * 1_000
  return table(columns, availability.map(row => [row.target, (row.window_ms / day_ms).toFixed(0), String(row.incidents), percent(row.conventional), percent(row.improved), row.improvement_percent.toFixed(4)]), style)
}

/** The end of the story: this run beside the thesis and our own prediction, and what speaks against success. Pure. */
import type { Cut } from '../laboratory/client.ts'
import { table, type Cell } from '../../src/cli/render/table.ts'
import type { Style } from '../../src/cli/render/style.ts'
import { CLIENT_EVERY_MS, TARGET, type Findings } from './scene.ts'

/** Thesis table 5.9, trouble Nt2 (target shut down), target FTP: means of ten runs, predictions in brackets. */
export const THESIS = { function_given: '7.46 (6.67)', target_back: '146.76 (146.73)', client_cut_off: '14.14 (13.67 ± 5)' } as const
const THESIS_CONDITIONS = 'Thesis (5.4, Nt2): interval 10 s, its hosts start in 56.67 s and are woken after 88 s, its client connects once a second.'
/** The last good attempt before a cut may have begun this long before it. */
const CUT_EDGE_MS = 1_500

/** The table with its last column. */
const WIDE_CHARACTERS = 150
const textOf = (cell: Cell | undefined): string => typeof cell === 'object' ? cell.text : cell ?? ''
const NONE = '-'
const seconds = (value_ms: number | null | undefined): string => value_ms === null || value_ms === undefined ? NONE : (value_ms / 1_000).toFixed(2)

/** The client's cut that the power cut made; later ones belong to the return. */
export function cutsOfStory(cuts: readonly Cut[], cut_ms: number): { readonly power: Cut | undefined; readonly later: readonly Cut[] } {
  const after = cuts.filter(cut => Date.parse(cut.start) >= cut_ms - CUT_EDGE_MS)
  return { power: after[0], later: after.slice(1) }
}

export function resultTable(findings: Findings, style: Style, width: number): string[] {
  const { incident, cut_ms, client } = findings
  const { power, later } = cutsOfStory(client.cuts, cut_ms)
  const predicted = incident?.predicted
  const manager = incident?.manager ?? 'the manager'
  const since_cut = (at_ms: number | undefined) => at_ms === undefined ? null : at_ms - cut_ms
  const detected_ms = incident ? Date.parse(incident.detected) : undefined
  const row = (what: string, run: string, prediction: string, thesis: string, counted: string): Cell[] => [what, run, prediction, thesis, counted]
  const rows = [
    row('function given again', seconds(incident?.function_ms), seconds(predicted?.function_ms), THESIS.function_given, `detection by ${manager} → the virtual server serves (incident record)`),
    row('target back', seconds(incident?.target_ms), seconds(predicted?.target_ms), THESIS.target_back, `detection by ${manager} → ${TARGET} in the ring, its service good (incident record)`),
    row('client cut off', seconds(power?.ms), seconds(predicted?.client_ms), THESIS.client_cut_off, `last good attempt before → first good answer after; an attempt every ${CLIENT_EVERY_MS} ms`),
    row('detection', seconds(since_cut(detected_ms)), NONE, NONE, 'power cut → lease silent and no ping answered'),
    row('back on its own host', seconds(since_cut(findings.returned_ms)), NONE, NONE, `power cut → ${TARGET} itself gives its function again (ring status)`),
    row('client at the return', seconds(later.length === 0 ? 0 : Math.max(...later.map(cut => cut.ms))), NONE, NONE, 'longest later cut of the same client (0.00: no attempt failed)'),
  ]
  // On a narrow terminal the last column would wrap: it follows as a list.
  const wide = width >= WIDE_CHARACTERS
  const notes = wide ? [] : ['', ...rows.map(([what, , , , counted]) => style('faint', `${textOf(what).padEnd(20)}  ${textOf(counted)}`))]
  const columns = [{ title: 'SECONDS' }, { title: 'THIS RUN', right: true }, { title: 'PREDICTED', right: true }, { title: 'THESIS (PREDICTED)', right: true }, ...wide ? [{ title: 'COUNTED FROM → TO' }] : []]
  return [
    style('title', `${findings.simulated ? 'SIMULATED: ' : ''}power cut of ${TARGET}, this run beside our prediction and the thesis`), '',
    ...table(columns, rows, style), ...notes, '',
    style('faint', THESIS_CONDITIONS),
    style('faint', 'Prediction: the thesis\'s formulas 5.10–5.18 with this ring\'s constants, written into the incident at its detection; a boot counts as two thirds of the reboot limit.'),
    findings.audit.ok ? style('good', `${TARGET}'s VIP was never seen on two hosts: ${findings.audit.how}`) : style('bad', `audit: ${findings.audit.violations.length} violations (${findings.audit.how})`),
    ...findings.audit.violations.map(text => style('bad', `  ${text}`)),
  ]
}

/** Why the run is not a success, as sentences; empty when it is. */
export function failuresOf(findings: Findings): string[] {
  const { incident, audit, client } = findings
  const found: string[] = []
  if (findings.virtual_giver === undefined) found.push(`the function of ${TARGET} was not seen given by a virtual server`)
  if (findings.returned_ms === undefined) found.push(`${TARGET} did not give its own function again in time`)
  if (!incident) found.push('no incident was recorded')
  else if (incident.outcome !== 'returned') found.push(`the incident ended as "${incident.outcome}", not as "returned"`)
  if (incident && !incident.stages.some(stage => stage.name === 'wake ordered')) found.push(`${TARGET} was not woken by Wake-on-LAN`)
  if (client.attempts === 0) found.push('the client made no attempt')
  if (client.cuts.some(cut => cut.end === null)) found.push('the client was still cut off at the end')
  if (!audit.ok) found.push(`the audit found: ${audit.violations.join('; ')}`)
  return found
}

import type { Incident, IncidentStage, Prediction } from '../../control/documents.ts'
import type { IncidentLine } from './incident-line.ts'

/** The lines of one record file. */
export interface IncidentRecord {
  readonly id: string
  readonly lines: readonly IncidentLine[]
}

const UNKNOWN: Prediction = { function_ms: null, target_ms: null, client_ms: null }

/** Joins the records of all hosts into incidents, newest first. */
export function foldIncidents(records: readonly IncidentRecord[]): Incident[] {
  const by_id = new Map(records.map(record => [record.id, record]))
  const lines_by_root = new Map<string, IncidentLine[]>()
  for (const record of records) {
    const root = rootOf(record, by_id)
    lines_by_root.set(root, [...lines_by_root.get(root) ?? [], ...record.lines])
  }
  const incidents = [...lines_by_root]
    .filter(([, lines]) => lines.length > 0)
    .map(([id, lines]) => foldIncident(id, lines))
    .sort((a, b) => a.id < b.id ? 1 : a.id > b.id ? -1 : 0)
  return incidents.map((incident, index) => passedOn(incident, incidents.slice(0, index).reverse()))
}

/**
 * A manager has one incident of a target at a time, and another opens one of its own when it has to act in its place. So an open record with a later incident of
 * the same target is that one's matter now: nobody but its writer can write the end into the record of a manager that died or lost its agent.
 */
function passedOn(incident: Incident, later: readonly Incident[]): Incident {
  const next = later.find(({ target }) => target === incident.target)
  if (!next || (incident.outcome !== 'open' && incident.outcome !== 'passed on')) return incident
  const after_ms = Math.max(0, Date.parse(next.detected) - Date.parse(incident.detected))
  return { ...incident, outcome: 'passed on', successor: { manager: next.manager, incident: next.id, after_ms } }
}

/** One incident from its stage lines; what is said later stands. */
export function foldIncident(id: string, lines: readonly IncidentLine[]): Incident {
  const ordered = [...lines].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
  const detected = (ordered.find(line => line.stage === 'detected') ?? ordered[0])?.at ?? ''
  const stages = ordered.map(line => stageOf(line, detected)).sort((a, b) => a.after_ms - b.after_ms)
  const afterStage = (name: string) => stages.find(stage => stage.name === name)?.after_ms ?? null
  const outcome = last(ordered, 'outcome') ?? 'open'
  return {
    id,
    target: last(ordered, 'target') ?? '?',
    trouble: last(ordered, 'trouble') ?? null,
    detected,
    manager: last(ordered, 'manager') ?? ordered[0]?.host ?? '?',
    chosen_host: last(ordered, 'chosen_host') ?? null,
    candidates: last(ordered, 'candidates') ?? [],
    stages,
    function_ms: last(ordered, 'function_ms') ?? afterStage('function given'),
    target_ms: last(ordered, 'target_ms') ?? afterStage('target restored'),
    predicted: { ...UNKNOWN, ...last(ordered, 'predicted') },
    outcome,
  }
}

function stageOf(line: IncidentLine, detected: string): IncidentStage {
  return {
    name: line.stage,
    at: line.at,
    after_ms: line.after_ms ?? Math.max(0, Date.parse(line.at) - Date.parse(detected)),
    host: line.host,
    ...(line.text === undefined ? {} : { text: line.text }),
  }
}

function last<Key extends keyof IncidentLine>(lines: readonly IncidentLine[], key: Key): IncidentLine[Key] | undefined {
  return lines.findLast(line => line[key] !== undefined)?.[key]
}

/** Follows `continues` to the record where the incident began; a ring of references ends where it closes. */
function rootOf(record: IncidentRecord, by_id: ReadonlyMap<string, IncidentRecord>): string {
  const seen = new Set<string>()
  let id = record.id
  while (!seen.has(id)) {
    seen.add(id)
    const next = by_id.get(id)?.lines.find(line => line.continues !== undefined)?.continues
    if (next === undefined) return id
    id = next
  }
  return [...seen].sort()[0] ?? record.id
}

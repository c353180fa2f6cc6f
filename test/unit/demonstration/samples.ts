import type { HostStatus, Incident, StatusDocument, WatchMode } from '../../../src/control/documents.ts'
import { HOSTS, type Findings } from '../../../scripts/demonstration/scene.ts'

/** A status in which the named hosts are out, the ring is closed around them and `giver` gives ftp by a virtual server. */
export function sampleStatus(options: { readonly out?: readonly string[]; readonly giver?: string | null; readonly mode?: WatchMode } = {}): StatusDocument {
  const out = options.out ?? []
  const order: string[] = [...HOSTS]
  const present = order.filter(name => !out.includes(name))
  const hosts = order.map((name): HostStatus => {
    const place = present.indexOf(name)
    const at = (offset: number) => present[(place + offset + present.length) % present.length] ?? ''
    const good = place >= 0
    return {
      name, state: good ? 'in ring' : 'separated', age_ms: 0, lease: { age_ms: 0, deadline_ms: 2_000, good },
      targets: good ? [{ name: at(1), priority: 1, mode: options.mode ?? 'regular' }, { name: at(-1), priority: 2, mode: options.mode ?? 'regular' }] : [],
    }
  })
  const { giver } = options
  return {
    schema: 'ringward.status/1', at: '2026-11-20T21:00:00.000Z', host: 'login', version: '1', profile: 'default', interval_ms: 1_000, verdict: 'ok', reason: '', hosts,
    functions: order.map(name => name === 'ftp' && giver !== undefined
      ? { name, vip: '10.77.0.113', giver, kind: giver === null ? 'none' : 'virtual', epoch: 2, since: null }
      : { name, vip: '10.77.0.1', giver: name, kind: 'native', epoch: 1, since: null }),
    virtual_servers: order.map(name => ({ name: `${name}-v`, for: name, host: null, state: 'standby' })),
    share: { state: 'ok', latency_ms: 1, age_ms: 1 }, promises: [], unprotected: [], incidents_open: [], warnings: [],
  }
}

const CUT_MS = Date.parse('2026-11-20T21:00:00.000Z')
export const stampAfter = (after_ms: number) => new Date(CUT_MS + after_ms).toISOString()

export function sampleIncident(changes: Partial<Incident> = {}): Incident {
  return {
    id: '20261120T210001270Z-ftp-login', target: 'ftp', trouble: 'Nt2', detected: stampAfter(1_270), manager: 'login', chosen_host: 'login', candidates: [],
    stages: [{ name: 'detected', at: stampAfter(1_270), after_ms: 0 }, { name: 'wake ordered', at: stampAfter(7_270), after_ms: 6_000 }],
    function_ms: 2_200, target_ms: 8_150, predicted: { function_ms: 1_900, target_ms: 6_000, client_ms: 3_400 }, outcome: 'returned', ...changes,
  }
}

export function sampleFindings(changes: Partial<Findings> = {}): Findings {
  return {
    simulated: false, cut_ms: CUT_MS, incident: sampleIncident(), virtual_giver: 'login', returned_ms: CUT_MS + 10_830,
    client: {
      attempts: 200, failed: 37, cuts: [
        { start: stampAfter(-60_000), end: stampAfter(-59_500), ms: 500, reason: 'before the story' },
        { start: stampAfter(-40), end: stampAfter(3_670), ms: 3_710, reason: 'no answer' },
        { start: stampAfter(10_600), end: stampAfter(10_930), ms: 330, reason: 'refused' },
      ],
    },
    audit: { ok: true, violations: [], how: '357 samples' }, ...changes,
  }
}

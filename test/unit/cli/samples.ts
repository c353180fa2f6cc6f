import type { IncidentsDocument, LoadDocument, RingDocument, StatusDocument } from '../../../src/control/documents.ts'

/** FTP has lost its power 12 s ago; its virtual server runs on web1. */
export const DEGRADED: StatusDocument = {
  schema: 'ringward.status/1', at: '2026-11-20T21:04:00.000Z', host: 'mail', version: '3-0.1.0', profile: 'default', interval_ms: 1_000,
  verdict: 'degraded', reason: 'ftp is out of the ring; its function is given by ftp-v on web1',
  hosts: [
    { name: 'mail', state: 'in ring', since: '2026-11-20T19:00:00.000Z', age_ms: 0, lease: { age_ms: 120, deadline_ms: 2_000, good: true }, targets: [{ name: 'ftp', priority: 1, mode: 'backup server' }, { name: 'web1', priority: 1, mode: 'regular' }, { name: 'web1', priority: 2, mode: 'regular' }] },
    { name: 'ftp', state: 'separated', since: '2026-11-20T21:03:48.000Z', age_ms: 12_600, lease: { age_ms: 12_600, deadline_ms: 2_000, good: false }, targets: [] },
    { name: 'web1', state: 'in ring', since: '2026-11-20T19:00:00.000Z', age_ms: 340, lease: { age_ms: 340, deadline_ms: 2_000, good: true }, targets: [{ name: 'mail', priority: 1, mode: 'regular' }, { name: 'mail', priority: 2, mode: 'regular' }] },
    { name: 'web2', state: 'unmanaged', age_ms: null, lease: { age_ms: null, deadline_ms: 2_000, good: false }, targets: [] },
  ],
  functions: [
    { name: 'mail', vip: '10.0.0.101', giver: 'mail', kind: 'native', epoch: 1, since: '2026-11-20T19:00:00.000Z' },
    { name: 'ftp', vip: '10.0.0.102', giver: 'web1', kind: 'virtual', epoch: 2, since: '2026-11-20T21:03:51.500Z' },
    { name: 'web1', vip: '10.0.0.103', giver: null, kind: 'none', epoch: 0, since: null },
  ],
  virtual_servers: [{ name: 'mail-v', for: 'mail', host: null, state: 'standby', standby: 'saved' }, { name: 'ftp-v', for: 'ftp', host: 'web1', state: 'running', standby: 'saved' }],
  share: { state: 'ok', latency_ms: 3.6, age_ms: 120 },
  promises: [{ from: 'mail', to: 'web1', left_ms: 900 }],
  unprotected: [{ function: 'ftp', reason: 'no other host has 512 MB of memory left' }],
  alerts: [{ code: 'TOO_FEW_WATCHERS', subject: 'web1', reason: 'only mail watches it, and 2 hosts should', next_step: 'bring the missing hosts back', since: '2026-11-20T21:03:51.000Z' }],
  incidents_open: [{ id: '20261120T210348000Z-ftp-mail', target: 'ftp', trouble: 'Nt2', manager: 'mail', detected: '2026-11-20T21:03:48.000Z', stage: 'function given' }],
  warnings: ['web1: nobody gives its function'],
}

export const OK: StatusDocument = { ...DEGRADED, verdict: 'ok', reason: 'all functions are given by their own hosts', unprotected: [], alerts: [], incidents_open: [], warnings: [], promises: [] }

export const RING: RingDocument = {
  schema: 'ringward.ring/1', at: '2026-11-20T21:04:00.000Z', host: 'mail', synchroniser: 'mail',
  members: [
    { number: 1, name: 'mail', state: 'in ring', p1_target: 'login', p2_target: 'web1' },
    { number: 2, name: 'login', state: 'maintenance', p1_target: 'web1', p2_target: 'mail' },
    { number: 3, name: 'web1', state: 'in ring', p1_target: 'mail', p2_target: 'login' },
  ],
  separated: [{ name: 'ftp', state: 'separated', since: '2026-11-20T21:03:48.000Z', giver: 'ftp-v on web1' }],
}

/** Figures of the thesis's example (5.2.5). */
export const LOAD: LoadDocument = {
  schema: 'ringward.load/1', at: '2026-11-20T21:04:00.000Z', host: 'mail',
  hosts: [
    { name: 'web1', virtual_servers: 0, memory: { average: 2_097_152, forecast: 2_000_000, normalised: 40 }, cpu: { average: 91.25, forecast: 90, normalised: 30 }, network: { average: 1_200, forecast: 1_250, normalised: 50 }, non_select: { CPU: 37, NETWORK: 43, CPU_NET: 40 }, age_ms: 800 },
    { name: 'mail', virtual_servers: 1, memory: { average: null, forecast: null, normalised: null }, cpu: { average: null, forecast: null, normalised: null }, network: { average: null, forecast: null, normalised: null }, non_select: { CPU: null, NETWORK: 133, CPU_NET: null }, age_ms: null },
  ],
}

export const INCIDENTS: IncidentsDocument = {
  schema: 'ringward.incidents/1', at: '2026-11-20T22:00:00.000Z', source: 'share',
  incidents: [
    {
      id: '20261120T210348000Z-ftp-login', target: 'ftp', trouble: 'Nt2', detected: '2026-11-20T21:03:48.000Z', manager: 'login', chosen_host: 'web1',
      candidates: [{ host: 'web1', value: 43, reason: 'lowest non-select value' }, { host: 'mail', value: 133, reason: 'runs one already' }, { host: 'web2', value: null, reason: 'no room' }],
      stages: [{ name: 'detected', at: '2026-11-20T21:03:48.000Z', after_ms: 0, host: 'login' }, { name: 'function given', at: '2026-11-20T21:03:51.470Z', after_ms: 3_470, host: 'web1', text: 'VIP 10.0.0.102 on ftp-v' }],
      function_ms: 3_470, target_ms: null, predicted: { function_ms: 3_400, target_ms: 60_000, client_ms: 3_900 }, outcome: 'open',
    },
    {
      id: '20261119T100000000Z-mail-web2', target: 'mail', trouble: 'St1', detected: '2026-11-19T10:00:00.000Z', manager: 'web2', chosen_host: null, candidates: [], stages: [],
      function_ms: null, target_ms: 310, predicted: { function_ms: null, target_ms: null, client_ms: null }, outcome: 'repaired',
    },
  ],
  availability: [{ target: 'ftp', window_ms: 2_592_000_000, incidents: 1, conventional: 0.9999, improved: 0.99999, improvement_percent: 0.009 }],
}

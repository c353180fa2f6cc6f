import type { FunctionStatus, HostStatus, StatusDocument, WatchPriority } from '../../control/documents.ts'
import type { Style, Tone } from './style.ts'
import { table, type Cell } from './table.ts'
import { duration, room, since } from './units.ts'

const VERDICT_TONE = { ok: 'good', degraded: 'warning', critical: 'bad' } as const

/** The whole ring on one screen: the verdict first, then who watches whom and who gives what, then what is at risk. */
export function renderStatus(document: StatusDocument, style: Style): string {
  const { verdict, reason, host, at, version, profile, interval_ms } = document
  const lines = [
    `${style(VERDICT_TONE[verdict], verdict.toUpperCase())}  ${reason}`,
    style('faint', `as seen by ${host} at ${at}; configuration ${version}, profile ${profile}, interval ${duration(interval_ms)}`),
    '', ...hostTable(document, style),
    '', ...virtualServerTable(document, style),
    '', ...safety(document),
  ]
  const sections: [string, Tone, readonly string[]][] = [
    ['Without protection', 'warning', document.unprotected.map(item => `${item.function}: ${item.reason}`)],
    ['Lost protection', 'warning', (document.alerts ?? []).map(alert => `${alert.code} ${alert.subject}, for ${since(alert.since, at)}: ${alert.reason}; ${alert.next_step}`)],
    ['Open incidents', 'warning', document.incidents_open.map(item => `${item.id}: ${item.trouble} of ${item.target}, managed by ${item.manager}, ${item.stage}, detected ${since(item.detected, at)} ago`)],
    ['Warnings', 'warning', document.warnings],
  ]
  for (const [title, tone, items] of sections) {
    if (items.length > 0) lines.push('', style(tone, title), ...items.map(item => `  ${item}`))
  }
  return `${lines.join('\n')}\n`
}

function hostTable({ hosts, functions, virtual_servers, at }: StatusDocument, style: Style): string[] {
  const columns = [{ title: 'HOST' }, { title: 'STATE' }, { title: 'FOR', right: true }, { title: 'HEARD', right: true }, { title: 'LEASE', right: true }, { title: 'P1 OF' }, { title: 'P2 OF' }, { title: 'FUNCTION GIVEN BY' }, { title: 'EPOCH', right: true }, { title: 'SINCE', right: true }]
  const rows = hosts.map((host): Cell[] => {
    const given = functions.find(candidate => candidate.name === host.name)
    return [
      host.name, { text: host.state, tone: host.state === 'in ring' || host.state === 'watched' ? 'good' : 'warning' }, since(host.since, at), duration(host.age_ms), leaseCell(host), watches(host, 1), watches(host, 2),
      giverCell(given, virtual_servers.find(candidate => candidate.for === host.name)?.name), given ? String(given.epoch) : '-', since(given?.since, at),
    ]
  })
  return table(columns, rows, style)
}

function leaseCell({ lease, state }: HostStatus): Cell {
  if (state === 'watched') return '-'
  if (lease.age_ms === null) return { text: 'none', tone: 'warning' }
  return lease.good ? `good ${duration(lease.age_ms)}` : { text: `over ${duration(lease.age_ms - lease.deadline_ms)}`, tone: 'bad' }
}

function watches(host: HostStatus, priority: WatchPriority): string {
  const targets = host.targets.filter(target => target.priority === priority)
  return targets.length === 0 ? '-' : targets.map(target => `${target.name} (${target.mode})`).join(', ')
}

function giverCell(given: FunctionStatus | undefined, virtual_server: string | undefined): Cell {
  if (!given) return '-'
  if (given.kind === 'none' || given.giver === null) return { text: 'nobody', tone: 'bad' }
  if (given.kind === 'native') return given.giver === given.name ? 'itself' : given.giver
  return { text: `${virtual_server ?? 'a virtual server'} on ${given.giver}`, tone: 'warning' }
}

function virtualServerTable({ virtual_servers }: StatusDocument, style: Style): string[] {
  const rows = virtual_servers.map(server => [server.name, server.for, server.host ?? '-', server.standby === undefined || server.state !== 'standby' ? server.state : `standby (${server.standby})`])
  return table([{ title: 'VIRTUAL SERVER' }, { title: 'FOR' }, { title: 'ON' }, { title: 'STATE' }], rows, style)
}

/** What the right to act rests on, in three lines. */
function safety({ hosts, host, share, promises, ride }: StatusDocument): string[] {
  const lease = hosts.find(candidate => candidate.name === host)?.lease
  const left_ms = lease?.age_ms === null || lease === undefined ? null : lease.deadline_ms - lease.age_ms
  const own = left_ms === null ? 'none yet' : left_ms > 0 ? `good for ${duration(left_ms)} more` : `over since ${duration(-left_ms)}`
  const of = (list: typeof promises, other: 'from' | 'to') => list.length === 0 ? 'none' : list.map(promise => `${promise[other]} (${duration(promise.left_ms)} left)`).join(', ')
  return [
    `Share     ${share.state}${share.latency_ms === null ? '' : `, last write took ${Math.round(share.latency_ms)} ms`}${share.age_ms === null ? '' : `, ${duration(share.age_ms)} ago`}${share.free_kb === undefined ? '' : `; ${room(share.free_kb)} free`}`,
    `Lease     of ${host}: ${own}`,
    `Promises  given to ${of(promises.filter(promise => promise.from === host), 'to')}; received from ${of(promises.filter(promise => promise.to === host), 'from')}${ride ? `; a ride may miss those of ${ride.may_miss} of ${ride.asked}` : ''}`,
  ]
}

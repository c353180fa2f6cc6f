/** The ring as a picture: who watches whom, who is gone. Pure. */
import type { HostStatus, StatusDocument } from '../../src/control/documents.ts'
import type { Style, Tone } from '../../src/cli/render/style.ts'

/** Room for a name, its functions and a line to the next. */
const COLUMN_CHARACTERS = 22
const LEAST_LINE_CHARACTERS = 4
/** Where a vertical line meets a name. */
const POST_OFFSET = 1

/** How well the line between two neighbours is watched: by P1 and P2, by P1 alone, by nobody. */
export type Watched = 'both' | 'one' | 'none'
const HORIZONTAL: Readonly<Record<Watched, string>> = { both: '═', one: '─', none: '┄' }
const VERTICAL: Readonly<Record<Watched, string>> = { both: '║', one: '│', none: '┊' }
const LINE_TONE: Readonly<Record<Watched, Tone>> = { both: 'faint', one: 'warning', none: 'warning' }

export const RING_LEGEND = '═► P1 watches ahead, P2 watches back   ─► P1 alone   ┄ nobody yet   ✗ out of the ring'

interface Segment { readonly text: string; readonly tone?: Tone }
interface Line { readonly watched: Watched; readonly arrives: boolean }

/** It renews its lease, so it watches and is watched; its own function may still be given elsewhere. */
export const isIn = (host: HostStatus | undefined): boolean => host?.lease.good === true

/** The watch across the gap after each host: a line that passes a host that is out belongs to the pair around it. */
export function watchedAfter(hosts: readonly HostStatus[], index: number): Line {
  const count = hosts.length
  const at = (place: number): HostStatus => hosts[((place % count) + count) % count]!
  let before = 0
  while (before < count && !isIn(at(index - before))) before += 1
  let after = 1
  while (after <= count && !isIn(at(index + after))) after += 1
  const [manager, target] = [at(index - before), at(index + after)]
  if (manager === target || !isIn(manager)) return { watched: 'none', arrives: false }
  const first = manager.targets.some(each => each.name === target.name && each.priority === 1)
  const second = target.targets.some(each => each.name === manager.name && each.priority === 2)
  const watched = first && second ? 'both' : first || second ? 'one' : 'none'
  return { watched, arrives: watched !== 'none' && after === 1 }
}

/** The ring of four or more hosts as a loop: the first half on top, the rest below, back to front. */
export function ringPicture(status: Pick<StatusDocument, 'hosts' | 'functions'>, style: Style): string[] {
  const { hosts } = status
  const half = Math.ceil(hosts.length / 2)
  const top = hosts.slice(0, half)
  const bottom = hosts.slice(half).reverse()
  const lines = hosts.map((_, index) => watchedAfter(hosts, index))
  const labels = new Map(hosts.map(host => [host.name, labelOf(status, host)]))
  const width = (half - 1) * COLUMN_CHARACTERS
  const label = (host: HostStatus) => labels.get(host.name)!
  const topRow = row(top.map(label), width, place => ({ ...lines[place]!, right: true }), style)
  const bottomRow = row(bottom.map(label), width, place => ({ ...lines[hosts.length - 2 - place]!, right: false }), style)
  const down = lines[half - 1]!
  const up = lines[hosts.length - 1]!
  const posts = (left: string, right: string) =>
    `${' '.repeat(POST_OFFSET)}${style(LINE_TONE[up.watched], left)}${' '.repeat(width - 1)}${style(LINE_TONE[down.watched], right)}`
  return [
    topRow,
    posts(up.arrives ? '▲' : VERTICAL[up.watched], VERTICAL[down.watched]),
    posts(VERTICAL[up.watched], down.arrives ? '▼' : VERTICAL[down.watched]),
    bottomRow,
  ]
}

function labelOf({ functions }: Pick<StatusDocument, 'functions'>, host: HostStatus): readonly Segment[] {
  const others = functions.filter(each => each.giver === host.name && each.kind === 'virtual').map(each => each.name)
  if (!isIn(host)) return [{ text: `✗ ${host.name}`, tone: 'bad' }]
  const name: Segment = host.state === 'separated' ? { text: `${host.name} (back)`, tone: 'warning' } : { text: host.name, tone: 'good' }
  return [name, ...others.map((name): Segment => ({ text: ` +${name}`, tone: 'warning' }))]
}

/** Names at even distances, lines between; the last name may reach beyond the width. */
function row(labels: readonly (readonly Segment[])[], width: number, lineAt: (place: number) => Line & { right: boolean }, style: Style): string {
  const starts = labels.map((_, place) => Math.round(place * width / Math.max(1, labels.length - 1)))
  return labels.map((label, place) => {
    const text = label.map(segment => segment.tone ? style(segment.tone, segment.text) : segment.text).join('')
    const next = starts[place + 1]
    if (next === undefined) return text
    const { watched, arrives, right } = lineAt(place)
    const used = label.reduce((sum, segment) => sum + segment.text.length, 0)
    const length = Math.max(LEAST_LINE_CHARACTERS, next - starts[place]! - used - 2)
    const stroke = HORIZONTAL[watched].repeat(arrives ? length - 1 : length)
    return `${text} ${style(LINE_TONE[watched], !arrives ? stroke : right ? `${stroke}►` : `◄${stroke}`)} `
  }).join('')
}

/** `ftp is given by …` and who is in which mode about it: what the picture has no room for. */
export function captions(status: Pick<StatusDocument, 'hosts' | 'functions' | 'virtual_servers'>, target: string): { readonly given: string; readonly modes: string } {
  const served = status.functions.find(each => each.name === target)
  const machine = status.virtual_servers.find(each => each.for === target)
  const watches = status.hosts.flatMap(host => host.targets.filter(each => each.name === target).map(each => ({ ...each, manager: host.name })))
    .sort((a, b) => a.priority - b.priority)
  const epoch = served ? ` (epoch ${served.epoch})` : ''
  // Its claim and lease say so still; its managers have begun to doubt it.
  const doubt = watches.some(each => each.mode !== 'regular' && each.mode !== 'target recovery') ? ', in doubt' : ''
  const given = !served || served.kind === 'none' || served.giver === null ? 'nobody'
    : served.kind === 'native' ? `${served.giver} itself${epoch}${doubt}`
      : `virtual server ${machine?.name ?? target} on ${served.giver}${epoch}`
  const modes = watches.map(each => `${each.manager} (P${each.priority}) ${each.mode}`).join(', ')
  return { given, modes: modes || 'nobody' }
}

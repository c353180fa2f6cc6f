import type { RingDocument } from '../../control/documents.ts'
import type { Style } from './style.ts'
import { since } from './units.ts'

/** The ring in its order, closed by the arrow at the left: each manages the next with P1 and the one before with P2. */
export function renderRing(document: RingDocument, style: Style): string {
  const { members, separated, at, host, synchroniser } = document
  const lines = [style('faint', `ring of ${members.length} as seen by ${host} at ${at}; ${synchroniser ?? 'nobody'} sends S`), '']
  const width = Math.max(0, ...members.map(member => member.name.length))
  const number_width = String(members.length).length
  members.forEach((member, index) => {
    const edge = members.length === 1 ? '   ' : index === 0 ? '┌─►' : index === members.length - 1 ? '└──' : '│  '
    const state = member.state === 'in ring' ? '' : `  ${style('warning', member.state)}`
    lines.push(`${edge} ${String(member.number).padStart(number_width)} ${style('title', member.name)}${' '.repeat(width - member.name.length)}  P1 of ${(member.p1_target ?? 'nobody').padEnd(Math.max(width, 6))}  P2 of ${member.p2_target ?? 'nobody'}${state}`.trimEnd())
    if (index < members.length - 1) lines.push(`│  ${' '.repeat(number_width)} ▼`)
  })
  if (members.length === 0) lines.push('nobody is in the ring')
  if (separated.length > 0) {
    lines.push('', style('warning', 'Out of the ring'))
    for (const server of separated) {
      const given = server.giver === null ? 'its function is given by nobody' : `its function is given by ${server.giver}`
      lines.push(`  ${server.name}: ${server.state} for ${since(server.since, at)}; ${given}`)
    }
  }
  return `${lines.join('\n')}\n`
}

import type { Command } from 'commander'
import type { RingDocument } from '../../control/documents.ts'
import type { CliContext } from '../context.ts'
import { registerQuery } from '../query.ts'
import { renderRing } from '../render/ring.ts'

export function ringCommand(program: Command, context: CliContext): void {
  registerQuery<RingDocument>(program, context, {
    verb: 'ring', schema: 'ringward.ring/1', render: renderRing,
    description: 'draw the ring: who manages whom with P1 and P2, and who is out of it',
  })
}

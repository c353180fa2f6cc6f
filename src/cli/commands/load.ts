import type { Command } from 'commander'
import type { LoadDocument } from '../../control/documents.ts'
import type { CliContext } from '../context.ts'
import { registerQuery } from '../query.ts'
import { renderLoad } from '../render/load.ts'

export function loadCommand(program: Command, context: CliContext): void {
  registerQuery<LoadDocument>(program, context, {
    verb: 'load', schema: 'ringward.load/1', render: renderLoad,
    description: 'show the load survey, its forecast and the non-select values by which a host is chosen',
  })
}

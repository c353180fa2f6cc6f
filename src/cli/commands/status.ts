import type { Command } from 'commander'
import type { StatusDocument } from '../../control/documents.ts'
import type { CliContext } from '../context.ts'
import { registerQuery } from '../query.ts'
import { renderStatus } from '../render/status.ts'

export function statusCommand(program: Command, context: CliContext): void {
  registerQuery<StatusDocument>(program, context, {
    verb: 'status', schema: 'ringward.status/1', render: renderStatus,
    description: 'show on one screen whether all is well: hosts, watches, functions, virtual servers, leases, the share',
    exit: document => document.verdict === 'ok' ? 0 : 5,
    exit_codes: [0, 1, 2, 3, 4, 5, 124],
    exit_notes: { 0: 'the verdict is ok', 5: 'the verdict is degraded or critical' },
  })
}

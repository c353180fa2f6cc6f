import type { Command } from 'commander'
import type { Incident, IncidentsDocument } from '../../control/documents.ts'
import { RingwardError } from '../../errors.ts'
import type { CliContext } from '../context.ts'
import { exitCodesHelp } from '../exit-codes.ts'
import { hostOption, jsonOption } from '../options.ts'
import { askDocument } from '../query.ts'
import { renderIncident, renderIncidents } from '../render/incidents.ts'

export function incidentsCommand(program: Command, context: CliContext): void {
  program.command('incidents').description('list what happened, or show one incident with its stages, predicted and measured times')
    .argument('[incident]', 'its id, or its number in the list: 1 is the newest')
    .addOption(jsonOption()).addOption(hostOption())
    .addHelpText('after', exitCodesHelp([0, 1, 2, 3, 4, 124], { 2: 'the command line is not valid, or there is no such incident' }))
    .action(async (wanted: string | undefined, options: { readonly json?: true; readonly host?: string }) => {
      const document = await askDocument<IncidentsDocument>(context, { verb: 'incidents', schema: 'ringward.incidents/1' }, options.host)
      if (wanted === undefined) return context.out(options.json ? json(document) : renderIncidents(document, context.style))
      const incident = chosen(document.incidents, wanted)
      context.out(options.json ? json({ ...document, incidents: [incident], availability: document.availability.filter(row => row.target === incident.target) }) : renderIncident(incident, context.style))
    })
}

function chosen(incidents: readonly Incident[], wanted: string): Incident {
  const found = /^[1-9]\d{0,5}$/.test(wanted) ? incidents[Number(wanted) - 1] : incidents.find(incident => incident.id === wanted)
  if (!found) throw new RingwardError('NOT_FOUND', `there is no incident ${wanted}; \`ringward incidents\` lists ${incidents.length}`)
  return found
}

function json(document: IncidentsDocument): string {
  return `${JSON.stringify(document, null, 2)}\n`
}

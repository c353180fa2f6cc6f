import { Option, type Command } from 'commander'
import { forgetServer } from '../../configuration/forget-server.ts'
import { loadHostSettings } from '../../configuration/host-settings.ts'
import { placesOf } from '../../configuration/places.ts'
import type { RingDocument } from '../../control/documents.ts'
import { RingwardError } from '../../errors.ts'
import type { CliContext } from '../context.ts'
import { exitCodesHelp } from '../exit-codes.ts'
import { limited } from '../limited.ts'
import { dryRunOption, jsonOption } from '../options.ts'
import { askDocument } from '../query.ts'

interface ForgetCommandOptions {
  readonly program: string
  readonly label?: string
  readonly dryRun?: true
  readonly json?: true
}

export function forgetCommand(program: Command, context: CliContext): void {
  program.command('forget').description('take a server out of the ring for good: out of group.toml, its files put aside, and published; the other hosts go on without a restart')
    .argument('<host>', 'a server that is not in the ring: off for good, or its flag taken away')
    .addOption(new Option('--program <directory>', 'folder with the built program').default(import.meta.dirname, 'the one this command runs from'))
    .option('--label <label>', 'follows the number of the version')
    .addOption(dryRunOption()).addOption(jsonOption())
    .addHelpText('after', exitCodesHelp([0, 1, 2, 3, 4, 124], { 1: 'the configuration is not valid; the message says what was changed', 4: 'the server is in the ring: take its flag away first' }))
    .action(async (host: string, options: ForgetCommandOptions) => {
      await assertOutside(context, host)
      const { share } = await loadHostSettings(placesOf().host_toml)
      const { publication, kept, servers } = await limited(`forgetting ${host}`, forgetServer(share, host, options.program, {
        clock: context.clock, dry_run: options.dryRun ?? false, ...options.label === undefined ? {} : { label: options.label },
      }))
      const version = publication?.manifest.version ?? null
      if (options.json) return context.out(`${JSON.stringify({ schema: 'ringward.forget/1', dry_run: options.dryRun ?? false, host, version, servers, kept }, null, 2)}\n`)
      const would = options.dryRun ? 'would be' : 'is'
      context.out([
        `${host} ${would} out of the ring: ${servers.join(', ')} ${options.dryRun ? 'would stay' : 'stay'}`,
        ...kept.map(path => `  ${share}/${path} ${options.dryRun ? 'would keep' : 'keeps'} what ${host} was: move it back, add the name to group.toml and publish to have it join again`),
        version === null ? 'nothing was written' : `published version ${version}: the running hosts take it up within seconds, without a restart`, '',
      ].join('\n'))
    })
}

/** A present host is not forgotten behind its own back. This host's agent knows who is there. */
async function assertOutside(context: CliContext, host: string): Promise<void> {
  const { members } = await askDocument<RingDocument>(context, { verb: 'ring', schema: 'ringward.ring/1' })
  if (!members.some(member => member.name === host)) return
  throw new RingwardError('CONTROL_REFUSED', `${host} is in the ring; run "ringward flag off ${host} --wait" first, then forget it from another host`)
}

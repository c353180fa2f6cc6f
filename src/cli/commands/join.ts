import type { Command } from 'commander'
import { hostname } from 'node:os'
import { loadHostSettings } from '../../configuration/host-settings.ts'
import { join } from '../../configuration/join-ring.ts'
import { placesOf } from '../../configuration/places.ts'
import type { CliContext } from '../context.ts'
import { exitCodesHelp } from '../exit-codes.ts'
import { limited } from '../limited.ts'
import { jsonOption } from '../options.ts'

interface JoinCommandOptions {
  readonly sshHostKey: string
  readonly replace?: true
  readonly json?: true
}

export function joinCommand(program: Command, context: CliContext): void {
  program.command('join').description('announce this host to the ring: make its identity and write its public part to the shared area')
    .option('--ssh-host-key <file>', 'public SSH host key by which the others know this host', '/etc/ssh/ssh_host_ed25519_key.pub')
    .option('--replace', 'this host was set up afresh: replace the identity an earlier join announced')
    .addOption(jsonOption())
    .addHelpText('after', exitCodesHelp([0, 1, 2, 4, 124], { 1: 'the settings, the configuration or a key is not valid, or another identity is announced' }))
    .action(async (options: JoinCommandOptions) => {
      const places = placesOf()
      const settings = await loadHostSettings(places.host_toml)
      const joined = await limited(`joining by way of ${settings.share}`, join({
        settings, identity_key: places.identity_key, hostname: hostname(), ssh_host_key: options.sshHostKey, replace: options.replace ?? false,
      }))
      if (options.json) return context.out(`${JSON.stringify({ schema: 'ringward.join/1', ...joined }, null, 2)}\n`)
      context.out(`${joined.name} is ${joined.changed ? 'announced' : 'announced already'}: ${joined.file}\npeer ${joined.peer_id}\nNext: \`ringward publish ${settings.share}\` where the ring is administered, then \`ringward flag on --wait\` here; no other host is restarted.\n`)
    })
}

import { setMaxListeners } from 'node:events'
import { Command } from 'commander'
import { auditCommand } from './audit-command.ts'
import { clientCommand } from './client-command.ts'
import { lineOf, observe, type ClientWishes } from './client.ts'
import { takeDown } from './down.ts'
import { durationMs } from './durations.ts'
import { execInside } from './exec.ts'
import { fault, FAULTS } from './faults.ts'
import { DEFAULT_HOSTS, readHosts } from './hosts.ts'
import { DEFAULT_DIRECTORY, LabError, openLab } from './lab.ts'
import { patternsCommand } from './patterns-command.ts'
import { runPowerBoard } from './power-board.ts'
import { ringIsWhole } from './ring-whole.ts'
import { scenarioCommand } from './scenarios-command.ts'
import { renderStatus, statusOf } from './status.ts'

const program = new Command('lab')
  .description('Real hosts, services, virtual servers and power switches on one machine: a laboratory for the ring.')
  .option('--dir <directory>', 'where the lab lives', process.env['RINGWARD_LAB'] ?? DEFAULT_DIRECTORY)
  .showHelpAfterError('(lab --help tells more)')
  .enablePositionalOptions()
  .exitOverride()

const directory = (command: Command): string => {
  // The verb's own option first: merged, commander lets the program's default win.
  const { dir } = command.opts<{ dir?: string }>()
  return dir ?? program.opts<{ dir: string }>().dir
}
/** The directory may be named before or after the verb. */
const verb = (text: string, about: string) => program.command(text).description(about).option('--dir <directory>', 'where the lab lives')
const say = (text: string) => process.stdout.write(`${text}\n`)
const tell = (text: string) => process.stderr.write(`lab: ${text}\n`)
const openFrom = (command: Command) => openLab(directory(command))

verb('up', 'build the hosts and switch them on; ends when every service answers and the ring is whole (exit 1: it is not, and what is missing is told; the lab stays)')
  .option('--hosts <names>', 'in the order of the ring, of 1 to 12 (a number: so many of the lab\'s own names)', DEFAULT_HOSTS.join(','))
  .option('--interval <duration>', 'monitoring interval', '1s')
  .option('--standby <kind>', 'how virtual servers wait: saved or cold', 'saved')
  .option('--post-delay <duration>', 'self test of a machine before its system starts', '0s')
  .option('--agentless <names>', 'hosts without an agent, watched by the others: nothing of ringward is installed there', '')
  .option('--power', 'every host has a power controller the ring can ask, as a BMC')
  .option('--no-ringward', 'hosts and services only')
  .action(async (options: { hosts: string; interval: string; standby: string; postDelay: string; agentless: string; power?: true; ringward: boolean }, command: Command) => {
    if (options.standby !== 'saved' && options.standby !== 'cold') throw new LabError(`standby "${options.standby}" is not known here; use saved or cold`, 2)
    const { bringUp } = await import('./up.ts')
    await bringUp({
      directory: directory(command), tell, hosts: readHosts(options.hosts), interval: options.interval, standby: options.standby,
      post_delay_ms: durationMs(options.postDelay), ringward: options.ringward, power: options.power ?? false, agentless: options.agentless.split(',').filter(Boolean), project: process.env['RINGWARD_PROJECT'] ?? process.cwd(),
    })
    const lab = await openFrom(command)
    say(renderStatus(await statusOf(lab)))
    if (options.ringward && !await ringIsWhole(lab, tell)) process.exitCode = 1
  })

verb('down', 'end everything and remove every trace')
  .action(async (_options, command: Command) => {
    tell(await takeDown(directory(command)) ? 'down, nothing is left' : 'no lab was up')
  })

verb('add <host>', 'a further host (web3 … web9, or one that was forgotten) joins the running ring; no other is restarted')
  .action(async (host: string, _options, command: Command) => {
    const { addHost } = await import('./membership.ts')
    say(renderStatus(await statusOf(await addHost(await openFrom(command), host, tell))))
  })

verb('forget <host>', 'a host is taken out of the running ring for good; it stays up, unmanaged')
  .action(async (host: string, _options, command: Command) => {
    const { forgetHost } = await import('./membership.ts')
    say(renderStatus(await statusOf(await forgetHost(await openFrom(command), host, tell))))
  })

verb('status', 'hosts, power, shared area, addresses')
  .option('--json', 'as ringward.lab/1')
  .action(async (options: { json?: boolean }, command: Command) => {
    const status = await statusOf(await openFrom(command))
    say(options.json ? JSON.stringify(status) : renderStatus(status))
  })

verb('exec <host> <command...>', 'run a command in a host; its exit status is this one\'s').passThroughOptions()
  .action(async (host: string, words: string[], _options, command: Command) => {
    process.exitCode = await execInside(await openFrom(command), host, withoutDashes(words))
  })

verb('cli <host> <arguments...>', 'run ringward on a host').passThroughOptions()
  .action(async (host: string, words: string[], _options, command: Command) => {
    process.exitCode = await execInside(await openFrom(command), host, ['ringward', ...withoutDashes(words)])
  })

verb('fault [verb] [arguments...]', 'make something break, or heal it').passThroughOptions()
  .addHelpText('after', `\nFaults:\n${Object.entries(FAULTS).map(([name, each]) => `  ${`${name} ${each.usage}`.padEnd(46)} ${each.about}`).join('\n')}`)
  .action(async (name: string | undefined, words: string[], _options, command: Command) => {
    if (name === undefined) throw new LabError(`which? one of ${Object.keys(FAULTS).join(', ')}`, 2)
    say(await fault(await openFrom(command), name, words))
  })

clientCommand(verb('client <targets> [port]', 'a client of a VIP (of a host, or an address): a full dialogue every period, then the cuts; of several hosts at once: mail,ftp'), openFrom, say)

auditCommand(verb('audit', 'look at the invariants from outside; exit 1 when one is broken'), openFrom, say)

verb('measure [target]', 'make each trouble several times, watch a client and the invariants, print cuts and medians')
  .option('--troubles <names>', 'of the thesis: St1, St2, Nt1 (announced reboot), Nt2 (power cut); and Leave (announced shutdown)', 'St1,St2,Nt1,Nt2')
  .option('--runs <number>', 'of each', '10')
  .option('--every <duration>', 'period of the client', '100ms')
  .action(async (target: string | undefined, options: { troubles: string; runs: string; every: string }, command: Command) => {
    const { measureAll } = await import('./measure.ts')
    const clean = await measureAll(await openFrom(command), { target: target ?? 'ftp', troubles: options.troubles.split(','), runs: Number(options.runs), every_ms: durationMs(options.every), tell: say })
    process.exitCode = clean ? 0 : 1
  })

patternsCommand(verb('patterns [names...]', 'cut the power of several hosts at once, pattern by pattern, watch clients and the invariants, print cuts and a verdict'), openFrom, say, tell)

scenarioCommand(verb('scenario [names...]', 'play scenarios of test/lab: faults in steps, and whether all went as the scenario states'), openFrom, say, tell)

// Parts of the lab that live in one of its namespaces; not for people.
program.command('power-board', { hidden: true }).requiredOption('--dir <directory>')
  .action(async (_options, command: Command) => { await runPowerBoard(await openFrom(command)) })
program.command('observe <wishes>', { hidden: true })
  .action(async (wishes: string) => {
    const over = new AbortController()
    // The asking program closes our input when it has seen enough, and when it dies.
    process.stdin.on('end', () => over.abort()).resume()
    process.once('SIGINT', () => over.abort())
    const asked = JSON.parse(wishes) as ClientWishes | ClientWishes[]
    if (Array.isArray(asked)) setMaxListeners(asked.length, over.signal)
    say(JSON.stringify(Array.isArray(asked)
      ? await Promise.all(asked.map(each => observe(each, () => undefined, over.signal)))
      : await observe(asked, attempt => say(lineOf(attempt)), over.signal)))
    process.exit(0)
  })

function withoutDashes(words: readonly string[]): readonly string[] {
  return words[0] === '--' ? words.slice(1) : words
}

program.addHelpText('after', `
Examples:
  scripts/lab up                                     six hosts, a ring, virtual servers on standby
  scripts/lab client ftp 21                          what a client of ftp's VIP sees, and for how long it was cut off
  scripts/lab fault power-off ftp                    pull the plug ("lab fault --help" lists every fault)
  scripts/lab cli mail -- status                     what the ring says of it
  scripts/lab audit --settled --watch 50ms --for 30s is everything as it must be?
  scripts/lab patterns --runs 5                      several hosts fail at once, 14 patterns; about 25 minutes
  scripts/lab down                                   leaves nothing behind

Services: mail 25, login 22, ftp 21, proxy 3128, web1 and web2 80. VIPs 10.77.0.111 and up, in namespaces of the lab only.
Exit status: 0 fine, 1 failed (audit: something is broken), 2 usage, 3 no lab or host off; exec and cli: the command's own.`)

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof Error && 'exitCode' in error) process.exitCode = (error as { exitCode: number }).exitCode === 0 ? 0 : 2
  else {
    tell(error instanceof LabError ? error.message : error instanceof Error ? error.stack ?? error.message : String(error))
    process.exitCode = error instanceof LabError ? error.status : 1
    // Whatever a failed verb left under way ends here.
    process.exit()
  }
}

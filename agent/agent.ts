import '../src/edges/peers/with-resolvers.ts' // must stay first: libp2p needs it on Node 20
import { createDiagnostics } from '../src/edges/log/diagnostics.ts'
import { reasonOf, RingwardError } from '../src/errors.ts'
import { systemEnding } from '../src/edges/system-ending.ts'
import { loadAgentSettings } from './settings.ts'
import { Agent } from './wiring.ts'

// The management program of one host. Started and restarted by the Executer; SIGTERM ends management cleanly, SIGINT at once, SIGUSR2 announces that
// the system goes down: hand over, then end; SIGHUP: another configuration has been found good and is taken up.

/** The hand-over has 10 s (protocol 6), the journal a moment more. */
const HAND_OVER_LIMIT_MS = 11_000

/** Whatever still hangs then is left to the Executer, which kills the process group. */
const LEAVE_LIMIT_MS = 1_150

// After a killed Executer nobody reads our output any more; that must not end us.
process.stdout.on('error', () => undefined)
process.stderr.on('error', () => undefined)

const diagnostics = createDiagnostics({ name: 'agent' })

async function main(): Promise<void> {
  const settings = await loadAgentSettings(process.argv.slice(2))
  const agent = new Agent(settings, diagnostics, error => {
    diagnostics.fatal({ error: reasonOf(error), stack: error instanceof Error ? error.stack : undefined }, 'the core broke an assumption; the agent ends and is started afresh')
    process.exit(70)
  })
  process.once('SIGINT', () => process.exit(0))
  const endAfter = (limit_ms: number, leaving: Promise<void>): void => {
    setTimeout(() => process.exit(1), limit_ms)
    void leaving.then(() => process.exit(0), (error: unknown) => {
      diagnostics.error({ error: reasonOf(error) }, 'management did not end cleanly')
      process.exit(1)
    })
  }
  process.once('SIGTERM', () => endAfter(LEAVE_LIMIT_MS, agent.leave()))
  process.once('SIGUSR2', () => endAfter(HAND_OVER_LIMIT_MS, systemEnding().catch(() => undefined).then(why => agent.handOver(why ?? 'shutdown'))))
  process.on('SIGHUP', () => void agent.takeUpConfiguration())
  await agent.start()
}

try {
  await main()
} catch (error) {
  diagnostics.fatal({ code: error instanceof RingwardError ? error.code : undefined, stack: error instanceof RingwardError ? undefined : (error as Error).stack }, `the agent cannot start: ${reasonOf(error)}`)
  process.exit(1)
}

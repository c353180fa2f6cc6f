import { reasonOf } from '../src/errors.ts'
import { requestLeave } from './guard-leave.ts'
import type { Log } from './log.ts'
import type { Supervisor } from './supervisor.ts'

/** All of it stays below the 2 s within which everything must be gone (flag poll and reaping included). */
const AGENT_LIMIT_MS = 1_200
/** After the agent's clean end the guard has its `leave` already and is on its way out. */
const GUARD_EXIT_LIMIT_MS = 200
const LEAVE_LIMIT_MS = 200
/** For a plain stop: the agent has nothing to do, the guard writes nothing. */
const END_LIMIT_MS = 500

/**
 * The flag is gone: management ends, the services stay. The agent is asked (SIGTERM) and has the guard leave as `unmanaged`, which makes
 * the VIP permanent; where the agent cannot, the guard is asked directly. What is left is killed.
 */
export async function leaveManagement(supervisor: Supervisor, guard_socket: string, log: Log): Promise<void> {
  const { agent, guard } = supervisor
  supervisor.letGo()
  agent.signal('SIGTERM')
  const agent_ended = await agent.ended(AGENT_LIMIT_MS)
  if (!agent_ended) {
    log.warn(`agent did not end within ${AGENT_LIMIT_MS} ms of SIGTERM; it is killed`)
    agent.kill()
  }
  if (!await guard.ended(agent_ended ? GUARD_EXIT_LIMIT_MS : 0)) {
    const refusal = await requestLeave(guard_socket, LEAVE_LIMIT_MS).then(() => undefined, reasonOf)
    if (refusal === undefined) log.info('the Executer asked the guard to leave: the VIP stays, unmanaged')
    // A guard that hangs is killed: its lease and the VIP's lifetime run out, and its watchdog stops what is left. The only safe end.
    if (!await guard.ended(GUARD_EXIT_LIMIT_MS) && refusal !== undefined) log.warn(`the guard did not end (${refusal}); it is killed: unless it had left before, the VIP goes when its lifetime ends`)
  }
  await supervisor.killAll()
}

/** Agent: 11 s; what comes after must fit into the unit's TimeoutStopSec as well. */
const HAND_OVER_LIMIT_MS = 11_500

/** The system shuts down or reboots: the agent hands every function over and has the guard say goodbye (protocol 6). */
export async function handOver(supervisor: Supervisor, log: Log): Promise<void> {
  const { agent, guard } = supervisor
  supervisor.letGo()
  agent.signal('SIGUSR2')
  if (!await agent.ended(HAND_OVER_LIMIT_MS)) log.warn(`the agent did not hand over within ${HAND_OVER_LIMIT_MS} ms; what this host gives is taken over when its lease has run out`)
  await guard.ended(GUARD_EXIT_LIMIT_MS)
  await supervisor.killAll()
}

/**
 * The Executer alone is stopped or restarted: the flag is still there, so nothing is left and nothing handed over. The
 * agent exits at once (SIGINT), the guard exits keeping its state (SIGTERM); lease and VIP run out by themselves or are taken up by the next start.
 */
export async function endForRestart(supervisor: Supervisor): Promise<void> {
  supervisor.letGo()
  supervisor.agent.signal('SIGINT')
  supervisor.guard.signal('SIGTERM')
  await Promise.all([supervisor.agent.ended(END_LIMIT_MS), supervisor.guard.ended(END_LIMIT_MS)])
  await supervisor.killAll()
}

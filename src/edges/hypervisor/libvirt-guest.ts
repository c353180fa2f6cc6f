import { setTimeout as sleep } from 'node:timers/promises'
import { RingwardError } from '../../errors.ts'
import { uuidOf } from './libvirt-domain.ts'
import { runInGuest, type GuestResult } from './guest-agent.ts'
import type { Virsh } from './virsh.ts'
import { readReturn } from './virsh-output.ts'

/** One question; libvirt holds the line to the agent open itself. */
const QUESTION_LIMIT_MS = 8_000
/** What libvirt allows the agent for an answer: it must give up before virsh is given up. */
const AGENT_LIMIT_S = 5
/** A guest that boots is asked again after this. */
const AGAIN_MS = 100
const ASLEEP = /guest agent is not (connected|responding)|guest agent not available|agent.*(timeout|timed out)/i

/** The guest agent of one virtual server, through libvirt, which owns its line. */
export class LibvirtGuest {
  private readonly virsh: Virsh
  private readonly name: string

  constructor(virsh: Virsh, name: string) {
    this.virsh = virsh
    this.name = name
  }

  run(program: string, args: readonly string[], signal: AbortSignal): Promise<GuestResult> {
    return runInGuest((command, values) => this.execute(command, values, signal), program, args)
  }

  /** Waits until the guest answers. Rejects with GUEST_FAILED and libvirt's or the agent's words. */
  async execute(command: string, values: Record<string, unknown>, signal: AbortSignal): Promise<Record<string, unknown>> {
    for (;;) {
      try {
        return readReturn(await this.virsh.ask(
          ['qemu-agent-command', '--timeout', `${AGENT_LIMIT_S}`, '--domain', uuidOf(this.name), '--cmd', JSON.stringify({ execute: command, arguments: values })], { limit_ms: QUESTION_LIMIT_MS, signal }))
      } catch (error) {
        if (!(error instanceof RingwardError) || error.code !== 'HYPERVISOR_FAILED') throw error
        if (!ASLEEP.test(error.message)) throw new RingwardError('GUEST_FAILED', `the guest agent of ${this.name} refused ${command}: ${error.message}`, { cause: error })
        await sleep(AGAIN_MS, undefined, { signal }).catch(() => {
          throw new RingwardError('GUEST_FAILED', `the guest agent of ${this.name} does not answer: ${error.message}`, { cause: error })
        })
      }
    }
  }
}

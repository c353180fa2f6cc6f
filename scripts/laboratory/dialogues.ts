import { createConnection } from 'node:net'
import type { ProbeDialogue } from '../../src/core/inventory.ts'
import { BUILTIN_PROBES } from '../../src/configuration/builtin-probes.ts'
import type { DialogueName, HostPlan } from './hosts.ts'

/** The dialogues the product brings: the client asks a service what a manager asks it. */
function builtin(name: DialogueName): ProbeDialogue {
  const dialogue = BUILTIN_PROBES[name]
  if (!dialogue) throw new Error(`the product has no dialogue "${name}"`)
  return dialogue
}

export function dialogueOf(host: Pick<HostPlan, 'dialogue'>): ProbeDialogue {
  return builtin(host.dialogue)
}

/** The dialogue that belongs to a TCP port, or undefined: the client connects. */
export function dialogueOfPort(port: number): ProbeDialogue | undefined {
  return Object.values(BUILTIN_PROBES).find(dialogue => dialogue.port === port && dialogue.transport !== 'udp')
}

export interface DialogueResult { readonly ok: boolean; readonly reason: string; readonly took_ms: number }

/** Most text a service may send in a dialogue. */
const LONGEST_ANSWER = 65_536

/** Holds one dialogue, from connecting to the last expectation, within the limit. Never rejects. */
export function holdDialogue(address: string, dialogue: ProbeDialogue, limit_ms: number): Promise<DialogueResult> {
  const began = performance.now()
  return new Promise(resolve => {
    const socket = createConnection({ host: address, port: dialogue.port })
    let received = ''
    let step = 0
    const finish = (ok: boolean, reason: string) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ ok, reason, took_ms: performance.now() - began })
    }
    const timer = setTimeout(() => finish(false, step === 0 && socket.connecting ? 'no connection in time' : 'no answer in time'), limit_ms)
    const proceed = () => {
      for (; step < dialogue.steps.length; step += 1) {
        const { expect, send } = dialogue.steps[step] ?? {}
        if (expect !== undefined && !new RegExp(expect).test(received)) return
        if (send !== undefined) socket.write(send)
      }
      finish(true, 'ok')
    }
    socket.on('connect', proceed)
    socket.on('data', chunk => {
      received += chunk.toString('latin1')
      if (received.length > LONGEST_ANSWER) finish(false, 'more text than a dialogue has')
      else proceed()
    })
    socket.on('error', error => finish(false, error.message))
    socket.on('end', () => finish(false, 'the service closed the connection'))
  })
}

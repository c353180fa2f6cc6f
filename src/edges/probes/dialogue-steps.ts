import type { ProbeDialogue } from '../../core/inventory.ts'
import { RingwardError, reasonOf } from '../../errors.ts'

/** A greeting or a page head is a few hundred bytes; more than this without the expected answer is a wrong answer. */
export const RECEIVE_LIMIT_BYTES = 64 * 1024
/** Enough of a wrong answer to know it in the log. */
const SHOWN_CHARACTERS = 80

/** A step with its expression compiled before anything is sent. */
export interface Step {
  readonly expect?: RegExp
  readonly send?: string
}

/** Throws CONFIGURATION_INVALID for an expression that does not compile. */
export function compileSteps(probe: ProbeDialogue): Step[] {
  return probe.steps.map((step, index) => {
    try {
      return {
        ...(step.expect === undefined ? {} : { expect: new RegExp(step.expect) }),
        ...(step.send === undefined ? {} : { send: step.send }),
      }
    } catch (error) {
      throw new RingwardError('CONFIGURATION_INVALID', `probe ${probe.name}, step ${index + 1}: ${reasonOf(error)}; correct probes/${probe.name}.toml`)
    }
  })
}

/** The answer that step `index` waits for, for the log. */
export function wantedBy(steps: readonly Step[], index: number): string {
  return `step ${index + 1} /${steps[index]?.expect?.source ?? ''}/`
}

export function printable(text: string): string {
  const shown = text.slice(0, SHOWN_CHARACTERS).trimEnd().replace(/[^\x20-\x7e]+/g, '·')
  return text.length > SHOWN_CHARACTERS ? `${shown}…` : shown
}

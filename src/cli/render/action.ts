import type { ActionDocument } from '../../control/documents.ts'
import type { Style } from './style.ts'

const TONES = { planned: 'faint', done: 'good', unchanged: 'faint', failed: 'bad' } as const

/** One line per host: what was done, or would be. */
export function renderAction(document: ActionDocument, style: Style): string {
  if (document.steps.length === 0) return 'nothing to do\n'
  return document.steps.map(step => `${style(TONES[step.outcome], step.outcome.padEnd(9))}  ${step.host}: ${step.act}${step.reason === undefined ? '' : ` (${step.reason})`}\n`).join('')
}

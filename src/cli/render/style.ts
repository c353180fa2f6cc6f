import { styleText } from 'node:util'

export type Tone = 'good' | 'warning' | 'bad' | 'faint' | 'title'
export type Style = (tone: Tone, text: string) => string

const FORMATS = { good: 'green', warning: 'yellow', bad: 'red', faint: 'gray', title: 'bold' } as const

/** For files, pipes, tests and NO_COLOR. */
export const plain: Style = (_tone, text) => text

/** Newer runtimes would look at the terminal themselves; whoever chose this style has looked already. */
export const coloured: Style = (tone, text) => styleText(FORMATS[tone], text, { validateStream: false })

import { describe, expect, it } from 'vitest'
import { addMarks, strip, StripLines } from '../../../scripts/demonstration/strip.ts'
import type { Mark } from '../../../scripts/demonstration/scene.ts'
import { plain } from '../../../src/cli/render/style.ts'

const marks = (clock: string, word: string): Mark[] => [...word].map(letter => ({ clock: `${clock}.000`, ok: letter === 'O' }))

describe('the strip of a terminal', () => {
  it('shows the newest marks that fit', () => {
    expect(strip(marks('21:00:00', 'OOOXXO'), 4, plain)).toBe('─XX─')
    expect(strip([], 10, plain)).toBe('')
    expect(strip(marks('21:00:00', 'OX'), -3, plain)).toBe('')
  })

  it('colours neighbours of one kind together', () => {
    expect(strip(marks('21:00:00', 'OOXX'), 10, (tone, text) => `<${tone} ${text}>`)).toBe('<good ──><bad XX>')
  })

  it('keeps a bounded number of marks', () => {
    let kept: readonly Mark[] = []
    for (let round = 0; round < 100; round += 1) kept = addMarks(kept, marks('21:00:00', 'OOOOOOOOOO'))
    expect(kept.length).toBe(400)
  })
})

describe('the strip of plain output', () => {
  it('prints the first good second, every bad one and the good one after it', () => {
    const lines = new StripLines()
    const said = ['OOO', 'OOO', 'OXX', 'XXX', 'OOO', 'OOO'].flatMap((word, second) => lines.add(marks(`21:00:0${second}`, word)))
    expect([...said, ...lines.end()]).toEqual([
      '21:00:00  client  OK OK OK  (and so on)',
      '21:00:02  client  OK XX XX',
      '21:00:03  client  XX XX XX',
      '21:00:04  client  OK OK OK  (and so on)',
    ])
    expect(lines.end()).toEqual([])
  })
})

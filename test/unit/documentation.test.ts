/** What a reader is sent to exists: files and headings in the documents, sections of the protocol in comments. */
import { describe, expect, it } from 'vitest'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
const DOCUMENTS = [...readdirSync(ROOT), ...readdirSync(join(ROOT, 'docs')).map(name => `docs/${name}`)].filter(name => name.endsWith('.md')).map(name => join(ROOT, name))
const SOURCES = ['src', 'agent', 'executer', 'test', 'scripts'].flatMap(folder => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts')).map(name => join(ROOT, folder, name)))

const textOf = (file: string): string => readFileSync(file, 'utf8')
/** Without the blocks of code, in which `#` begins a comment. */
const proseOf = (file: string): string => textOf(file).replaceAll(/^ *```[^]*?^ *```/gm, '')

/** As a forge makes them: lower case, words joined by dashes, without punctuation. */
function anchorsOf(file: string): string[] {
  return [...proseOf(file).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'))
}

describe('the documents', () => {
  it.each(DOCUMENTS.map(file => ({ name: relative(ROOT, file), file })))('$name sends nobody to what does not exist', ({ file }) => {
    for (const [, target] of proseOf(file).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [path, anchor] = target!.split('#')
      const goal = path ? join(dirname(file), path) : file
      expect(existsSync(goal), target).toBe(true)
      if (anchor !== undefined) expect(anchorsOf(goal), target).toContain(anchor)
    }
  })
})

describe('the comments', () => {
  it('name sections that the protocol has', () => {
    const sections = [...textOf(join(ROOT, 'docs/protocol.md')).matchAll(/^## (\d+)\. /gm)].map(([, number]) => number!)
    expect(sections.length).toBeGreaterThan(0)
    const strange = SOURCES.flatMap(file => [...textOf(file).matchAll(/\bprotocol(?:\.md)? (\d+(?:\.\d+)?)/g)].filter(([, number]) => !sections.includes(number!)).map(([words]) => `${relative(ROOT, file)}: ${words}`))
    expect(strange).toEqual([])
  })
})

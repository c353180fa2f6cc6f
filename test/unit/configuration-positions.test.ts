import { parse } from 'smol-toml'
import { describe, expect, it } from 'vitest'
import { TomlPositions, type TomlPath } from '../../src/configuration/toml-positions.ts'

const TEXT = `# comment with [brackets] and key = "value"
a = """
x = 1 # not a key ""\\"
[no]"""   # comment
b = [ "one", # with a comment, and ]
  'two', [3, 4],
]
'q.k' . "w\\u0041" = 1979-05-27 07:32:00
c = { d = 1, e = [ { f = "}" } ] }

[table.sub]
g = '''
h = 1'''
h = 2

[[list]]
i = 1
  [list.sub]
  j = 1
[[list]]
i = 2
  [list.sub]
  j = 2
    [[list.sub.deep]]
    k = 1
`

describe('positions in TOML', () => {
  const cases: readonly [TomlPath, number, number][] = [
    [['a'], 2, 1], [['b'], 5, 1], [['b', 0], 5, 7], [['b', 1], 6, 3], [['b', 2, 1], 6, 14], [['q.k', 'wA'], 8, 1], [['c', 'd'], 9, 7], [['c', 'e', 0, 'f'], 9, 22],
    [['table'], 11, 1], [['table', 'sub', 'g'], 12, 1], [['table', 'sub', 'h'], 14, 1], [['list', 0], 16, 1], [['list', 0, 'sub', 'j'], 19, 3], [['list', 1], 20, 1],
    [['list', 1, 'i'], 21, 1], [['list', 1, 'sub', 'j'], 23, 3], [['list', 1, 'sub', 'deep', 0, 'k'], 25, 5],
    // What is missing points at the table it is missing from.
    [['list', 1, 'missing'], 20, 1], [['missing'], 1, 1], [['no'], 1, 1],
  ]
  it.each(cases)('%j', (path, line, column) => {
    expect(new TomlPositions(TEXT).of(path)).toEqual({ line, column })
  })

  it('the text of these cases is TOML, with and without carriage returns', () => {
    expect(parse(TEXT)).toHaveProperty(['list', '1', 'sub', 'deep', '0', 'k'], 1)
    expect(new TomlPositions(TEXT.replaceAll('\n', '\r\n')).of(['list', 1, 'i'])).toEqual({ line: 21, column: 1 })
  })

  it('ends on any text, also one that is not TOML', () => {
    for (let end = 0; end < TEXT.length; end++) new TomlPositions(TEXT.slice(end))
    expect(new TomlPositions('= = [[[ "').of(['x'])).toEqual({ line: 1, column: 1 })
  })
})

import { describe, expect, it } from 'vitest'
import { cutsOfStory, failuresOf, resultTable } from '../../../scripts/demonstration/result-table.ts'
import { plain } from '../../../src/cli/render/style.ts'
import { sampleFindings, sampleIncident, stampAfter } from './samples.ts'

describe('the table at the end', () => {
  it('puts this run beside our prediction and the thesis', () => {
    const text = resultTable(sampleFindings(), plain, 160).join('\n')
    expect(text).toMatch(/function given again +2\.20 +1\.90 +7\.46 \(6\.67\) +detection by login/)
    expect(text).toMatch(/target back +8\.15 +6\.00 +146\.76 \(146\.73\)/)
    expect(text).toMatch(/client cut off +3\.71 +3\.40 +14\.14 \(13\.67 ± 5\)/)
    expect(text).toMatch(/detection +1\.27 +- +-/)
    expect(text).toMatch(/back on its own host +10\.83/)
    expect(text).toMatch(/client at the return +0\.33/)
    expect(text).toContain('never seen on two hosts: 357 samples')
    expect(text).not.toContain('SIMULATED')
  })

  it('fits a terminal of 80 columns with its figures', () => {
    const lines = resultTable(sampleFindings(), plain, 79)
    const figures = lines.filter(line => /^(SECONDS|function|target|client|detection|back)/.test(line)).slice(0, 7)
    expect(Math.max(...figures.map(line => line.length))).toBeLessThan(80)
    expect(lines.join('\n')).toContain('back on its own host  power cut →')
  })

  it('says that a simulated run is one', () => {
    expect(resultTable(sampleFindings({ simulated: true }), plain, 160)[0]).toMatch(/^SIMULATED/)
  })

  it('shows what is not known as such', () => {
    const text = resultTable(sampleFindings({ incident: undefined, returned_ms: undefined, client: { attempts: 0, failed: 0, cuts: [] } }), plain, 160).join('\n')
    expect(text).toMatch(/function given again +- +- +7\.46/)
    expect(text).toMatch(/client cut off +- +- +14\.14/)
    expect(text).not.toContain('NaN')
  })

  it('takes the first cut at or after the power cut as its own, later ones as the return\'s', () => {
    const { power, later } = cutsOfStory(sampleFindings().client.cuts, sampleFindings().cut_ms)
    expect(power?.ms).toBe(3_710)
    expect(later.map(cut => cut.ms)).toEqual([330])
  })
})

describe('the verdict', () => {
  it('has nothing against a run in which the function was given again and returned', () => {
    expect(failuresOf(sampleFindings())).toEqual([])
  })

  it.each([
    ['no virtual giver', { virtual_giver: undefined }, /virtual server/],
    ['no return', { returned_ms: undefined }, /did not give its own function again/],
    ['no incident', { incident: undefined }, /no incident/],
    ['an open incident', { incident: sampleIncident({ outcome: 'open' }) }, /"open"/],
    ['no Wake-on-LAN', { incident: sampleIncident({ stages: [] }) }, /Wake-on-LAN/],
    ['a client still cut off', { client: { attempts: 9, failed: 3, cuts: [{ start: stampAfter(0), end: null, ms: 900, reason: 'no answer' }] } }, /still cut off/],
    ['a client that never asked', { client: { attempts: 0, failed: 0, cuts: [] } }, /no attempt/],
    ['an audit with a finding', { audit: { ok: false, violations: ['S1 ftp: two hosts'], how: '' } }, /S1 ftp: two hosts/],
  ])('refuses %s', (_name, changes, reason) => {
    expect(failuresOf(sampleFindings(changes)).join('\n')).toMatch(reason)
  })
})

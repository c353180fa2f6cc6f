import { describe, expect, it } from 'vitest'
import { captions, ringPicture, watchedAfter } from '../../../scripts/demonstration/ring-picture.ts'
import { plain } from '../../../src/cli/render/style.ts'
import { sampleStatus } from './samples.ts'

describe('the picture of the ring', () => {
  it('draws the whole ring as a loop, watched both ways', () => {
    expect(ringPicture(sampleStatus(), plain)).toEqual([
      'mail ═══════════════► login ══════════════► ftp',
      ' ▲                                           ║',
      ' ║                                           ▼',
      'web2 ◄═══════════════ web1 ◄═══════════════ proxy',
    ])
  })

  it('marks a host that is gone, lets the line of its neighbours pass it, and names who gives its function', () => {
    expect(ringPicture(sampleStatus({ out: ['ftp'], giver: 'login' }), plain)).toEqual([
      'mail ═══════════════► login +ftp ══════════ ✗ ftp',
      ' ▲                                           ║',
      ' ║                                           ▼',
      'web2 ◄═══════════════ web1 ◄═══════════════ proxy',
    ])
  })

  it('closes the ring around several neighbours at once, across its seam too', () => {
    const picture = ringPicture(sampleStatus({ out: ['web2', 'mail'] }), plain)
    expect(picture[0]).toBe('✗ mail ═════════════► login ══════════════► ftp')
    expect(picture[1]?.startsWith(' ║')).toBe(true)
    expect(picture[3]).toBe('✗ web2 ══════════════ web1 ◄═══════════════ proxy')
  })

  it('shows a gap nobody watches yet, and one that P1 watches alone', () => {
    const status = sampleStatus()
    const without = (name: string, priority: 1 | 2) => status.hosts.map(host => host.name === name ? { ...host, targets: host.targets.filter(each => each.priority !== priority) } : host)
    expect(watchedAfter(without('ftp', 2), 1)).toEqual({ watched: 'one', arrives: true })
    const nobody = without('ftp', 2).map(host => host.name === 'login' ? { ...host, targets: [] } : host)
    expect(watchedAfter(nobody, 1)).toEqual({ watched: 'none', arrives: false })
  })

  it('shows a host that renews its lease again before its function is back', () => {
    const status = sampleStatus({ giver: 'login' })
    const hosts = status.hosts.map(host => host.name === 'ftp' ? { ...host, state: 'separated' as const } : host)
    expect(ringPicture({ ...status, hosts }, plain)[0]).toContain('► ftp (back)')
  })

  it('survives a ring of one', () => {
    const picture = ringPicture(sampleStatus({ out: ['mail', 'ftp', 'proxy', 'web1', 'web2'] }), plain)
    expect(picture.join('\n')).toContain('┄')
    expect(picture.join('\n')).not.toContain('═')
  })
})

describe('the captions', () => {
  it('tell who gives the function and who watches in which mode', () => {
    expect(captions(sampleStatus(), 'ftp')).toEqual({ given: 'ftp itself (epoch 1)', modes: 'login (P1) regular, proxy (P2) regular' })
    expect(captions(sampleStatus({ giver: 'login' }), 'ftp').given).toBe('virtual server ftp-v on login (epoch 2)')
    expect(captions(sampleStatus({ giver: null }), 'ftp').given).toBe('nobody')
    expect(captions(sampleStatus({ mode: 'network examination' }), 'ftp').given).toBe('ftp itself (epoch 1), in doubt')
    expect(captions(sampleStatus({ out: ['ftp'] }), 'ftp').modes).toBe('nobody')
  })
})

/** L3 lets a host wait for a person only if it was struck again after its third wake-up, somebody was told, and its function is given. */
import { describe, expect, it } from 'vitest'
import { sampleInventory } from '../../src/simulator/sample-inventory.ts'
import { World, type WorldOptions } from '../../src/simulator/world.ts'

const STRUCK_MS = 20_000
/** Missed after 2 s, and called 6, 18 and 30 s later. */
const BETWEEN_CALLS_MS = STRUCK_MS + 25_000
const CALLED_MS = STRUCK_MS + 34_000
/** Twelve seconds after the third call the target is given up. */
const GIVEN_UP_MS = STRUCK_MS + 46_000

interface Story extends WorldOptions {
  /** It comes by itself, and loses its power again before it has booted. */
  readonly again_ms?: number
  readonly until_ms?: number
  readonly before_end?: (world: World) => void
}

/** web2 loses its power, and no call reaches it. */
function play({ again_ms, until_ms = GIVEN_UP_MS, before_end, ...options }: Story): { deviations: string[]; called: number } {
  const world = new World(sampleInventory(6), 1, options)
  let called = 0
  world.onLog = (_, text) => { if (text.startsWith('__Wake_on_LAN_web2')) called += 1 }
  for (const name of world.names) world.host(name).powerOn()
  const web2 = world.host('web2')
  world.queue.at(STRUCK_MS, () => {
    web2.wakeable = false
    web2.powerOff()
  })
  if (again_ms !== undefined) {
    world.queue.at(again_ms - 1_000, () => web2.powerOn())
    world.queue.at(again_ms, () => web2.powerOff())
  }
  world.queue.runUntil(until_ms)
  before_end?.(world)
  return { deviations: world.checker.deviations(), called }
}

describe('a host that is struck again', () => {
  it('after its third wake-up waits for a person, and the rest is policy', () => {
    expect(play({ again_ms: CALLED_MS })).toEqual({ deviations: [], called: 3 })
  })

  const NOT_EXCUSED: readonly (readonly [string, Story])[] = [
    ['it was not struck again: no call ever reached it', {}],
    ['it was struck before the third call', { again_ms: BETWEEN_CALLS_MS }],
    ['its ladder is not at its end yet', { again_ms: CALLED_MS, until_ms: GIVEN_UP_MS - 5_000 }],
    ['nobody was told', { again_ms: CALLED_MS, broken: { reports_lost: true } }],
    ['its virtual server does not answer', { again_ms: CALLED_MS, before_end: world => world.muteVirtualServer('web2') }],
    ['its virtual server has gone', { again_ms: CALLED_MS, before_end: world => world.hosts.forEach(host => host.virtual_servers.delete('web2')) }],
    ['it has power again', { again_ms: CALLED_MS, before_end: world => world.host('web2').powerOn() }],
  ]

  it.each(NOT_EXCUSED)('is not policy when %s', (_, story) => {
    expect(play(story).deviations).toContain('web2 has no agent')
  })

  it('excuses nothing else', () => {
    const { deviations } = play({ again_ms: CALLED_MS, before_end: world => world.host('ftp').powerOff() })
    expect(deviations).toContain('ftp has no agent')
    expect(deviations.join()).not.toContain('web2 has no agent')
  })
})

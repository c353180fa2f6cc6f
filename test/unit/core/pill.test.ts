import { describe, expect, it } from 'vitest'
import { Harness, type HarnessOptions } from './harness.ts'

/** ftp hears nobody and pings nobody, and renews as all others do. */
function alone(options: HarnessOptions = {}, self = 'ftp'): Harness {
  const harness = Harness.settled(self, options)
  for (const host of harness.hosts.values()) host.answers = false
  harness.deaf()
  return harness
}

/** By login, who has just seen that renewal; `ago`: or one so many renewals before. */
function ask(harness: Harness, ago = 0, generation = 1): void {
  const { self, state } = harness
  harness.pills = [{ schema: 'ringward.pill/1', host: self, generation, sequence: Math.max(0, state.own.sequence - ago), by: 'login' }]
}

const stopped = (harness: Harness): string[] => harness.asked('stop').map(command => command.function)
const released = (harness: Harness): string[] => harness.asked('release').map(({ order }) => `${order.function} ${order.epoch} ${order.how}`)

describe('a host that hears nobody', () => {
  it('releases its function when it is asked, after five rounds, stopped first, and does not take it up again', () => {
    const harness = alone()
    harness.run(4_000)
    ask(harness)
    harness.run(2_000)
    expect(stopped(harness)).toEqual([])
    harness.run(4_000)
    expect(stopped(harness)).toEqual(['ftp'])
    expect(released(harness)).toEqual(['ftp 1 goodbye'])
    expect(harness.commands.findIndex(({ command }) => command === 'stop')).toBeLessThan(harness.commands.findIndex(({ command }) => command === 'release'))
    expect(harness.said('Asked_by_login_on_the_shared_area: ftp_is_released')).toBe(true)
    ask(harness)
    harness.run(60_000)
    expect(harness.asked('serve')).toEqual([])
    expect(harness.asked('claim')).toEqual([])
  })

  it('releases nothing by itself, nor for a question that is old or was put to another life of it', () => {
    const harness = alone()
    harness.run(20_000)
    ask(harness, 21)
    harness.run(1_000)
    ask(harness, 0, 2)
    harness.run(1_000)
    harness.pills = [{ schema: 'ringward.pill/1', host: 'web1', generation: 1, sequence: harness.state.own.sequence, by: 'login' }]
    harness.run(1_000)
    expect(stopped(harness)).toEqual([])
  })

  it.each([
    ['a host is heard still', (harness: Harness) => void harness.event({ event: 'reach', host: 'web2', reachable: true, why: 'stream open' })],
    ['a neighbour answers its pings', (harness: Harness) => Object.assign(harness.host('proxy'), { answers: true })],
    ['fewer than two others renew', (harness: Harness) => [...harness.hosts.values()].slice(1).forEach(host => Object.assign(host, { renews: false }))],
    ['its own lease is not renewed', (harness: Harness) => Object.assign(harness, { renews: false })],
    ['the shared area is not read', (harness: Harness) => Object.assign(harness, { share_answers: false })],
    ['the ring is on hold', (harness: Harness) => Object.assign(harness, { orders: [{ order: 'hold', remaining_ms: 1e6 }] })],
  ])('keeps its function while %s', (_, be) => {
    const harness = alone()
    be(harness)
    for (let second = 0; second < 30; second += 1) {
      ask(harness)
      harness.host('web2').reachable = harness.state.hosts.get('web2')!.reachable
      harness.run(1_000)
    }
    expect(stopped(harness)).toEqual([])
    expect(released(harness)).toEqual([])
  })

  it('keeps it while it is slow itself: what it did not hear may have been said', () => {
    const harness = alone()
    for (let second = 0; second < 30; second += 1) {
      ask(harness)
      harness.event({ event: 'health', stalled_ms: 700, own_probes_missed: 0 })
      harness.run(1_000)
    }
    expect(stopped(harness)).toEqual([])
  })

  it('asks the gateway each round where there is one, and lets go only when it has not answered three times', () => {
    const harness = alone({ inventory: { gateway: '10.77.0.1' } })
    for (let second = 0; second < 15; second += 1) {
      ask(harness)
      harness.run(1_000)
      harness.event({ event: 'gateway', answered: true })
    }
    expect(harness.asked('gateway').length).toBeGreaterThan(8)
    harness.event({ event: 'gateway', answered: false })
    harness.event({ event: 'gateway', answered: false })
    harness.run(500)
    expect(stopped(harness)).toEqual([])
    harness.event({ event: 'gateway', answered: false })
    harness.run(500)
    expect(stopped(harness)).toEqual(['ftp'])
  })

  it('of two keeps its function for ever', () => {
    const harness = alone({ hosts: 2 }, 'mail')
    for (let second = 0; second < 30; second += 1) {
      ask(harness)
      harness.run(1_000)
    }
    expect(stopped(harness)).toEqual([])
  })

  it.each([[true, []], [false, ['mail']]] as const)('of two lets it go by the word of a gateway alone, which answers: %s', (answered, gone) => {
    const harness = alone({ hosts: 2, inventory: { gateway: '10.77.0.1' } }, 'mail')
    for (let second = 0; second < 15; second += 1) {
      ask(harness)
      harness.run(1_000)
      harness.event({ event: 'gateway', answered })
    }
    expect(stopped(harness)).toEqual(gone)
  })
})

/** mail hears nobody, login renews, and ftp is dead; mail was nominated for ftp's function and stands ready. */
function oneOfTheLastTwo(gateway: string | undefined): Harness {
  const harness = alone({ hosts: 3, ...gateway === undefined ? {} : { inventory: { gateway } } }, 'mail')
  harness.die('ftp')
  harness.manual.add('prepare')
  harness.runUntil(() => harness.asked('prepare').length > 0, 20_000)
  harness.event({ event: 'prepared', function: 'ftp', ok: true, detail: 'paused' })
  return harness
}

describe('what a dead host gave, of the last two that do not hear each other', () => {
  const claimed = (harness: Harness): string[] => harness.asked('claim').map(({ order }) => order.function)

  it('is claimed as ever where there is no gateway', () => {
    const harness = oneOfTheLastTwo(undefined)
    harness.run(1_000)
    expect(claimed(harness)).toEqual(['ftp'])
  })

  it('is claimed at once by the one that the gateway answers', () => {
    const harness = oneOfTheLastTwo('10.77.0.1')
    harness.event({ event: 'gateway', answered: true })
    harness.run(1_000)
    expect(claimed(harness)).toEqual(['ftp'])
  })

  it('is left to the other for five intervals by one that it does not answer, and then claimed: the gateway may be dead', () => {
    const harness = oneOfTheLastTwo('10.77.0.1')
    harness.run(4_500)
    expect(claimed(harness)).toEqual([])
    harness.run(2_000)
    expect(claimed(harness)).toEqual(['ftp'])
  })

  it('is left to the other as long as that one asks', () => {
    const harness = oneOfTheLastTwo('10.77.0.1')
    for (let second = 0; second < 10; second += 1) {
      ask(harness)
      harness.run(1_000)
    }
    expect(claimed(harness)).toEqual([])
  })
})

/** login is P1 of ftp, which renews and answers nobody. */
function unreached(): Harness {
  const harness = Harness.settled('login')
  Object.assign(harness.host('ftp'), { answers: false, reachable: false })
  harness.event({ event: 'reach', host: 'ftp', reachable: false, why: 'no heartbeat' })
  return harness
}

/** The answers of those who were asked to look, as long as time passes. */
function others(harness: Harness, duration_ms: number, answered: boolean): void {
  for (let ms = 0; ms < duration_ms; ms += 100) {
    const asked = harness.sent('probe-request').at(-1)
    if (asked) harness.message(asked.to, { kind: 'probe-answer', request: asked.message.request, target: 'ftp', answered })
    harness.run(100)
  }
}

describe('the manager of a host that renews and is not reached', () => {
  it('asks it on the share when another has not reached it either, and again before the question is over', () => {
    const harness = unreached()
    others(harness, 6_000, false)
    const [first] = harness.asked('pill')
    expect(first?.order).toMatchObject({ host: 'ftp', generation: 1, by: 'login' })
    expect(harness.asked('pill').length).toBeLessThan(3)
    others(harness, 10_000, false)
    const asked = harness.asked('pill').map(({ order }) => order.sequence)
    for (const [index, sequence] of asked.entries()) if (index > 0) expect(sequence - asked[index - 1]!).toBeLessThanOrEqual(12)
    expect(asked.length).toBeGreaterThanOrEqual(3)
    expect(harness.reasons.filter(({ text }) => text.startsWith('Ask_ftp_on_the_shared_area'))).toHaveLength(1)
    expect(harness.asked('claim')).toEqual([])
  })

  it.each([
    ['another reaches it', (harness: Harness) => others(harness, 15_000, true)],
    ['nobody else has looked', (harness: Harness) => harness.run(15_000)],
    ['it hears nobody itself', (harness: Harness) => { harness.deaf(); others(harness, 15_000, false) }],
    ['the ring is on hold', (harness: Harness) => { harness.orders = [{ order: 'hold', remaining_ms: 1e6 }]; others(harness, 15_000, false) }],
    ['somebody else has just asked it', (harness: Harness) => {
      harness.pills = [{ schema: 'ringward.pill/1', host: 'ftp', generation: 1, sequence: harness.host('ftp').sequence, by: 'proxy' }]
      others(harness, 3_000, false)
    }],
    ['it gives nothing', (harness: Harness) => {
      harness.releases.set('ftp 1', { schema: 'ringward.release/1', function: 'ftp', epoch: 1, how: 'goodbye', by: 'ftp' })
      others(harness, 15_000, false)
    }],
  ])('does not ask while %s', (_, pass) => {
    const harness = unreached()
    pass(harness)
    expect(harness.asked('pill')).toEqual([])
  })

  it('asks it, though it hears nobody itself, when the gateway answers here', () => {
    const harness = Harness.settled('login', { hosts: 2, inventory: { gateway: '10.77.0.1' } })
    Object.assign(harness.host('mail'), { answers: false })
    harness.deaf()
    harness.run(5_000)
    expect(harness.asked('pill')).toEqual([])
    harness.event({ event: 'gateway', answered: true })
    harness.run(1_000)
    expect(harness.asked('pill').map(({ order }) => order.host)).toEqual(['mail'])
  })

  it('does not ask a host that has just died', () => {
    const harness = Harness.settled('login')
    harness.die('ftp')
    others(harness, 10_000, false)
    expect(harness.asked('pill')).toEqual([])
  })

  it('asks again when the question could not be written', () => {
    const harness = unreached()
    others(harness, 4_000, false)
    const { length } = harness.asked('pill')
    harness.event({ event: 'asked', target: 'ftp', ok: false, detail: 'no answer in time' })
    others(harness, 1_000, false)
    expect(harness.asked('pill').length).toBe(length + 1)
  })
})

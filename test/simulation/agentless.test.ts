/** Servers without an agent: whatever happens to them and around them, one giver at most, and the layout returns to policy. */
import { describe, expect, it } from 'vitest'
import { sampleInventory } from '../../src/simulator/sample-inventory.ts'
import { runSchedule } from '../../src/simulator/schedule.ts'
import { World } from '../../src/simulator/world.ts'

const START_MS = 20_000

/** Six hosts that run for a while, ftp without an agent. */
function ring(seed: number, wishes: { power_command?: boolean; hand_lies?: boolean } = {}): { world: World; log: string[] } {
  const world = new World(sampleInventory(6, { agentless: ['ftp'], power_command: wishes.power_command ?? false }), seed, { broken: { hand_lies: wishes.hand_lies ?? false } })
  const log: string[] = []
  world.onLog = (host, text) => log.push(`${host} ${text}`)
  for (const name of world.names) world.host(name).powerOn()
  world.queue.runUntil(START_MS)
  return { world, log }
}

describe('a ring with a server without an agent', () => {
  it('settles, with the VIP where its first claim says', () => {
    const { world } = ring(1)
    expect(world.checker.deviations()).toEqual([])
    expect(world.share.claims.get('ftp')).toMatchObject([{ epoch: 1, holder: 'ftp', generation: 0, kind: 'native', proof: 'first' }])
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('survives three random faults at once, seed %i', seed => {
    for (const power_command of [false, true]) {
      const { violations, deviations } = runSchedule({ seed: 40 + seed, count: 3, targets: ['ftp'], agentless: ['ftp', 'web1'], power_command })
      expect({ violations, deviations }).toEqual({ violations: [], deviations: [] })
    }
  })

  it('never claims by silence, however long nothing is heard', () => {
    const { world, log } = ring(2)
    world.isolate('ftp')
    world.queue.runUntil(START_MS + 200_000)
    expect(world.share.claims.get('ftp')).toHaveLength(1)
    expect(log.filter(line => line.includes('No_proof_that_ftp_has_stopped')).length).toBeGreaterThanOrEqual(3)
    world.reconnect('ftp')
    world.queue.runUntil(START_MS + 240_000)
    expect(world.checker).toMatchObject({ violations: [] })
    expect(world.checker.deviations()).toEqual([])
  })

  it('switches off what has power and is not heard by anybody, and only then goes on', () => {
    const { world, log } = ring(3, { power_command: true })
    world.isolate('ftp')
    world.queue.runUntil(START_MS + 15_000)
    expect(log.filter(line => line.includes('Power_')).map(line => /Power_[a-z]+(_of_ftp: \w+)?/.exec(line)![0]).slice(0, 4)).toEqual([
      'Power_off', 'Power_off_of_ftp: off', 'Power_status_of_ftp: off', 'Power_on',
    ])
    expect(world.share.claims.get('ftp')?.[1]).toMatchObject({ kind: 'virtual', proof: 'released' })
    expect(world.checker.violations).toEqual([])
  })

  it('does not touch the power while another host hears it', () => {
    const { world, log } = ring(4, { power_command: true })
    world.connected = (from, to) => !(from === 'login' && to === 'ftp')
    world.queue.runUntil(START_MS + 60_000)
    expect(log.filter(line => line.includes('Power_off'))).toEqual([])
    expect(world.share.claims.get('ftp')).toHaveLength(1)
  })

  it('takes the VIP off a server whose own system puts it on at boot', () => {
    const { world, log } = ring(5, { power_command: true })
    world.host('ftp').appliance!.boot_addresses.add('10.77.0.113')
    world.host('ftp').powerOff()
    world.queue.runUntil(START_MS + 60_000)
    expect(log.some(line => line.includes('Virtual_IP_of_ftp_is_on_it_though'))).toBe(true)
    // That is why it must not be configured there: two givers until the hand has come.
    expect(new Set(world.checker.violations.map(({ rule }) => rule))).toEqual(new Set(['S1']))
    expect(world.checker.deviations()).toEqual([])
  })

  it('would be seen to break S1 if the hand said "taken off" without doing it', () => {
    const { world } = ring(6, { hand_lies: true })
    world.onLog = (_, text) => {
      // Otherwise the reboot that follows would hide it.
      if (text.startsWith('Remote_hand_release_on_ftp')) world.handless.add('ftp')
    }
    world.host('ftp').breakService('broken until reboot')
    world.queue.runUntil(START_MS + 10_000)
    expect(world.checker.violations).toContainEqual(expect.objectContaining({ rule: 'S1' }))
  })
})

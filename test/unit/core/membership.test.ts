import { describe, expect, it } from 'vitest'
import type { Inventory } from '../../../src/core/inventory.ts'
import { sampleInventory } from '../../../src/simulator/sample-inventory.ts'
import { rightToClaim } from '../../../src/core/right-to-claim.ts'
import { promisesNeeded } from '../../../src/core/electorate.ts'
import { candidatesFor } from '../../../src/core/placement.ts'
import { claimOf, Harness, native, virtual } from './harness.ts'

const DNS = sampleInventory(7).servers.find(server => server.name === 'dns')!

function without(harness: Harness, ...names: string[]): Inventory {
  return { ...harness.state.inventory, version: 'next', servers: harness.state.inventory.servers.filter(server => !names.includes(server.name)) }
}

function withDns(harness: Harness): Inventory {
  return { ...harness.state.inventory, version: 'next', servers: [...harness.state.inventory.servers, DNS] }
}

/** dns is published, starts, and claims its function. */
function joined(harness: Harness): void {
  if (!harness.state.order.includes('dns')) harness.event({ event: 'inventory', inventory: withDns(harness) })
  harness.hosts.set('dns', { generation: 1, sequence: 0, standing: 'member', renews: true, answers: true, reachable: true, service: 'OK', power: 'on', giving: [native('dns')], load: undefined })
  harness.claims.set('dns', [claimOf('dns', 1, 'dns')])
  harness.event({ event: 'reach', host: 'dns', reachable: true, why: 'stream open' })
  harness.run(3_000)
}

describe('a server that joins', () => {
  it('is in the order at once, and watched by its neighbours when its lease is there', () => {
    const harness = Harness.settled('web2')
    harness.event({ event: 'inventory', inventory: withDns(harness) })
    expect(harness.said('Server_dns_joins_the_ring')).toBe(true)
    expect(harness.state.order.at(-1)).toBe('dns')
    expect([...harness.state.watches.keys()].sort()).toEqual(['mail', 'web1'])
    joined(harness)
    expect([...harness.state.watches.keys()].sort()).toEqual(['dns', 'web1'])
    expect(harness.asked('watch').at(-1)).toEqual({ command: 'watch', targets: ['dns', 'web1'] })
  })

  it('is listed and asked for promises as soon as it has a lease, and not before', () => {
    const harness = Harness.settled('ftp')
    harness.event({ event: 'inventory', inventory: withDns(harness) })
    harness.run(600)
    expect(harness.asked('electorate').at(-1)).toEqual({ command: 'electorate', names: ['mail', 'login', 'proxy', 'web1', 'web2'] })
    joined(harness)
    expect(harness.asked('electorate').at(-1)).toEqual({ command: 'electorate', names: ['mail', 'login', 'proxy', 'web1', 'web2', 'dns'] })
    harness.renews = false
    harness.run(1_500)
    expect(harness.sent('promise-request', 'dns').length).toBeGreaterThan(0)
  })

  it('is not asked while it is unmanaged, and asked until the records on the share say so', () => {
    const harness = Harness.settled('ftp')
    Object.assign(harness.host('web1'), { standing: 'unmanaged', sequence: 1_000, renews: false })
    harness.host('web2').standing = 'goodbye'
    harness.run(1_200)
    expect(harness.asked('electorate').at(-1)).toEqual({ command: 'electorate', names: ['mail', 'login', 'proxy', 'web2'] })
    const renewal = { event: 'lease', generation: 1, sequence: 1_000, deadline_ms: harness.now_ms + harness.profile.stop_ms } as const
    harness.event({ ...renewal, electorate: ['mail', 'login', 'proxy', 'web1', 'web2'] })
    expect(promisesNeeded(harness.state)).toContain('web1')
    harness.event({ ...renewal, electorate: ['mail', 'login', 'proxy', 'web2'] })
    expect(promisesNeeded(harness.state)).toEqual(['mail', 'login', 'proxy', 'web2'])
  })

  it('is known by its claim before it is known by the inventory, and nothing breaks', () => {
    const harness = Harness.settled('ftp')
    harness.addClaim(claimOf('mail', 2, 'dns'))
    harness.run(1_000)
    expect(harness.state.hosts.has('dns')).toBe(true)
    expect(harness.event({ event: 'message', from: 'dns', message: { kind: 'look' } }).reasons[0]!.text).toContain('dropped')
    harness.run(6_000)
    expect(harness.asked('incident').map(({ entry }) => entry.target)).not.toContain('dns')
  })
})

describe('a server that is taken out', () => {
  it('leaves order, watches and incidents', () => {
    const harness = Harness.settled('login')
    harness.die('ftp')
    harness.runUntil(() => harness.stages().includes('detected'), 5_000)
    harness.event({ event: 'inventory', inventory: without(harness, 'ftp') })
    expect(harness.state.order).not.toContain('ftp')
    expect(harness.state.watches.has('ftp')).toBe(false)
    expect(harness.state.incidents.size + harness.state.rehoming.size).toBe(0)
    expect(harness.asked('incident').at(-1)!.entry).toMatchObject({ stage: 'closed', outcome: 'forgotten', target: 'ftp' })
    harness.run(10_000)
    expect(harness.state.hosts.has('ftp')).toBe(false)
    expect(harness.state.incidents.size).toBe(0)
  })

  it('has its virtual server stopped by its giver, and released when every host knows', () => {
    const harness = Harness.settled('proxy')
    harness.die('ftp')
    harness.message('login', { kind: 'nominate', incident: 'i', function: 'ftp', epoch: 1, as: 'virtual' })
    for (let count = 0; count < 5; count += 1) {
      harness.run(1_000)
      harness.message('login', { kind: 'nominate', incident: 'i', function: 'ftp', epoch: 1, as: 'virtual' })
    }
    expect(harness.state.giving.get('ftp')?.stage).toBe('serving')
    harness.event({ event: 'inventory', inventory: { ...without(harness, 'ftp'), version: 'next' } })
    expect(harness.asked('stop')).toEqual([{ command: 'stop', function: 'ftp', kind: 'virtual' }])
    harness.run(3_000)
    expect(harness.asked('release')).toEqual([])
    // The others speak of their version in each condition.
    for (const facts of harness.state.hosts.values()) if (facts.condition) facts.condition = { ...facts.condition, version: 'next' }
    harness.event({ event: 'timer' })
    expect(harness.asked('release').map(({ order }) => order)).toEqual([{ function: 'ftp', epoch: 2, how: 'goodbye', by: 'proxy' }])
  })

  it('gave the function of another: its silence is waited for, and the function is its own matter', () => {
    const harness = Harness.settled('login')
    harness.addClaim(claimOf('ftp', 2, 'web1', { kind: 'virtual' }))
    harness.host('web1').giving.push(virtual('ftp', 2))
    harness.run(2_000)
    harness.die('web1')
    harness.event({ event: 'inventory', inventory: without(harness, 'web1') })
    expect(harness.state.hosts.has('web1')).toBe(true)
    expect(harness.runUntil(() => harness.sent('nominate').length + harness.asked('prepare').length > 0, 6_000)).toBe(true)
    expect(harness.asked('incident')[0]!.entry).toMatchObject({ target: 'ftp', stage: 'detected' })
    harness.run(2_000)
    expect(harness.said('the target renews its lease again')).toBe(false)
  })

  it('was nominated: the next-best is asked', () => {
    const harness = Harness.settled('login')
    harness.die('ftp')
    harness.runUntil(() => harness.sent('nominate').length > 0, 6_000)
    const nominee = harness.sent('nominate')[0]?.to
    if (nominee === undefined) return expect.fail('nobody was nominated')
    harness.event({ event: 'inventory', inventory: without(harness, nominee) })
    expect(harness.state.rehoming.get('ftp')?.nominee).not.toBe(nominee)
  })

  it('is being given while another function is nominated: there is an answer', () => {
    const harness = Harness.settled('proxy')
    harness.manual.add('stop')
    harness.message('login', { kind: 'nominate', incident: 'i', function: 'ftp', epoch: 1, as: 'virtual' })
    harness.event({ event: 'inventory', inventory: without(harness, 'ftp') })
    expect(harness.state.giving.get('ftp')?.stage).toBe('stopping')
    harness.message('login', { kind: 'nominate', incident: 'j', function: 'web1', epoch: 1, as: 'virtual' })
    expect(harness.sent('progress').find(({ message }) => message.function === 'web1')).toMatchObject({ to: 'login', message: { stage: 'preparing' } })
  })

  it('may be this host: the core keeps the former ring and says so', () => {
    const harness = Harness.settled('ftp')
    harness.event({ event: 'inventory', inventory: without(harness, 'ftp') })
    expect(harness.state.order).toContain('ftp')
    expect(harness.said('does_not_hold_this_host')).toBe(true)
  })

  it('comes back later', () => {
    const harness = Harness.settled('login')
    const whole = harness.state.inventory
    harness.event({ event: 'inventory', inventory: without(harness, 'ftp') })
    harness.run(2_000)
    harness.event({ event: 'inventory', inventory: { ...whole, version: 'again' } })
    harness.run(3_000)
    expect(harness.state.watches.get('ftp')).toMatchObject({ mode: 'regular', priority: 1 })
  })

  it('answers late: what the edges still say of it breaks nothing', () => {
    const harness = Harness.settled('login')
    harness.event({ event: 'inventory', inventory: without(harness, 'ftp') })
    harness.event({ event: 'probed', where: 'vip', target: 'ftp', verdict: 'OK', daemon: '', detail: '' })
    harness.event({ event: 'probed', where: 'own address', target: 'ftp', verdict: 'NG', daemon: 'x', detail: '' })
    harness.event({ event: 'examined', target: 'ftp', answered: false })
    harness.event({ event: 'ping', target: 'ftp', answered: false })
    harness.event({ event: 'hand', target: 'ftp', verb: 'reboot', ok: false, detail: '' })
    harness.event({ event: 'woken', target: 'ftp', ok: true, detail: '' })
    harness.event({ event: 'reach', host: 'ftp', reachable: false, why: 'gone' })
    harness.event({ event: 'claimed', function: 'ftp', epoch: 3, outcome: 'lost', standing: claimOf('ftp', 3, 'web1'), detail: '' })
    harness.event({ event: 'stopped', function: 'ftp', ok: true, detail: '' })
    harness.event({ event: 'adopted', function: 'ftp', epoch: 3, kind: 'virtual' })
    harness.event({ event: 'return-wanted', function: 'ftp' })
    expect(harness.asked('stop')).toEqual([{ command: 'stop', function: 'ftp', kind: 'virtual' }])
  })
})

describe('R9: a holder that asks somebody else', () => {
  it('is not taken for stopped by its silence, and the host is no candidate', () => {
    const harness = Harness.settled('proxy')
    harness.manual.add('prepare')
    harness.die('ftp')
    harness.run(8_000)
    const context = harness.context()
    expect(rightToClaim(context, 'ftp')).toMatchObject({ proof: 'silence' })
    const facts = harness.state.hosts.get('ftp')!
    facts.lease = { ...facts.lease!, electorate: ['mail', 'login'] }
    expect(rightToClaim(context, 'ftp')).toEqual({ refused: expect.stringContaining('ftp does not ask proxy for promises') as string })
    expect(candidatesFor(context, 'ftp', new Map()).find(({ host }) => host === 'web1')).toMatchObject({ value: null, reason: expect.stringContaining('does not ask web1') as string })
    expect(candidatesFor(context, 'ftp', new Map()).find(({ host }) => host === 'login')?.value).not.toBeNull()
    harness.addRelease('ftp', 1)
    harness.observe()
    expect(rightToClaim(harness.context(), 'ftp')).toMatchObject({ proof: 'released' })
  })

  it('is taken for stopped as to its virtual servers, which never ride', () => {
    const harness = Harness.settled('proxy')
    harness.manual.add('prepare')
    harness.addClaim(claimOf('web1', 2, 'ftp'))
    harness.die('ftp')
    harness.run(8_000)
    const facts = harness.state.hosts.get('ftp')!
    facts.lease = { ...facts.lease!, electorate: ['mail', 'login'] }
    expect(rightToClaim(harness.context(), 'web1')).toMatchObject({ proof: 'silence', epoch: 3 })
    expect(candidatesFor(harness.context(), 'web1', new Map()).find(({ host }) => host === 'web2')?.value).not.toBeNull()
  })
})

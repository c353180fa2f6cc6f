import { describe, expect, it } from 'vitest'
import { candidatesFor, loadsOf, virtualServersOn } from '../../../src/core/placement.ts'
import { claimOf, Harness } from './harness.ts'

const none = new Map<string, string>()
const reasonOf = (harness: Harness, host: string, excluded: ReadonlyMap<string, string> = none): string =>
  candidatesFor(harness, 'ftp', excluded).find(candidate => candidate.host === host)!.reason

describe('candidates', () => {
  it('are all hosts of the inventory, best first, those that are out of the question last', () => {
    const harness = Harness.settled('mail')
    harness.host('web1').load = { memory_kb: 8e6, cpu_idle_percent: 100, network_kb_per_s: 0 }
    harness.host('web2').load = { memory_kb: 4e6, cpu_idle_percent: 10, network_kb_per_s: 200_000 }
    harness.run(1_100)
    const candidates = candidatesFor(harness, 'ftp', new Map([['ftp', 'it is the failed host']]))
    expect(candidates.map(({ host }) => host).sort()).toEqual(['ftp', 'login', 'mail', 'proxy', 'web1', 'web2'])
    expect(candidates[0]).toMatchObject({ host: 'web1', value: 0 })
    expect(candidates.at(-1)).toEqual({ host: 'ftp', value: null, reason: 'it is the failed host' })
    expect(candidates.at(-2)).toMatchObject({ host: 'web2', value: 100 })
    const values = candidates.flatMap(({ value }) => (value === null ? [] : [value]))
    expect(values).toEqual([...values].sort((a, b) => a - b))
  })

  it('say how a value came about', () => {
    const harness = Harness.settled('mail')
    expect(reasonOf(harness, 'web1')).toBe('VM 0, memory 100, cpu 100, network 100 (NETWORK)')
  })
})

describe('a host is out of the question', () => {
  it('when it is not in the ring', () => {
    const harness = Harness.settled('mail')
    harness.manual.add('send')
    harness.host('web1').renews = false
    harness.run(2_600)
    expect(reasonOf(harness, 'web1')).toBe('not in the ring')
  })

  it('when it cannot be reached from here', () => {
    const harness = Harness.settled('mail')
    harness.event({ event: 'reach', host: 'web1', reachable: false, why: 'no heartbeat' })
    expect(reasonOf(harness, 'web1')).toBe('not reachable from this manager')
  })

  it('when it is this host, which hears none of the hosts that renew and is asked whether it is alone', () => {
    const harness = Harness.settled('mail')
    harness.deaf('web2')
    const { generation, sequence } = harness.state.own
    harness.pills = [{ schema: 'ringward.pill/1', host: 'mail', generation, sequence, by: 'login' }]
    harness.run(2_100)
    expect(reasonOf(harness, 'mail')).toContain('VM 0')
    // A stream may stay open for a while though nothing comes through it: web2 has told nothing for three rounds.
    Object.assign(harness.host('web2'), { reachable: false, answers: false })
    harness.run(3_600)
    expect(harness.state.hosts.get('web2')!.reachable).toBe(true)
    expect(reasonOf(harness, 'mail')).toBe('it hears none of the hosts that renew, and is asked whether it is alone: it is cut off itself')
    // One renewing host that is not heard does not tell which of the two is cut off.
    for (const { name } of harness.inventory.servers) if (name !== 'mail' && name !== 'web2') harness.host(name).renews = false
    harness.run(2_600)
    harness.event({ event: 'reach', host: 'web2', reachable: false, why: 'no heartbeat' })
    expect(reasonOf(harness, 'mail')).toContain('VM ')
  })

  it('when its load is not known yet', () => {
    const harness = Harness.settled('mail')
    harness.host('web1').load = undefined
    harness.run(1_100)
    expect(reasonOf(harness, 'web1')).toBe('its load is not known yet')
  })

  it('when the virtual server does not fit it, reserve included (S4)', () => {
    const harness = Harness.settled('mail')
    const needed_kb = (256 + 128) * 1024
    harness.host('web1').load = { memory_kb: needed_kb - 1, cpu_idle_percent: 100, network_kb_per_s: 0 }
    harness.host('web2').load = { memory_kb: needed_kb, cpu_idle_percent: 100, network_kb_per_s: 0 }
    harness.run(1_100)
    expect(reasonOf(harness, 'web1')).toBe('no room: 384 MB forecast free of 384 MB needed')
    expect(reasonOf(harness, 'web2')).toContain('VM 0')
  })

  it('for a reason given by the caller, before any other', () => {
    const harness = Harness.settled('mail')
    expect(reasonOf(harness, 'web1', new Map([['web1', 'tried already']]))).toBe('tried already')
  })
})

describe('virtual servers on a host', () => {
  it('are those it holds by a claim that is not released', () => {
    const harness = Harness.settled('mail')
    harness.addClaim(claimOf('ftp', 2, 'web1'))
    harness.addClaim(claimOf('proxy', 2, 'web1'))
    harness.observe()
    expect(virtualServersOn(harness.state, 'web1')).toBe(2)
    expect(reasonOf(harness, 'web1')).toContain('VM 2')
    harness.addRelease('proxy', 2)
    harness.manual.add('send')
    harness.observe()
    expect(virtualServersOn(harness.state, 'web1')).toBe(1)
  })

  it('include those it has just been chosen for: each choice sees the one just made (thesis, case d)', () => {
    const harness = Harness.settled('login')
    harness.die('ftp')
    harness.die('proxy')
    harness.runUntil(() => harness.state.rehoming.size === 2, 5_000)
    const [first, second] = [...harness.state.rehoming.values()].map(({ nominee }) => nominee)
    expect(first).not.toBe(second)
    expect(virtualServersOn(harness.state, first!)).toBe(1)
  })
})

describe('the load of the ring', () => {
  it('is that of the hosts that are present and have told it', () => {
    const harness = Harness.settled('mail')
    harness.host('web2').load = undefined
    harness.run(1_100)
    expect(loadsOf(harness.state).map(({ host }) => host)).toEqual(['mail', 'login', 'ftp', 'proxy', 'web1'])
  })
})

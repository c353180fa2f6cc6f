import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PlainHand, PlainOrder, PlainResult, PlainTarget } from '../../../src/edges/remote-hand/plain-hand.ts'

/** A target without an agent, a hand on it, and what really became of it. */
export interface PlainWorld {
  readonly hand: PlainHand
  readonly target: PlainTarget
  readonly daemon: string
  /** What its system has, seen without the hand. */
  hasVip(): Promise<boolean>
  addVip(): Promise<void>
  daemonRuns(): Promise<boolean>
  stopDaemon(): Promise<void>
  /** No SSH server answers any more. */
  unplug(): Promise<void>
  end(): Promise<void>
}

const LIMIT_MS = 20_000

/** What every hand on a target without an agent does, whatever system is found there. */
export function plainHandContract(name: string, start: () => Promise<PlainWorld>): void {
  describe(`the hand on a target without an agent: ${name}`, () => {
    const signal = new AbortController().signal
    let world: PlainWorld
    beforeAll(async () => { world = await start() })
    afterAll(async () => { await world?.end() })
    const order = (wanted: PlainOrder, limit_ms = LIMIT_MS): Promise<PlainResult> => world.hand.run(world.target, wanted, limit_ms, signal)

    it('sees that the VIP is not there, puts it there, and sees it', async () => {
      expect(await order({ verb: 'look' })).toMatchObject({ ok: true, vip: 'off' })
      expect(await order({ verb: 'give', epoch: 3 })).toMatchObject({ ok: true, vip: 'on' })
      expect(await world.hasVip()).toBe(true)
      expect(await order({ verb: 'look' })).toMatchObject({ ok: true, vip: 'on' })
      expect(await order({ verb: 'give', epoch: 3 })).toMatchObject({ ok: true, vip: 'on' })
    })

    it('takes it off, and that epoch is never given again', async () => {
      expect(await order({ verb: 'release', epoch: 3 })).toMatchObject({ ok: true, vip: 'off' })
      expect(await world.hasVip()).toBe(false)
      expect(await order({ verb: 'give', epoch: 3 })).toMatchObject({ ok: false, vip: 'off', barred: true })
      expect(await order({ verb: 'give', epoch: 2 })).toMatchObject({ ok: false, vip: 'off', barred: true })
      expect(await world.hasVip()).toBe(false)
      expect(await order({ verb: 'give', epoch: 4 })).toMatchObject({ ok: true, vip: 'on' })
    })

    it('takes off what its own system has put there, and the bar only grows', async () => {
      expect(await order({ verb: 'release', epoch: 12 })).toMatchObject({ ok: true, vip: 'off' })
      await world.addVip()
      expect(await order({ verb: 'look' })).toMatchObject({ ok: true, vip: 'on' })
      expect(await order({ verb: 'release', epoch: 9 })).toMatchObject({ ok: true, vip: 'off' })
      expect(await world.hasVip()).toBe(false)
      expect(await order({ verb: 'give', epoch: 12 })).toMatchObject({ ok: false, barred: true })
    })

    it('gives and takes in the order in which it was asked', async () => {
      const [given, taken] = await Promise.all([order({ verb: 'give', epoch: 13 }), order({ verb: 'release', epoch: 13 })])
      expect(given).toMatchObject({ ok: true, vip: 'on' })
      expect(taken).toMatchObject({ ok: true, vip: 'off' })
      expect(await world.hasVip()).toBe(false)
    })

    it('restarts the daemon, and says when there is none of that name', async () => {
      await world.stopDaemon()
      expect(await world.daemonRuns()).toBe(false)
      expect(await order({ verb: 'restart-daemon', daemon: world.daemon })).toMatchObject({ ok: true })
      expect(await world.daemonRuns()).toBe(true)
      expect(await order({ verb: 'restart-daemon', daemon: 'no-such-daemon' })).toMatchObject({ ok: false })
    })

    it('reports a target that does not answer, within the limit, and says nothing of the VIP', async () => {
      await world.unplug()
      const result = await order({ verb: 'release', epoch: 20 }, 1_500)
      expect(result.ok).toBe(false)
      expect(result.vip).toBeUndefined()
    })

    it('does nothing after its end', async () => {
      await world.hand.close()
      expect(await order({ verb: 'look' })).toMatchObject({ ok: false })
    })
  })
}

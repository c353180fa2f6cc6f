/**
 * Troubles that the drawn schedules do not have, told in code: answers of the shared area that come late, networks that are cut in part, guards
 * that freeze. Only safety is looked at (S1–S7): how long things take under such troubles is nobody's promise.
 */
import type { Violation } from '../../src/simulator/checker.ts'
import { PROFILES } from '../../src/core/profile.ts'
import { RandomStream } from '../../src/simulator/prng.ts'
import { sampleInventory } from '../../src/simulator/sample-inventory.ts'
import { World } from '../../src/simulator/world.ts'
import { MAJORITY_STORIES } from './majority-stories.ts'
import { bystanders, cutPair, hangFor, lateAnswers, partialCuts, STORY_MS, type Story } from './story.ts'

/** Everybody is up and the ring is whole by then. */
const START_MS = 15_000
const SPREAD_MS = 2_000
const HOSTS = 6

/** From now on nothing of that kind that the host writes or reads takes place, and nobody answers. */
function loseOperations({ share }: World, host: string, kind: 'renewals' | 'reads'): void {
  const { renew, observe } = { renew: share.renew.bind(share), observe: share.observe.bind(share) }
  if (kind === 'renewals') share.renew = (record, answer) => record.host === host ? undefined : renew(record, answer)
  else share.observe = (name, answer) => name === host ? undefined : observe(name, answer)
}

const STORIES = {
  ...MAJORITY_STORIES,
  /** The network is gone; then one renewal is acknowledged late, and no further one reaches the shared area. */
  'last acknowledgement late': { tell: (world, random) => {
    const target = random.pick(world.names)
    const late_ms = lateAnswers(world)
    world.isolate(target)
    const last_ms = random.between(2_000, 3_000)
    world.queue.after(last_ms, () => late_ms.set(target, random.between(200, 1_950)))
    // The renewal that is issued meanwhile is applied; whatever comes after it is not.
    world.queue.after(last_ms + 520, () => world.share.hang(target))
  } },
  /**
   * A renewal is applied and acknowledged only when the lease before it is over and the function goes on by the promises of the others alone. Nothing more of its host
   * reaches the shared area (a claim under the new generation would be a sign of life), and after a while nobody hears it any more.
   */
  'acknowledgement after the end': { tell: (world, random) => {
    const target = random.pick(world.names)
    const renew = world.share.renew.bind(world.share)
    let is_over = false
    world.share.renew = (record, answer, refused) => {
      if (record.host !== target || is_over) return renew(record, answer, refused)
      is_over = true
      renew(record, () => world.queue.after(random.between(1_550, 1_950), answer), refused)
      world.queue.after(20, () => world.share.hang(target))
      world.queue.after(random.between(300, 1_400), () => world.isolate(target))
    }
  } },
  /**
   * A host boots and its renewals are carried out and called failed: everybody sees it renew, and it has no lease. Its function is handed over to that generation;
   * then nothing of it arrives, until somebody claims by that silence, and just then one renewal does and is acknowledged.
   */
  'lease begins late': { tell: (world, random) => {
    const target = random.pick(world.names)
    const [renew, claim] = [world.share.renew.bind(world.share), world.share.claim.bind(world.share)]
    let arrives: 'and fails' | 'held' | 'yes' = 'and fails'
    let held = (): void => undefined
    world.share.renew = (record, answer, refused) => {
      if (record.host !== target || arrives === 'yes') renew(record, answer, refused)
      else if (arrives === 'and fails') renew(record, () => refused?.(), refused)
      else held = () => renew(record, answer, refused)
    }
    world.share.claim = (host, record, answer, refused) => {
      if (record.function === target && host !== target) {
        if (record.holder === target) arrives = 'held'
        else if (arrives === 'held') {
          arrives = 'yes'
          world.queue.after(random.between(0, 40), held)
        }
      }
      claim(host, record, answer, refused)
    }
    world.host(target).reboot()
  } },
  /** A host without a network renews late once, so that it is suspected, and goes on renewing; the hosts that may be nominated cannot read. */
  'nominees cannot read': { tell: (world, random) => {
    const target = random.pick(world.names)
    world.isolate(target)
    world.queue.after(random.between(2_000, 4_000), () => {
      hangFor(world, target, random.between(1_300, 1_700))
      world.queue.after(random.between(500, 2_000), () => bystanders(world, target).forEach(name => loseOperations(world, name, 'reads')))
    })
  } },
  /** A host that rides is cut off, and renews in the last moment of its ride; whoever looks at the shared area sees it late, and the host itself reads nothing. */
  'renewal at the end of a ride': { tell: (world, random) => {
    const target = random.pick(world.names)
    const late_ms = lateAnswers(world)
    world.share.hang(target)
    world.queue.after(random.between(4_000, 5_000), () => {
      world.isolate(target)
      loseOperations(world, target, 'reads')
      for (const name of world.names) if (name !== target) late_ms.set(name, random.between(900, 970))
      world.queue.after(random.between(1_000, 1_500), () => world.share.heal(target))
    })
  } },
  /** A power cut, and the agents that may be nominated start afresh meanwhile. */
  'nominees start afresh': { tell: (world, random) => {
    const target = random.pick(world.names)
    world.host(target).powerOff()
    for (const name of bystanders(world, target)) world.queue.after(random.between(0, 1_000), () => world.host(name).killAgent())
  } },
  /** A host is asked to yield, and its shared area hangs at that very moment. */
  'hang after a yield': { tell: (world, random) => {
    const target = random.pick(world.names)
    const { onLog } = world
    world.host(target).breakService('broken until reboot')
    world.handless.add(target)
    world.onLog = (host, text) => {
      if (host === target && text.includes('its manager asks for it')) world.queue.after(random.between(0, 60), () => world.share.hang(target))
      onLog(host, text)
    }
  } },
  /** The remote hand takes a VIP off and is then cut off itself; the target's agent starts afresh, and the record that says so is written late. */
  'fresh agent before a late release': { tell: (world, random) => {
    const target = random.pick(world.names)
    const manager = world.names[(world.names.indexOf(target) + world.names.length - 1) % world.names.length]!
    const { onLog } = world
    world.host(target).breakService('broken until reboot')
    world.onLog = (host, text) => {
      if (host === manager && text.startsWith('Remove_virtual_IP')) {
        hangFor(world, manager, 1_700)
        world.queue.after(random.between(0, 300), () => world.host(target).killAgent())
      }
      if (text.startsWith('Remote_hand_release_on')) world.handless.add(target)
      onLog(host, text)
    }
  } },
  /** Guard and agent die for good, and the cable with them: nothing but the kernel ends the address. */
  'guard dies for good': { tell: (world, random) => {
    const target = random.pick(world.names)
    world.share.hang(target)
    world.isolate(target)
    world.queue.after(random.between(0, 1_900), () => world.host(target).guard?.kill())
  } },
  /** A function is taken over; then the guard that has its virtual server in charge dies for good, and the cable with it. */
  'guard of a virtual server dies': { tell: (world, random) => {
    const target = random.pick(world.names)
    world.host(target).wakeable = false
    world.host(target).powerOff()
    world.queue.after(random.between(5_000, 8_000), () => {
      const giver = world.names.find(name => world.host(name).virtual_servers.has(target))
      if (giver === undefined) return
      world.share.hang(giver)
      world.isolate(giver)
      world.host(giver).guard?.kill()
    })
  } },
  /** A host is away until it is about to be taken over, and back while the claim is on its way. */
  'back as it is claimed': { tell: (world, random) => {
    const target = random.pick(world.names)
    const claim = world.share.claim.bind(world.share)
    world.share.claim = (host, record, answer, refused) => host === target ? claim(host, record, answer, refused) : world.queue.after(random.between(500, 1_500), () => claim(host, record, answer, refused))
    world.share.hang(target)
    world.isolate(target)
    world.queue.after(random.between(2_900, 4_500), () => {
      world.share.heal(target)
      world.reconnect(target)
    })
  } },
  /** Three hosts lose their power within a moment, and each of the others has room for one virtual server. */
  'little room': { free_kb: 400 * 1024, tell: (world, random) => {
    for (const index of [0, 2, 4]) world.queue.after(random.between(0, 300), () => {
      world.host(world.names[index]!).wakeable = false
      world.host(world.names[index]!).powerOff()
    })
  } },
  /** A host rides through a share outage, then its cable is pulled. */
  'cable pulled in a ride': { tell: (world, random) => {
    const target = random.pick(world.names)
    world.share.hang(target)
    world.queue.after(random.between(3_500, 8_000), () => world.isolate(target))
  } },
  /** A host rides through a share outage, then its guard dies and its cable is pulled. */
  'guard dies in a ride': { tell: (world, random) => {
    const target = random.pick(world.names)
    world.share.hang(target)
    world.queue.after(random.between(3_500, 8_000), () => {
      world.host(target).guard?.kill()
      world.isolate(target)
    })
  } },
  /** The same with the longest timings: there the kernel leaves an address for whole seconds beyond the ride. */
  'guard dies in a careful ride': { profile: PROFILES.careful, tell: (world, random) => {
    const target = random.pick(world.names)
    world.share.hang(target)
    world.queue.after(random.between(16_000, 20_000), () => {
      world.host(target).guard?.kill()
      world.isolate(target)
    })
  } },
  /** A host without the shared area reaches some of the others only. */
  'partial network in a share outage': { tell: (world, random) => {
    const target = random.pick(world.names)
    const cut = partialCuts(world)
    const others = world.names.filter(name => name !== target)
    const reached = new Set(Array.from({ length: 3 }, () => random.pick(others)))
    for (const name of others) if (!reached.has(name)) cutPair(cut, target, name)
    hangFor(world, target, random.between(5_000, 15_000))
  } },
  /** Everybody rides through a total outage of the shared area, which comes back for one after the other. */
  'share back one after the other': { tell: (world, random) => {
    const outage_ms = random.between(4_000, 12_000)
    for (const name of world.names) hangFor(world, name, outage_ms + random.between(0, 2_500))
  } },
  /** A server is taken out of the ring; its neighbour learns of it, and rides through a share outage before its lease has told it; itself it learns of it last, as one other does, which it therefore hears, and nobody else could give what it misses. */
  'taken out in a ride': { tell: (world, random) => {
    const target = random.pick(world.names)
    const gone = world.names[(world.names.indexOf(target) + world.names.length - 1) % world.names.length]!
    const inventory = { ...world.inventory, version: 'sample-1', servers: world.inventory.servers.filter(({ name }) => name !== gone) }
    for (const name of world.names) if (name !== gone) world.failingStarts.add(name)
    const late = random.pick(world.names.filter(name => name !== gone && name !== target))
    for (const name of world.names) world.queue.after(name === gone || name === late ? 12_000 : name === target ? 0 : random.between(0, 500), () => world.host(name).learn(inventory))
    world.queue.after(random.between(0, 30), () => world.share.hang(target))
  } },
  /** A host boots, and what it writes to the shared area to claim its function is lost for a while. */
  'claims are lost': { served_again: true, tell: (world, random) => {
    const target = random.pick(world.names)
    const claim = world.share.claim.bind(world.share)
    const until_ms = world.queue.now_ms + random.between(6_000, 12_000)
    world.share.claim = (host, record, answer) => host === target && world.queue.now_ms < until_ms ? undefined : claim(host, record, answer)
    for (const name of world.names) if (name !== target) world.failingStarts.add(name)
    world.host(target).reboot()
  } },
  /** A host is dead, and every second read shows the record before its last one. */
  'reads go backwards': { served_again: true, tell: (world, random) => {
    const target = random.pick(world.names)
    const observe = world.share.observe.bind(world.share)
    let reads = 0
    world.share.observe = (host, answer) => observe(host, observation => {
      reads += 1
      const older = observation.leases.map(lease => lease.host === target ? { ...lease, sequence: lease.sequence - reads % 2 } : lease)
      answer({ ...observation, leases: older })
    })
    world.host(target).wakeable = false
    world.host(target).powerOff()
  } },
  /** Its disk was put back, and neither the disk nor the share knew of the generation under which that word was issued. */
  'late word of a former life': { tell: (world, random) => {
    const target = random.pick(world.names)
    const observe = world.share.observe.bind(world.share)
    const until_ms = world.queue.now_ms + random.between(600, 2_000)
    world.share.observe = (host, answer) => observe(host, observation => {
      const late = world.queue.now_ms < until_ms
      answer({ ...observation, leases: observation.leases.map(lease => late && lease.host === target ? { ...lease, generation: lease.generation + 1 } : lease) })
    })
  } },
  /** Everything at once: late answers, hung shares, cuts in part, guards and agents killed, power cuts, hand-overs in between. */
  mean: { tell: (world, random) => {
    const late_ms = lateAnswers(world)
    const cut = partialCuts(world)
    for (let at_ms = 0; at_ms < STORY_MS; at_ms += random.between(100, 2_500)) world.queue.after(at_ms, () => meanAct(world, random, late_ms, cut))
  } },
} satisfies Record<string, Story>

export type StoryName = keyof typeof STORIES

function meanAct(world: World, random: RandomStream, late_ms: Map<string, number>, cut: Set<string>): void {
  const name = random.pick(world.names)
  const host = world.host(name)
  const for_ms = random.between(200, 6_000)
  const until = (undo: () => void): void => world.queue.after(for_ms, undo)
  switch (Math.floor(random.next() * 10)) {
    case 0:
    case 1:
      late_ms.set(name, random.between(50, 3_000))
      return until(() => late_ms.delete(name))
    case 2:
    case 3: return hangFor(world, name, for_ms)
    case 4:
    case 5: {
      const other = random.pick(world.names.filter(another => another !== name))
      const pair = `${name} ${other}`
      cut.add(pair)
      return until(() => cut.delete(pair))
    }
    case 6:
      world.isolate(name)
      return until(() => world.reconnect(name))
    case 7: return host.killGuard()
    case 8: return host.killAgent()
    case 9:
      if (random.next() < 0.5) return host.reboot()
      host.powerOff()
      return until(() => host.powerOn())
  }
}

export function playStory(name: StoryName, seed: number): readonly Violation[] {
  const { tell, profile, ride, free_kb, served_again }: Story = STORIES[name]
  const random = new RandomStream(seed, 'story')
  const world = new World(sampleInventory(HOSTS), seed, { ...profile ? { profile } : {}, ...ride ? { ride } : {}, ...free_kb ? { free_kb } : {} })
  for (const host of world.names) world.queue.after(random.between(0, 1_500), () => world.host(host).powerOn())
  world.queue.runUntil(START_MS + random.between(0, SPREAD_MS))
  tell(world, random)
  world.queue.runUntil(START_MS + SPREAD_MS + STORY_MS)
  if (served_again) for (const host of world.names) if (!world.isServed(host)) world.checker.violate('L1', `${host} is still not given`)
  return world.checker.violations
}

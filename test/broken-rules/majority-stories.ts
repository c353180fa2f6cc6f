/** Rides by majority, told in code: of six hosts a rider needs the promises of three others, and whoever claims its function three that hold none. */
import type { RandomStream } from '../../src/simulator/prng.ts'
import type { World } from '../../src/simulator/world.ts'
import { bystanders, cutPair, partialCuts, STORY_MS, type Story } from './story.ts'

const ride = 'majority'

/** Its share hangs, and it hears three hosts alone: as many as it needs. Its managers are the other two. */
function rideByThree(world: World, target: string): { readonly cut: Set<string>; readonly promisers: readonly string[]; readonly managers: readonly string[] } {
  const cut = partialCuts(world)
  const promisers = bystanders(world, target)
  const managers = world.names.filter(name => name !== target && !promisers.includes(name))
  for (const name of managers) cutPair(cut, target, name)
  world.share.hang(target)
  return { cut, promisers, managers }
}

function heal(cut: Set<string>, one: string, other: string): void {
  cut.delete(`${one} ${other}`)
  cut.delete(`${other} ${one}`)
}

/** Whom the rider hears changes again and again, and with it whose promises it rides on: one is heard that was not, and soon before or after another one is heard no more. */
function changePromisers(world: World, random: RandomStream): void {
  const target = random.pick(world.names)
  const { cut, promisers, managers } = rideByThree(world, target)
  const heard = [...promisers]
  const unheard = [...managers]
  for (let at_ms = 4_000; at_ms < STORY_MS; at_ms += random.between(2_500, 6_000)) {
    world.queue.after(at_ms, () => {
      const one = heard.splice(Math.floor(random.next() * heard.length), 1)[0]!
      const other = unheard.splice(Math.floor(random.next() * unheard.length), 1)[0]!
      heard.push(other)
      unheard.push(one)
      // What the one has promised last lasts 1.5 s.
      const first = random.pick(['lost', 'heard'])
      world.queue.after(first === 'lost' ? random.between(1_000, 1_300) : 0, () => heal(cut, target, other))
      world.queue.after(first === 'lost' ? 0 : random.between(0, 1_500), () => cutPair(cut, target, one))
    })
  }
}

/** The rider's share answers again soon after it has heard one of the three for the last time; what its managers read comes late. */
function backForAMoment(world: World, random: RandomStream): { readonly target: string; readonly cut: Set<string>; readonly lost: string; readonly back_ms: number } {
  const target = random.pick(world.names)
  const { cut, promisers, managers } = rideByThree(world, target)
  const observe = world.share.observe.bind(world.share)
  world.share.observe = (host, answer) => observe(host, managers.includes(host) ? observation => world.queue.after(random.between(800, 1_450), () => answer(observation)) : answer)
  const lost = random.pick(promisers)
  const back_ms = random.between(8_000, 15_000)
  world.queue.after(back_ms - random.between(200, 1_300), () => cutPair(cut, target, lost))
  world.queue.after(back_ms, () => world.share.heal(target))
  return { target, cut, lost, back_ms }
}

export const MAJORITY_STORIES = {
  'ride by three of five': { ride, tell: (world, random) => void rideByThree(world, random.pick(world.names)) },
  /** ... or one fewer. */
  'ride by two of five': { ride, tell: (world, random) => {
    const target = random.pick(world.names)
    const { cut, promisers } = rideByThree(world, target)
    cutPair(cut, target, random.pick(promisers))
  } },
  /** The share is on the smaller side of a cut. */
  'smaller half has the share': { ride, tell: (world, random) => {
    const cut = partialCuts(world)
    const target = random.pick(world.names)
    const side = [target, ...bystanders(world, target)]
    for (const name of side) {
      world.share.hang(name)
      for (const other of world.names) if (!side.includes(other)) cutPair(cut, name, other)
    }
  } },
  'promisers change': { ride, tell: changePromisers },
  /** ... and some of those who are asked hear of it late. */
  'promisers change, questions late': { ride, tell: (world, random) => {
    const deliver = world.deliver.bind(world)
    world.deliver = (from, to, message, by) => message.kind === 'consent-request' ? world.queue.after(random.pick([0, 1_900]), () => deliver(from, to, message, by)) : deliver(from, to, message, by)
    changePromisers(world, random)
  } },
  /** One that has promised starts afresh, and the rider hears it no more: it goes on by what was promised before. */
  'promiser starts afresh': { ride, tell: (world, random) => {
    const target = random.pick(world.names)
    const { cut, promisers } = rideByThree(world, target)
    for (let at_ms = 6_000; at_ms < STORY_MS - 10_000; at_ms += 10_000) {
      world.queue.after(at_ms + random.between(0, 4_000), () => {
        const promiser = random.pick(promisers)
        cutPair(cut, target, promiser)
        world.host(promiser).killAgent()
      })
    }
  } },
  /** The rider renews again, and its claim under the new generation takes its time. */
  'share back, reads late': { ride, tell: (world, random) => {
    const { target } = backForAMoment(world, random)
    const claim = world.share.claim.bind(world.share)
    world.share.claim = (host, record, answer) => host === target ? world.queue.after(random.between(1_000, 3_000), () => claim(host, record, answer)) : claim(host, record, answer)
  } },
  /** The rider renews for a while, never comes to claim under the new generation, and rides again. */
  'second outage': { ride, tell: (world, random) => {
    const { target, cut, lost, back_ms } = backForAMoment(world, random)
    const claim = world.share.claim.bind(world.share)
    world.share.claim = (host, record, answer) => host === target ? undefined : claim(host, record, answer)
    world.queue.after(back_ms + 3_000, () => heal(cut, target, lost))
    world.queue.after(back_ms + random.between(4_000, 6_000), () => world.share.hang(target))
  } },
} satisfies Record<string, Story>

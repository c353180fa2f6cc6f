/** Plays one seed and tells what was seen to be broken. */
import { runPlan, runSchedule, runSwarm } from '../../src/simulator/schedule.ts'
import { drawSwarm } from '../../src/simulator/swarm.ts'
import type { Violation } from '../../src/simulator/checker.ts'
import type { Play, Seen } from './broken-rule.ts'
import { playStory } from './stories.ts'

export interface Sight {
  readonly seen: Seen
  readonly text: string
}

/** A story ends in the middle of things: only what the checker saw on the way counts. */
function results(play: Play, seed: number): { readonly violations: readonly Violation[]; readonly deviations: readonly string[] } {
  if ('story' in play) return { violations: playStory(play.story, seed), deviations: [] }
  if ('swarm' in play) {
    const [least, most] = play.swarm.hosts
    return runSwarm(drawSwarm(seed, { least, most }))
  }
  if ('drawn' in play) {
    const [least_hosts, most_hosts] = play.drawn.hosts
    const [least_faults, most_faults] = play.drawn.faults
    return runPlan({ seed, hosts: { least: least_hosts, most: most_hosts }, faults: { least: least_faults, most: most_faults } })
  }
  return runSchedule({ seed, ...play })
}

export function playOne(play: Play, seed: number): Sight[] {
  try {
    const { violations, deviations } = results(play, seed)
    return [...violations.map(({ rule, at_ms, text }) => ({ seen: rule as Seen, text: `${text} (${at_ms} ms)` })), ...deviations.map(text => ({ seen: 'L3' as const, text }))]
  } catch (error) {
    return [{ seen: 'end', text: String(error) }]
  }
}

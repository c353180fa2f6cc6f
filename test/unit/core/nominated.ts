import { Harness } from './harness.ts'

/** proxy is nominated for ftp, whose function was released: it prepares, claims and serves. */
export function nominated(harness = Harness.settled('proxy')): Harness {
  harness.addRelease('ftp', 1)
  harness.observe()
  harness.message('login', { kind: 'nominate', incident: 'i', function: 'ftp', epoch: 1, as: 'virtual' })
  return harness
}

export const stage = (harness: Harness, name = 'ftp') => harness.state.giving.get(name)?.stage
export const order = (harness: Harness): string[] => harness.commands.map(({ command }) => command).filter(command => ['prepare', 'claim', 'serve', 'stop', 'release'].includes(command))

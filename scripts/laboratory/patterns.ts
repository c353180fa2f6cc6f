import type { LogEntry } from '../../src/edges/log/log-line.ts'

/** What a pattern may do and see while it happens. */
export interface Scene {
  /** The hosts in the order of the ring, S1 first. */
  readonly ring: readonly string[]
  /** Cuts the power of all of them in the same instant. */
  readonly cut: (hosts: readonly string[]) => Promise<void>
  /** The first line of any host's log since the pattern began that matches; throws when none comes. */
  readonly line: (pattern: RegExp) => Promise<LogEntry>
}

export interface Pattern {
  readonly about: string
  /** It needs a ring of that many hosts at least. */
  readonly least: number
  /** The hosts whose power is cut, as far as it is known before; undefined: it shows only then. */
  readonly hosts?: (ring: readonly string[]) => readonly string[]
  readonly act: (scene: Scene) => Promise<void>
  /** How the verdict judges it: as simultaneous failures, as one failure and a slot for P2, or only by what must hold. */
  readonly judged: 'baseline' | 'simultaneous' | 'one slot' | 'given again'
  /** The functions the verdict is about; without it, those of all failed hosts. */
  readonly judges?: (ring: readonly string[]) => readonly string[]
}

/** S3 of six, ftp: the target of every pattern that has one; S2, login, is its P1. */
const TARGET = 2
const P1 = 1

const at = (ring: readonly string[], ...places: number[]): string[] => places.map(place => ring[place % ring.length] as string)
const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

function together(about: string, least: number, hosts: (ring: readonly string[]) => readonly string[], judged: Pattern['judged'] = 'simultaneous'): Pattern {
  return { about, least, hosts, judged, act: scene => scene.cut(hosts(scene.ring)) }
}

/** P1 dies when the recovery of its target has reached the stage that `line` shows. */
function p1DiesAt(stage: string, line: (target: string) => RegExp): Pattern {
  return {
    about: `P1 dies during its target's recovery: ${stage}`, least: 3, judged: 'given again', hosts: ring => at(ring, TARGET, P1),
    act: async ({ ring, cut, line: wait }) => {
      const [target, p1] = at(ring, TARGET, P1) as [string, string]
      await cut([target])
      await wait(line(literal(target)))
      await cut([p1])
    },
  }
}

/** The failure patterns of the thesis' ring (5.3.4) and those beyond it, by name. */
export const PATTERNS: Readonly<Record<string, Pattern>> = {
  single: together('one host', 2, ring => at(ring, TARGET), 'baseline'),
  'adjacent-two': together('two neighbours', 3, ring => at(ring, 3, 4)),
  'two-apart': together('two with a host between them', 4, ring => at(ring, 2, 4)),
  'adjacent-three': together('three in a row', 4, ring => at(ring, 1, 2, 3)),
  'every-second': together('every second host', 4, ring => ring.filter((_, index) => index % 2 === 1)),
  half: together('half of the ring in a row, its first host among them', 4, ring => ring.slice(0, Math.floor(ring.length / 2))),
  'all-but-one': together('all hosts but the last', 3, ring => ring.slice(0, -1)),
  'giver-fails': {
    about: 'a host fails, then the host that runs its virtual server', least: 4, judged: 'given again',
    act: async ({ ring, cut, line }) => {
      const [failed] = at(ring, P1) as [string]
      await cut([failed])
      const { host } = await line(new RegExp(`^Server_start_Complete_${literal(failed)}_`))
      await cut([host])
    },
  },
  'p1-and-target': { ...together('a target and its P1', 3, ring => at(ring, TARGET, P1), 'one slot'), judges: ring => at(ring, TARGET) },
  'p1-before-claim': p1DiesAt('a host is nominated, nothing claimed', target => new RegExp(`^Nominated_by_\\S+_for_${target}_`)),
  'p1-after-claim': p1DiesAt('claimed', target => new RegExp(`^Claim_${target}_epoch_`)),
  'p1-virtual-server-started': p1DiesAt('the virtual server starts', target => new RegExp(`^Start_of_virtual_server_${target}_`)),
  'p1-vip-moved': p1DiesAt('the VIP is moved', target => new RegExp(`^Server_start_Complete_${target}_`)),
  'p1-target-returning': p1DiesAt('the target has booted again', target => new RegExp(`^${target}_has_generation_`)),
}

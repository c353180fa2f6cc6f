/**
 * Messages between cores. They are hints: none of them alone starts a virtual server or reboots a host (protocol 7).
 * What arrives is checked field by field before the core looks at it.
 */
import type { FunctionKind } from './records.ts'
import type { HostCapacity, LoadAverage } from './non-select.ts'

/** Where a host stands with a function it gives or is about to give. */
export type GivingStage = 'preparing' | 'prepared' | 'claiming' | 'starting' | 'serving' | 'stopping'

export interface GivenFunction {
  readonly function: string
  readonly epoch: number
  readonly kind: FunctionKind
  readonly stage: GivingStage
}

export interface RunningProgram {
  readonly version: string
  /** Of its contents: the same program may be published under several versions. */
  readonly digest: string
}

/** What a host tells all others about itself, once a round. */
export interface ConditionMessage {
  readonly kind: 'condition'
  readonly generation: number
  readonly sequence: number
  readonly version: string
  /** What program it runs, and under which version that was published; an older one does not tell. */
  readonly program?: RunningProgram
  /** Its wall clock when it spoke; an older version does not tell. */
  readonly wall_ms?: number
  readonly load?: { readonly average: LoadAverage; readonly forecast: LoadAverage; readonly capacity: HostCapacity }
  readonly giving: readonly GivenFunction[]
  readonly watches: readonly { readonly target: string; readonly priority: 1 | 2; readonly mode: string }[]
  /** An announced leave: what this host gives is to be given by others. */
  readonly leaving?: Leaving
  /** What P1 sees of targets without an agent, which cannot speak for themselves. */
  readonly agentless?: readonly { readonly target: string; readonly answering: boolean; readonly serving: boolean }[]
}

export type Leaving = 'shutdown' | 'reboot'

export type Message =
  | ConditionMessage
  /** S: the first of the ring calls the round (thesis 5.3.2). */
  | { readonly kind: 'S'; readonly round: number }
  /** R, U, D: P1 tells P2 "resumed", "up", "down" (thesis 5.3.2). */
  | { readonly kind: 'R' | 'U' | 'D'; readonly target: string; readonly incident: string }
  /** `hand_over`: the holder is there and will pass the function on when the nominee stands ready. */
  | { readonly kind: 'nominate'; readonly incident: string; readonly function: string; readonly epoch: number; readonly as: FunctionKind; readonly hand_over?: boolean }
  /** The nominee's answer and its progress. */
  | { readonly kind: 'progress'; readonly incident: string; readonly function: string; readonly epoch: number; readonly stage: GivingStage | 'declined' | 'busy' | 'failed'; readonly detail: string }
  /** The nomination is void. */
  | { readonly kind: 'withdraw'; readonly function: string; readonly epoch: number }
  /** Asks the holder to hand the function back to its own server (target recovery). */
  | { readonly kind: 'return'; readonly incident: string; readonly function: string; readonly epoch: number; readonly to: string; readonly generation: number }
  /** Asks a host that leaves to hand the function to the nominee, whose virtual server stands ready. */
  | { readonly kind: 'ready'; readonly incident: string; readonly function: string; readonly epoch: number; readonly to: string; readonly generation: number }
  /** The operator wants the function back on its own server; whoever manages that server sees to it. */
  | { readonly kind: 'return-wanted'; readonly function: string }
  /** Asks a live target to give up a function that does not work there, when the remote hand cannot. */
  | { readonly kind: 'yield'; readonly function: string; readonly epoch: number }
  /** The share holds something new for you: look now instead of at the next round. */
  | { readonly kind: 'look' }
  | { readonly kind: 'probe-request'; readonly request: number; readonly target: string }
  | { readonly kind: 'probe-answer'; readonly request: number; readonly target: string; readonly answered: boolean }
  /** `epoch`: of the asker's native function, the only one it goes on with. */
  | { readonly kind: 'promise-request'; readonly request: number; readonly epoch: number }
  | { readonly kind: 'promise'; readonly request: number }
  /** Its native function may go on by promises: does one of the receiver's stand? */
  | { readonly kind: 'consent-request'; readonly request: number; readonly holder: string }
  /** None stands, nor has for so long. */
  | { readonly kind: 'consent'; readonly request: number; readonly free_ms: number }

type FieldType = 'string' | 'number' | 'boolean'
type Shape = readonly (readonly [field: string, type: FieldType])[]

const shapeOf = (fields: Readonly<Record<string, FieldType>>): Shape => Object.entries(fields)

const SHAPES: Readonly<Record<Exclude<Message['kind'], 'condition'>, Shape>> = {
  S: shapeOf({ round: 'number' }),
  R: shapeOf({ target: 'string', incident: 'string' }),
  U: shapeOf({ target: 'string', incident: 'string' }),
  D: shapeOf({ target: 'string', incident: 'string' }),
  nominate: shapeOf({ incident: 'string', function: 'string', epoch: 'number', as: 'string' }),
  progress: shapeOf({ incident: 'string', function: 'string', epoch: 'number', stage: 'string', detail: 'string' }),
  withdraw: shapeOf({ function: 'string', epoch: 'number' }),
  return: shapeOf({ incident: 'string', function: 'string', epoch: 'number', to: 'string', generation: 'number' }),
  ready: shapeOf({ incident: 'string', function: 'string', epoch: 'number', to: 'string', generation: 'number' }),
  'return-wanted': shapeOf({ function: 'string' }),
  yield: shapeOf({ function: 'string', epoch: 'number' }),
  look: [],
  'probe-request': shapeOf({ request: 'number', target: 'string' }),
  'probe-answer': shapeOf({ request: 'number', target: 'string', answered: 'boolean' }),
  'promise-request': shapeOf({ request: 'number', epoch: 'number' }),
  promise: shapeOf({ request: 'number' }),
  'consent-request': shapeOf({ request: 'number', holder: 'string' }),
  consent: shapeOf({ request: 'number', free_ms: 'number' }),
}

const CONDITION = shapeOf({ generation: 'number', sequence: 'number', version: 'string' })
const PROGRAM = shapeOf({ version: 'string', digest: 'string' })
const AVERAGE = shapeOf({ memory_kb: 'number', cpu_idle_percent: 'number', network_kb_per_s: 'number' })
const CAPACITY = shapeOf({ memory_kb: 'number', cores: 'number', network_rated_kb_per_s: 'number' })
const GIVEN = shapeOf({ function: 'string', epoch: 'number', kind: 'string', stage: 'string' })
const WATCHED = shapeOf({ target: 'string', priority: 'number', mode: 'string' })
const REPORTED = shapeOf({ target: 'string', answering: 'boolean', serving: 'boolean' })

/** Longest text taken from another host; more is cut off by refusing the message. */
const TEXT_LIMIT = 512
/** A host watches and gives a handful of things; a longer list is not from one of us. */
const LIST_LIMIT = 1024

function hasShape(value: Record<string, unknown>, shape: Shape): boolean {
  for (const [field, type] of shape) {
    const found = value[field]
    if (typeof found !== type) return false
    if (typeof found === 'string' ? found.length > TEXT_LIMIT : typeof found === 'number' && !Number.isFinite(found)) return false
  }
  return true
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

const isListOf = (list: unknown, shape: Shape): boolean => Array.isArray(list) && list.length <= LIST_LIMIT && list.every(entry => isRecord(entry) && hasShape(entry, shape))

function isCondition(value: Record<string, unknown>): boolean {
  const { load, giving, watches, leaving, agentless, program, wall_ms } = value
  if (leaving !== undefined && leaving !== 'shutdown' && leaving !== 'reboot') return false
  if (!hasShape(value, CONDITION)) return false
  if (wall_ms !== undefined && !Number.isFinite(wall_ms)) return false
  if (program !== undefined && !(isRecord(program) && hasShape(program, PROGRAM))) return false
  if (load !== undefined) {
    if (!isRecord(load) || !isRecord(load['average']) || !isRecord(load['forecast']) || !isRecord(load['capacity'])) return false
    if (!hasShape(load['average'], AVERAGE) || !hasShape(load['forecast'], AVERAGE) || !hasShape(load['capacity'], CAPACITY)) return false
  }
  return isListOf(giving, GIVEN) && isListOf(watches, WATCHED) && (agentless === undefined || isListOf(agentless, REPORTED))
}

/** The message, or undefined when it is not one of ours. */
export function parseMessage(value: unknown): Message | undefined {
  if (!isRecord(value) || typeof value['kind'] !== 'string') return undefined
  if (value['kind'] === 'condition') return isCondition(value) ? (value as unknown as Message) : undefined
  if (!Object.hasOwn(SHAPES, value['kind'])) return undefined
  const shape = SHAPES[value['kind'] as keyof typeof SHAPES]
  if (value['kind'] === 'nominate' && value['hand_over'] !== undefined && typeof value['hand_over'] !== 'boolean') return undefined
  return hasShape(value, shape) ? (value as unknown as Message) : undefined
}

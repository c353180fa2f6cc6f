/**
 * Load forecast and non-select value (thesis 5.2.5, formulas 5.1–5.9, fig. 5.5).
 * Units are the thesis's: memory in KB, CPU idle rate in %, network in KB (10³ bytes) per second.
 */
import type { ServerType } from './inventory.ts'

export interface LoadAverage {
  readonly memory_kb: number
  readonly cpu_idle_percent: number
  readonly network_kb_per_s: number
}

export interface HostCapacity {
  readonly memory_kb: number
  readonly cores: number
  readonly network_rated_kb_per_s: number
}

/** Per resource 0 is best and 100 is worst of all hosts compared. */
export interface NormalisedLoad {
  readonly memory: number
  readonly cpu: number
  readonly network: number
}

const clamp = (value: number, most: number): number => Math.min(Math.max(value, 0), most)

/** Formulas 5.1–5.3: `L = 2·A(n) − A(n−1)`, kept within what is possible. */
export function forecast(current: LoadAverage, former: LoadAverage, capacity: HostCapacity): LoadAverage {
  return {
    memory_kb: clamp(2 * current.memory_kb - former.memory_kb, capacity.memory_kb),
    cpu_idle_percent: clamp(2 * current.cpu_idle_percent - former.cpu_idle_percent, 100),
    network_kb_per_s: clamp(2 * current.network_kb_per_s - former.network_kb_per_s, 2 * capacity.network_rated_kb_per_s),
  }
}

/** `(max − value) / (max − min) · 100`; 100 where all are equal. */
function normalise(values: readonly number[]): number[] {
  const most = Math.max(...values)
  const least = Math.min(...values)
  return values.map(value => (most === least ? 100 : ((most - value) / (most - least)) * 100))
}

/** Formulas 5.4–5.9 over all managers. The order of the result is the order of `hosts`. */
export function normaliseLoads(hosts: readonly { readonly forecast: LoadAverage; readonly capacity: HostCapacity }[]): NormalisedLoad[] {
  const memory = normalise(hosts.map(host => host.forecast.memory_kb))
  const cpu = normalise(hosts.map(host => host.forecast.cpu_idle_percent * host.capacity.cores))
  const network = normalise(hosts.map(host => host.capacity.network_rated_kb_per_s - host.forecast.network_kb_per_s))
  return hosts.map((_, index) => ({ memory: memory[index]!, cpu: cpu[index]!, network: network[index]! }))
}

/** Weights by the type of the failed server (fig. 5.5). */
const WEIGHTS: Readonly<Record<ServerType, NormalisedLoad>> = {
  CPU: { memory: 0.5, cpu: 0.4, network: 0.1 },
  NETWORK: { memory: 0.5, cpu: 0.1, network: 0.4 },
  CPU_NET: { memory: 0.5, cpu: 0.25, network: 0.25 },
}

/** `VM·100 + weights · load`: the host with the lowest value is chosen. */
export function nonSelectValue(type: ServerType, virtual_servers: number, load: NormalisedLoad): number {
  const weight = WEIGHTS[type]
  return virtual_servers * 100 + weight.memory * load.memory + weight.cpu * load.cpu + weight.network * load.network
}

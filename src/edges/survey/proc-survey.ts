import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import { idlePercent, parseCpu, parseMemory, parseNetworkBytes, ratedNetwork, type CpuTicks } from './proc-parse.ts'
import type { HostCapacity, LoadSample, Survey } from './survey.ts'

/** Below this the ticks of /proc/stat (10 ms each) are too coarse for a rate: the former rates are told again. */
const SHORTEST_SPAN_MS = 50

export interface ProcSurveyOptions {
  readonly clock: Clock
  /** Network device that carries the service. */
  readonly device: string
  /** Root of /proc and /sys, for tests. */
  readonly root?: string
}

interface Reading {
  readonly at_ms: number
  readonly cpu: CpuTicks
  readonly network_bytes: number
}

/** Load survey straight from /proc (thesis 5.2.5): three small reads, no process. Rates are averages since the former sample. */
export class ProcSurvey implements Survey {
  private readonly options: ProcSurveyOptions
  private former: Reading | undefined
  private rates = { cpu_idle_percent: 100, network_kb_per_s: 0 }

  constructor(options: ProcSurveyOptions) {
    this.options = options
  }

  async capacity(): Promise<HostCapacity> {
    const [meminfo, stat, speed] = await Promise.all([
      this.read('proc/meminfo'), this.read('proc/stat'),
      // Virtual devices refuse the read (EINVAL); an absent one is reported by the sample.
      this.read(`sys/class/net/${this.options.device}/speed`).catch(() => undefined),
    ])
    return { memory_kb: parseMemory(meminfo).total_kb, cores: parseCpu(stat).cores, network_rated_kb_per_s: ratedNetwork(speed) }
  }

  /** The first sample has no former one: the average since boot for the CPU, none for the network. A device that is away has no traffic. */
  async sample(): Promise<LoadSample> {
    const [meminfo, stat, net_dev] = await Promise.all([this.read('proc/meminfo'), this.read('proc/stat'), this.read('proc/net/dev')])
    const now: Reading = { at_ms: this.options.clock.boot_ms(), cpu: parseCpu(stat), network_bytes: parseNetworkBytes(net_dev, this.options.device) ?? 0 }
    this.advance(now)
    return { memory_kb: parseMemory(meminfo).available_kb, ...this.rates }
  }

  private advance(now: Reading): void {
    const former = this.former
    if (former && now.at_ms - former.at_ms < SHORTEST_SPAN_MS) return
    this.former = now
    const idle = idlePercent(former?.cpu ?? { idle: 0, total: 0, cores: 0 }, now.cpu)
    // A device made anew counts from zero again: what it has by now is new traffic.
    const grown_bytes = former ? now.network_bytes - (now.network_bytes < former.network_bytes ? 0 : former.network_bytes) : 0
    this.rates = {
      cpu_idle_percent: idle ?? this.rates.cpu_idle_percent,
      // Bytes per millisecond are KB (10³ bytes) per second.
      network_kb_per_s: former ? grown_bytes / (now.at_ms - former.at_ms) : 0,
    }
  }

  private read(path: string): Promise<string> {
    return readFile(join(this.options.root ?? '/', path), 'utf8')
  }
}

/** One look at this host's load, in the thesis's units (5.2.5). */
export interface LoadSample {
  /** Available memory. */
  readonly memory_kb: number
  /** CPU idle rate over the time since the former sample, 0–100. */
  readonly cpu_idle_percent: number
  /** Bytes sent and received per second since the former sample, in KB (10³ bytes). */
  readonly network_kb_per_s: number
}

/** What does not change while the host runs. */
export interface HostCapacity {
  readonly memory_kb: number
  readonly cores: number
  /** Rated send + receive of the link: 1 Gbit/s is 256 × 10³ (thesis 5.2.5). */
  readonly network_rated_kb_per_s: number
}

export interface Survey {
  capacity(): Promise<HostCapacity>
  sample(): Promise<LoadSample>
}

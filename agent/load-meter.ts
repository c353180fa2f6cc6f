import type { Event } from '../src/core/event.ts'
import type { HostCapacity, LoadSample, Survey } from '../src/edges/survey/survey.ts'

/** Samples in one survey window: enough for an average, few enough to cost nothing (three small reads each). */
const SAMPLES_PER_INTERVAL = 4

/** Averages the samples between two surveys (thesis 5.2.5). */
export class LoadMeter {
  private readonly survey: Survey
  private readonly post: (event: Event) => void
  private readonly onProblem: (error: unknown) => void
  private readonly timer: NodeJS.Timeout
  private capacity: HostCapacity | undefined
  private samples: LoadSample[] = []

  constructor(survey: Survey, interval_ms: number, post: (event: Event) => void, onProblem: (error: unknown) => void) {
    this.survey = survey
    this.post = post
    this.onProblem = onProblem
    this.timer = setInterval(() => void this.sample(), interval_ms / SAMPLES_PER_INTERVAL)
  }

  private async sample(): Promise<void> {
    try {
      this.capacity ??= await this.survey.capacity()
      this.samples = [...this.samples.slice(-SAMPLES_PER_INTERVAL), await this.survey.sample()]
    } catch (error) {
      this.onProblem(error)
    }
  }

  /** Closes the window: its averages go to the core. */
  close(): void {
    const { capacity, samples } = this
    if (!capacity || samples.length === 0) return
    const mean = (read: (sample: LoadSample) => number): number => samples.reduce((sum, sample) => sum + read(sample), 0) / samples.length
    this.samples = []
    this.post({ event: 'survey', capacity, average: { memory_kb: mean(({ memory_kb }) => memory_kb), cpu_idle_percent: mean(({ cpu_idle_percent }) => cpu_idle_percent), network_kb_per_s: mean(({ network_kb_per_s }) => network_kb_per_s) } })
  }

  stop(): void {
    clearInterval(this.timer)
  }
}

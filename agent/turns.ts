import { reasonOf } from '../src/errors.ts'

/** Work on one name follows one another; a later order may call off the one under way. */
export class Turns {
  private readonly tails = new Map<string, Promise<void>>()
  private readonly current = new Map<string, AbortController>()

  /** Runs `work` after what is under way for the name, and answers once, also when it was called off. */
  take(name: string, limit_ms: number, work: (signal: AbortSignal) => Promise<string>, answer: (ok: boolean, detail: string) => void): Promise<void> {
    const before = this.tails.get(name) ?? Promise.resolve()
    const tail = before.then(() => this.run(name, limit_ms, work, answer)).finally(() => {
      if (this.tails.get(name) === tail) this.tails.delete(name)
    })
    this.tails.set(name, tail)
    return tail
  }

  private async run(name: string, limit_ms: number, work: (signal: AbortSignal) => Promise<string>, answer: (ok: boolean, detail: string) => void): Promise<void> {
    const controller = new AbortController()
    this.current.set(name, controller)
    const timer = setTimeout(() => controller.abort(new Error(`it took more than ${limit_ms} ms`)), limit_ms)
    try {
      const detail = await work(controller.signal)
      answer(true, detail)
    } catch (error) {
      answer(false, reasonOf(error))
    } finally {
      clearTimeout(timer)
      this.current.delete(name)
    }
  }

  callOff(name: string): void {
    this.current.get(name)?.abort(new Error('called off by a later order'))
  }

  busy(name: string): boolean {
    return this.tails.has(name)
  }

  async end(): Promise<void> {
    for (const controller of this.current.values()) controller.abort(new Error('management ends'))
    await Promise.allSettled(this.tails.values())
  }
}

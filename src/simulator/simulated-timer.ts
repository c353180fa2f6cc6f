/** A timer that is set anew before it has come, most of the times: then nothing is added to the queue, and what stands there goes on to the new turn. */
import { earlier, type EventQueue, type Turn } from './event-queue.ts'

export class SimulatedTimer {
  private readonly queue: EventQueue
  private readonly run: () => void
  private turn: Turn | undefined
  /** What stands in the queue, not later than the turn; what was left there beyond it does nothing. */
  private standing: Turn | undefined

  constructor(queue: EventQueue, run: () => void) {
    this.queue = queue
    this.run = run
  }

  /** Replaces the former time. */
  set(at_ms: number): void {
    this.turn = this.queue.takeTurn(at_ms)
    if (!this.standing || earlier(this.turn, this.standing)) this.stand(this.turn)
  }

  private stand(turn: Turn): void {
    this.standing = turn
    this.queue.atTurn(turn, () => {
      if (this.standing !== turn) return
      this.standing = undefined
      if (this.turn === turn) this.run()
      else this.stand(this.turn!)
    })
  }
}

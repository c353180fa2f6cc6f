import type { Server } from '../src/core/inventory.ts'
import type { Prober } from '../src/edges/probes/prober.ts'
import { within } from '../src/edges/within.ts'

/** A service that has not answered twice by then is handed over as it is: its manager looks after it. */
const TOUCH_LIMIT_MS = 2_000
/** The first dialogue fetches what was never run since the state was saved; the second is as fast as a client's will be. */
const DIALOGUES = 2

/** Speaks with each service of a virtual server that is about to take over. What it says is not judged here. */
export async function touchServices(prober: Pick<Prober, 'dialogue'>, { daemons }: Server, address: string, signal: AbortSignal): Promise<void> {
  await within(TOUCH_LIMIT_MS, [signal], async limited => {
    for (let count = 0; count < DIALOGUES; count += 1) await Promise.all(daemons.map(daemon => prober.dialogue(address, daemon.probe, limited)))
  }).catch(() => undefined)
}

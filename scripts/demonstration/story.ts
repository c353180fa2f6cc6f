/** The story: six servers, a power cut, the function given again, the host woken, everything back. The same on both scenes. */
import type { StatusDocument } from '../../src/control/documents.ts'
import { isKeyLine, showLine } from './key-lines.ts'
import { captions, isIn, ringPicture, RING_LEGEND } from './ring-picture.ts'
import { HOSTS, TARGET, type Findings, type Mark, type Scene } from './scene.ts'
import type { Screen } from './screen.ts'
import { addMarks } from './strip.ts'

const LOOK_EVERY_MS = 250
/** Cold start of six hosts on two processors takes 10 to 20 s. */
const GATHER_LIMIT_MS = 90_000
/** So that the strip begins good, and every host has told its load twice. */
const QUIET_MS = 4_000
/** Reboot limit, magic packet, boot, three good rounds and the return, on a slow machine. */
const RETURN_LIMIT_MS = 150_000
/** The client's last attempts before the cut end, and what the return costs it is seen. */
const AFTERMATH_MS = 3_000

export class StoryError extends Error {
  override readonly name = 'StoryError'
}

/** What the loop carries from look to look. */
interface Watch {
  marks: readonly Mark[]
  /** Looks that wait for their log lines, oldest first. */
  looks: { readonly at_ms: number; readonly status: StatusDocument }[]
  shown: StatusDocument | undefined
  status: StatusDocument | undefined
  cut_ms: number | undefined
  virtual_giver: string | undefined
  returned_ms: number | undefined
}

export async function tellStory(scene: Scene, screen: Screen): Promise<Findings> {
  const watch: Watch = { marks: [], looks: [], shown: undefined, status: undefined, cut_ms: undefined, virtual_giver: undefined, returned_ms: undefined }
  const name = scene.simulated ? 'SIMULATED ringward' : 'ringward'
  screen.say(screen.style('title', `${name}: six servers, a power cut, and the function is back`))
  screen.step(scene.about)
  await scene.bringUp(text => screen.step(text))
  await gather(scene, screen, watch)
  await scene.newLines()
  await scene.startWatching()
  screen.step(`${TARGET}'s client connects to its VIP every 100 ms; the audit looks for two givers every 50 ms`)
  screen.step(`the ring: ${RING_LEGEND}`)
  await follow(scene, screen, watch, QUIET_MS, () => false)
  watch.cut_ms = scene.now()
  screen.say(screen.style('bad', `${scene.simulated ? 'SIMULATED: ' : ''}the power of ${TARGET} is cut; times count from here`))
  await scene.cutPower()
  const back = await follow(scene, screen, watch, RETURN_LIMIT_MS, () => watch.returned_ms !== undefined && isWhole(watch.status))
  await follow(scene, screen, watch, AFTERMATH_MS, () => false)
  screen.rest()
  if (!back) screen.say(screen.style('bad', `not everything was back after ${RETURN_LIMIT_MS / 1_000} s: ${watch.status?.reason ?? 'no host answers'}`))
  const incident = await scene.incident()
  const watched = await scene.stopWatching()
  const { cut_ms, virtual_giver, returned_ms } = watch
  return { simulated: scene.simulated, cut_ms, virtual_giver, returned_ms, incident, ...watched }
}

/** Six members, each with two targets, every lease good, every function at home. */
export function isWhole(status: StatusDocument | undefined): boolean {
  return status !== undefined && status.verdict === 'ok' && status.incidents_open.length === 0 && status.hosts.length === HOSTS.length
    && status.hosts.every(host => host.state === 'in ring' && host.lease.good && host.targets.length === 2 && host.targets.every(target => target.mode === 'regular'))
    && status.functions.every(each => each.kind === 'native' && each.giver === each.name)
}

async function gather(scene: Scene, screen: Screen, watch: Watch): Promise<void> {
  const end_ms = scene.now() + GATHER_LIMIT_MS
  let said = ''
  for (;;) {
    watch.status = await scene.look()
    if (isWhole(watch.status)) return screen.step('six members, every lease good, every function on its own host')
    const members = watch.status?.hosts.filter(host => host.state === 'in ring').length ?? 0
    const text = `${members} of ${HOSTS.length} hosts in the ring`
    if (text !== said) screen.step(text)
    said = text
    if (scene.now() > end_ms) throw new StoryError(`the ring is not whole after ${GATHER_LIMIT_MS / 1_000} s: ${watch.status?.reason ?? 'no host answers'}; run with --keep and look at its log`)
    await scene.pass(LOOK_EVERY_MS)
  }
}

/** Shows what happens until it is enough or the time is over; says whether it was enough. */
async function follow(scene: Scene, screen: Screen, watch: Watch, limit_ms: number, enough: () => boolean): Promise<boolean> {
  const end_ms = scene.now() + limit_ms
  while (scene.now() < end_ms) {
    await scene.pass(LOOK_EVERY_MS)
    watch.status = await scene.look() ?? watch.status
    note(scene, watch)
    advanceShown(scene, watch)
    for (const line of await scene.newLines()) {
      if (watch.cut_ms !== undefined && isKeyLine(line, TARGET)) screen.say(showLine(line, watch.cut_ms, screen.width, screen.style))
    }
    const fresh = scene.newMarks()
    watch.marks = addMarks(watch.marks, fresh)
    const { shown, marks } = watch
    if (shown) screen.show({ title: titleOf(scene, watch), picture: ringPicture(shown, screen.style), ...captions(shown, TARGET), marks }, fresh)
    if (enough()) return true
  }
  return false
}

function advanceShown(scene: Scene, watch: Watch): void {
  if (watch.status) watch.looks.push({ at_ms: scene.now(), status: watch.status })
  while (watch.looks[0] && watch.looks[0].at_ms <= scene.now() - scene.lines_late_ms) watch.shown = watch.looks.shift()?.status
}

function note(scene: Scene, watch: Watch): void {
  const served = watch.status?.functions.find(each => each.name === TARGET)
  if (watch.cut_ms === undefined || !served?.giver) return
  if (served.kind === 'virtual') watch.virtual_giver ??= served.giver
  // Before the takeover the last claim still names the target itself.
  else if (watch.virtual_giver !== undefined && served.giver === TARGET) watch.returned_ms ??= Date.parse(served.since ?? '') || scene.now()
}

function titleOf(scene: Scene, { cut_ms, virtual_giver, returned_ms, shown }: Watch): string {
  const head = scene.simulated ? 'SIMULATED · ' : ''
  if (cut_ms === undefined) return `${head}all six servers give their functions`
  const now = `${((scene.now() - cut_ms) / 1_000).toFixed(1)} s after the power cut`
  const state = returned_ms !== undefined ? `${TARGET} is back and gives its function itself`
    : virtual_giver === undefined ? `nobody gives the function of ${TARGET} yet`
      : isIn(shown?.hosts.find(host => host.name === TARGET)) ? `${TARGET} is back in the ring; its function returns after three good rounds`
        : `the function is given on ${virtual_giver}; ${TARGET} is awaited and woken`
  return `${head}${now} · ${state}`
}

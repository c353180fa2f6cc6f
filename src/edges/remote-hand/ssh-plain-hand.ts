import { HandLines, type Ask, type HandLinesOptions } from './hand-lines.ts'
import { oneLine } from './hand-words.ts'
import type { PlainHand, PlainOrder, PlainResult, PlainTarget } from './plain-hand.ts'
import { barScript, COMMAND, giveScript, identifyScript, lookScript, parseAnswer, rebootScript, removeScript, restartScript, type ScriptAnswer } from './plain-scripts.ts'
import { IDENTIFY, parseAddresses, parseSystem, type HeldAddress, type PlainSystem } from './plain-system.ts'

/** The hand for targets without an agent, over SSH. */
export class SshPlainHand implements PlainHand {
  private readonly lines: HandLines
  private readonly systems = new Map<string, PlainSystem>()
  private readonly turns = new Map<string, Promise<unknown>>()

  constructor(options: HandLinesOptions) {
    this.lines = new HandLines(options)
  }

  async run(target: PlainTarget, order: PlainOrder, limit_ms: number, signal: AbortSignal): Promise<PlainResult> {
    // One after the other: between the two halves of an order no other order may change what was seen.
    const before = this.turns.get(target.name)
    const turn = (async () => {
      await before
      return this.carryOut(target, order, limit_ms, signal)
    })()
    this.turns.set(target.name, turn)
    try {
      return await turn
    } finally {
      if (this.turns.get(target.name) === turn) this.turns.delete(target.name)
    }
  }

  close(): Promise<void> {
    return this.lines.close()
  }

  private async carryOut(target: PlainTarget, order: PlainOrder, limit_ms: number, signal: AbortSignal): Promise<PlainResult> {
    const key = `${target.address} ${target.ssh_host_key}`
    const asked = await this.lines.run(target, order.verb, limit_ms, signal, async (ask): Promise<PlainResult> => {
      let system = this.systems.get(key)
      if (!system) {
        const text = await ask(COMMAND, identifyScript(IDENTIFY))
        system = parseSystem(text)
        if (!system) return { ok: false, detail: `${target.name} did not say what system it is: "${text.slice(0, 80)}"` }
        this.systems.set(key, system)
      }
      return obey(ask, system, target, order)
    })
    const result = 'value' in asked ? asked.value : { ok: false, detail: asked.failed }
    // The system may have been installed anew since.
    if (!result.ok) this.systems.delete(key)
    return { ...result, detail: oneLine(result.detail) }
  }
}

async function obey(ask: Ask, system: PlainSystem, target: PlainTarget, order: PlainOrder): Promise<PlainResult> {
  const { services, kernel, addresses } = system
  if (order.verb === 'restart-daemon' || order.verb === 'reboot') {
    if (!services) return { ok: false, detail: `its system (${kernel}) has no service manager that is known here: systemd, OpenRC, sysvinit, FreeBSD rc` }
    if (order.verb === 'reboot') return plainly(await ask(COMMAND, rebootScript(services)), 'reboot', services)
    return plainly(await ask(COMMAND, restartScript(services, order.daemon)), order.daemon, services)
  }
  if (!addresses) return { ok: false, detail: `its system (${kernel}) has no program for addresses that is known here: "ip" on Linux, "ifconfig" on a BSD` }
  switch (order.verb) {
    case 'look': return look(ask, system, target)
    case 'give': return give(ask, system, target, order.epoch)
    case 'release': return release(ask, system, target, order.epoch)
  }
}

function plainly(text: string, what: string, services: string): PlainResult {
  const answer = parseAnswer(text)
  if (!answer) return { ok: false, detail: `${what}: no whole answer: "${text.slice(-80)}"` }
  return { ok: answer.status === 0, detail: `${what} by ${services}: ${answer.status === 0 ? 'done' : `status ${answer.status}`}${answer.said ? `, ${answer.said}` : ''}` }
}

/** What the target holds now. An answer that cannot be read whole proves nothing. */
function seen(text: string, system: PlainSystem, own_address: string): { readonly answer: ScriptAnswer; readonly held: readonly HeldAddress[] } | { readonly failed: string } {
  const answer = parseAnswer(text)
  if (answer?.status === 9) return { failed: `the epoch could not be barred there: ${answer.said}` }
  const held = answer && answer.status === 0 ? parseAddresses(answer.addresses, system.addresses!) : undefined
  if (!answer || !held) return { failed: `its addresses cannot be read: "${text.slice(-80)}"` }
  // Whoever answers in a container of it, or behind a translation of addresses, sees other devices than those that matter.
  if (!isOn(held, own_address)) return { failed: `its own address ${own_address} is not among those it lists, so what it says of the VIP proves nothing` }
  return { answer, held }
}

const isOn = (held: readonly HeldAddress[], vip: string): boolean => held.some(each => each.address === vip)
const systemText = ({ kernel, services }: PlainSystem): string => `${kernel}, ${services ?? 'unknown services'}`

async function look(ask: Ask, system: PlainSystem, { vip, address }: PlainTarget): Promise<PlainResult> {
  const now = seen(await ask(COMMAND, lookScript(system)), system, address)
  if ('failed' in now) return { ok: false, detail: now.failed }
  return { ok: true, detail: systemText(system), vip: isOn(now.held, vip) ? 'on' : 'off' }
}

async function release(ask: Ask, system: PlainSystem, { vip, address }: PlainTarget, epoch: number): Promise<PlainResult> {
  let now = seen(await ask(COMMAND, barScript(system, vip, epoch)), system, address)
  if ('failed' in now) return { ok: false, detail: now.failed }
  const removed = now.held.filter(each => each.address === vip)
  if (removed.length > 0) now = seen(await ask(COMMAND, removeScript(system, removed)), system, address)
  if ('failed' in now) return { ok: false, detail: now.failed }
  const left = now.held.filter(each => each.address === vip)
  if (left.length > 0) return { ok: false, detail: `${vip} is still on ${left.map(each => each.device).join(', ')}: ${now.answer.said}`, vip: 'on' }
  return { ok: true, detail: `${vip} is not on it (${removed.length} removed), epoch ${epoch} is barred there`, vip: 'off' }
}

async function give(ask: Ask, system: PlainSystem, { vip, vip_prefix, address }: PlainTarget, epoch: number): Promise<PlainResult> {
  const before = seen(await ask(COMMAND, lookScript(system)), system, address)
  if ('failed' in before) return { ok: false, detail: before.failed }
  const device = before.held.find(each => each.address === address)?.device
  if (device === undefined) return { ok: false, detail: `none of its devices has the address ${address}, so there is no place for ${vip}`, vip: isOn(before.held, vip) ? 'on' : 'off' }
  const after = seen(await ask(COMMAND, giveScript(system, { device, address: vip, prefix: vip_prefix }, epoch)), system, address)
  if ('failed' in after) return { ok: false, detail: after.failed }
  const vip_seen = isOn(after.held, vip) ? 'on' : 'off'
  if (/^barred$/m.test(after.answer.said)) return { ok: false, detail: `epoch ${epoch} is barred there`, vip: vip_seen, barred: true }
  if (vip_seen === 'off') return { ok: false, detail: `${vip} could not be added to ${device}: ${after.answer.said}`, vip: 'off' }
  return { ok: true, detail: `${vip} is on ${device}${/^no arping$/m.test(after.answer.said) ? ' and could not be announced: install arping there' : ''}`, vip: 'on' }
}

/** `scripts/demo`: plays the story, prints the table, leaves nothing behind. The launcher has checked the machine. */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { failuresOf, resultTable } from './result-table.ts'
import type { Scene } from './scene.ts'
import { openScreen, type Screen } from './screen.ts'
import { tellStory } from './story.ts'

const { values } = parseArgs({ options: { dir: { type: 'string', default: '/var/lib/ringward-demo' }, keep: { type: 'boolean', default: false }, simulated: { type: 'boolean', default: false } } })
const directory = resolve(values.dir)
const called_off = new AbortController()
const CALLED_OFF_STATUS = 130

/** ^C at any time ends the story; taking the lab down is not to be interrupted. */
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => called_off.abort())
// A terminal that was closed; the lab's own start listens to SIGTERM only.
process.on('SIGHUP', () => process.kill(process.pid, 'SIGTERM'))
// A reader that went away (`| head`) must not keep the lab from being taken down.
process.stdout.on('error', () => process.kill(process.pid, 'SIGTERM'))

const screen = openScreen(process.stdout)
process.exitCode = values.simulated ? await playSimulated() : await playLaboratory()

async function playSimulated(): Promise<number> {
  const { SimulatedScene } = await import('./simulated-scene.ts')
  return await play(new SimulatedScene(process.stdout.isTTY === true, called_off.signal), screen)
}

async function playLaboratory(): Promise<number> {
  const { LaboratoryScene } = await import('./laboratory-scene.ts')
  const { labExists } = await import('../laboratory/lab.ts')
  if (labExists(directory)) {
    process.stderr.write(`demo: a lab is up in ${directory} already; end it with "scripts/lab --dir ${directory} down", or name another directory with --dir\n`)
    return 2
  }
  const scene = new LaboratoryScene(directory, called_off.signal)
  const status = await play(scene, screen)
  const keep = values.keep && labExists(directory) && !called_off.signal.aborted
  try {
    await scene.close(keep)
  } catch (error) {
    process.stderr.write(`demo: the lab could not be taken down: ${messageOf(error)}; try "scripts/lab --dir ${directory} down"\n`)
    return 1
  }
  if (keep) tellHowToGoOn(screen)
  else screen.step('the lab is down, nothing is left')
  return status
}

/** 0 when the story went as it should, 130 when it was called off, else 1. */
async function play(scene: Scene, screen: Screen): Promise<number> {
  try {
    const findings = await tellStory(scene, screen)
    screen.say()
    for (const line of resultTable(findings, screen.style, screen.width)) screen.say(line)
    screen.say()
    const failures = failuresOf(findings)
    for (const text of failures) screen.say(screen.style('bad', `FAILED: ${text}`))
    if (failures.length === 0) screen.say(screen.style('good', `${scene.simulated ? 'SIMULATED: ' : ''}the function was given again and returned`))
    return failures.length === 0 ? 0 : 1
  } catch (error) {
    screen.rest()
    if (called_off.signal.aborted) {
      screen.say('called off')
      return CALLED_OFF_STATUS
    }
    process.stderr.write(`demo: ${messageOf(error)}\n`)
    return 1
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function tellHowToGoOn(screen: Screen): void {
  const lab = `scripts/lab --dir ${directory}`
  const rows = [
    [`${lab} cli mail -- status`, 'the ring on one screen'],
    [`${lab} cli mail -- log -f`, 'the merged log of all hosts'],
    [`${lab} cli mail -- incidents 1`, 'the newest incident with its stages'],
    [`${lab} client ftp 21`, 'a client of ftp\'s VIP'],
    [`${lab} fault power-off ftp`, 'make something break; "fault --help" lists all'],
    [`${lab} audit --settled`, 'the invariants from outside'],
    [`${lab} down`, 'end everything and remove every trace'],
  ] as const
  const width = Math.max(...rows.map(([command]) => command.length))
  screen.say()
  screen.say(`The lab stays up in ${directory}:`)
  for (const [command, about] of rows) screen.say(`  ${command.padEnd(width)}   ${about}`)
}

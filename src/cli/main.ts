import { askControl } from '../control/control-client.ts'
import { placesOf } from '../configuration/places.ts'
import { SystemClock } from '../edges/clock.ts'
import type { CliContext } from './context.ts'
import { openShare } from './open-share.ts'
import { runCli } from './program.ts'
import { coloured, plain } from './render/style.ts'

/** Nobody reads any more (`ringward log | head`): the work is done. */
function endOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
}

const interrupted = new AbortController()
process.once('SIGINT', () => interrupted.abort())
process.once('SIGTERM', () => interrupted.abort())
process.stdout.on('error', endOnClosedPipe)
process.stderr.on('error', endOnClosedPipe)

const clock = new SystemClock()
const terminal = process.stdout.isTTY === true
// NO_COLOR counts when it is not empty (no-color.org).
const colours = terminal && !process.env.NO_COLOR && process.env.TERM !== 'dumb'
const context: CliContext = {
  out: text => { process.stdout.write(text) },
  error: text => { process.stderr.write(text) },
  terminal,
  style: colours ? coloured : plain,
  clock,
  signal: interrupted.signal,
  ask: (verb, args, deadline_ms) => askControl(placesOf().control_socket, verb, args, { deadline_ms, signal: interrupted.signal }),
  openShare: () => openShare(clock),
  setExit: () => undefined,
}

const code = await runCli(process.argv.slice(2), context)
// Pipes and files are written by now; a file call that hangs on a dead mount must not keep the command.
process.stdout.write('', () => process.exit(code))

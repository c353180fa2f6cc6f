import type { Command } from 'commander'
import { RingwardError } from '../errors.ts'
import { pause, type CliContext } from './context.ts'
import { errorDocument } from './errors.ts'
import { exitCodeOf, exitCodesHelp, type ExitCode } from './exit-codes.ts'
import { ANSWER_LIMIT_MS, hostOption, jsonOption, watchOption } from './options.ts'
import type { Style } from './render/style.ts'

/** A command that asks the agent for one document and shows it. */
export interface Query<Document> {
  readonly verb: string
  readonly schema: string
  readonly description: string
  render(document: Document, style: Style): string
  /** Code for a document that arrived; 0 without it. */
  exit?(document: Document): ExitCode
  readonly exit_codes?: readonly ExitCode[]
  readonly exit_notes?: Partial<Record<ExitCode, string>>
}

interface QueryOptions {
  readonly json?: true
  readonly watch?: number
  readonly host?: string
}

/** Home and clear, as `clear` writes them. */
const REPAINT = '\u001b[H\u001b[2J'

export function registerQuery<Document>(program: Command, context: CliContext, query: Query<Document>): void {
  program.command(query.verb).description(query.description)
    .addOption(jsonOption()).addOption(watchOption()).addOption(hostOption())
    .addHelpText('after', exitCodesHelp(query.exit_codes ?? [0, 1, 2, 3, 4, 124], query.exit_notes))
    .action(async (options: QueryOptions) => {
      if (options.watch === undefined) return show(context, query, options, await askDocument(context, query, options.host))
      await watch(context, query, options, options.watch)
    })
}

/** Asks this host's agent, or through it another's, and checks that the answer is the document meant. */
export async function askDocument<Document>(context: CliContext, query: Pick<Query<Document>, 'verb' | 'schema'>, host?: string): Promise<Document> {
  const document = await context.ask(query.verb, host === undefined ? {} : { host }, ANSWER_LIMIT_MS)
  if (typeof document !== 'object' || document === null || (document as { schema?: unknown }).schema !== query.schema) {
    throw new RingwardError('CONTROL_UNREACHABLE', `the agent's answer is no ${query.schema}; agent and command line are of different versions: run the command of the agent's version`)
  }
  return document as Document
}

function show<Document>(context: CliContext, query: Query<Document>, options: QueryOptions, document: Document): void {
  context.out(options.json ? `${JSON.stringify(document, null, options.watch === undefined ? 2 : 0)}\n` : query.render(document, context.style))
  context.setExit(query.exit?.(document) ?? 0)
}

/** An agent that is restarted meanwhile is part of what is watched: its absence is shown, and the next look comes. */
async function watch<Document>(context: CliContext, query: Query<Document>, options: QueryOptions, interval_ms: number): Promise<void> {
  const paged: CliContext = options.json || !context.terminal ? context : { ...context, out: text => context.out(REPAINT + text), setExit: code => context.setExit(code) }
  while (!context.signal.aborted) {
    try {
      show(paged, query, options, await askDocument(context, query, options.host))
    } catch (error) {
      if (context.signal.aborted) return
      const { code, message } = errorDocument(error)
      if (options.json) context.error(`${JSON.stringify({ schema: 'ringward.error/1', code, message })}\n`)
      else paged.out(`${context.style('bad', message)}\n`)
      context.setExit(exitCodeOf(error))
    }
    await pause(interval_ms, context.signal)
  }
}

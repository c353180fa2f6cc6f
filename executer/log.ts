/** The Executer's log is its standard output: the journal keeps it, also when disk and share are gone. */
export interface Log {
  info(text: string): void
  /** Something the admin has to look at. */
  warn(text: string): void
  /** A line a child wrote. */
  child(name: string, line: string): void
}

/** Priorities of the journal (sd-daemon(3)): it reads and strips the prefix. */
const INFO = '<6>'
const WARNING = '<4>'

/** Under the journal each line carries its priority and no stamp (the journal has one); elsewhere a wall-clock stamp. */
export function standardLog(journal: boolean, wall: () => Date, write: (text: string) => void): Log {
  const line = (priority: string, who: string, text: string): void => {
    write(`${journal ? priority : `${wall().toISOString()} `}${who}: ${text}\n`)
  }
  return {
    info: text => text.split('\n').forEach(part => line(INFO, 'executer', part)),
    warn: text => text.split('\n').forEach(part => line(WARNING, 'executer', part)),
    child: (name, text) => line(INFO, name, text),
  }
}

/** More different texts than that are not told apart any more. */
const TEXTS_LIMIT = 200

/** The same log, for something that is tried again and again: each text is said once. */
export function unrepeated(log: Log): Log {
  const said = new Set<string>()
  const once = (say: (text: string) => void) => (text: string): void => {
    if (said.has(text)) return
    if (said.size < TEXTS_LIMIT) said.add(text)
    say(text)
  }
  return { info: once(text => log.info(text)), warn: once(text => log.warn(text)), child: (name, text) => log.child(name, text) }
}

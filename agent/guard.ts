import { fileURLToPath } from 'node:url'
import { runGuard } from '../src/guard/guard-program.ts'

// The guard's process (`guard.mjs --host …`), and with `--watchdog` its watchdog's.
await runGuard(process.argv.slice(2), fileURLToPath(import.meta.url))

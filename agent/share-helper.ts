import { SystemClock } from '../src/edges/clock.ts'
import { runShareHelper } from '../src/edges/share/share-helper-program.ts'

// The share helper's process: `share-helper.mjs MOUNT-POINT HOST`. It may hang; its owner may not.
runShareHelper(process.argv.slice(2), new SystemClock())

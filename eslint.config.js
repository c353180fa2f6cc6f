import tseslint from 'typescript-eslint'

// The walls of the house (docs/architecture.md). Each rule says why it stands.
const wall = (message, ...group) => ({ group, message })
const SPAWNERS = ['node:child_process', 'child_process'].map(name => ({ name, message: 'Spawn through src/edges/command.ts.' }))
const CLOCKS_APART = 'Take the time from a Clock (src/edges/clock.ts).'
const CLOCK_MODULES = [
  ...['node:perf_hooks', 'perf_hooks'].map(name => ({ name, message: CLOCKS_APART })),
  ...['node:process', 'process'].map(name => ({ name, importNames: ['hrtime'], message: CLOCKS_APART })),
]

export default tseslint.config(
  { // Fixtures run as programs of their own, without types.
    ignores: ['dist/**', 'node_modules/**', '.lab/**', 'test/**/fixtures/*.mjs'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js'] }, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A promise nobody waits for is an outage nobody sees.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      // Functions fit on a screen.
      'max-lines-per-function': ['error', { max: 70, skipComments: true, skipBlankLines: true }],
      // One place spawns processes: src/edges/command.ts (argument arrays, no shell, deadline, output limit, LANG=C).
      'no-restricted-imports': ['error', { paths: SPAWNERS }],
    },
  },
  {
    // One place reads clocks: durations by the boot clock, which neither a set wall clock nor a suspend can falsify; tests and the
    // simulator put their own clock in its place. A moment that is already known may become text (`new Date(ms)`).
    // Excepted: the clock itself, and the simulator's main program, which tells how many schedules it plays in a second of its own, real time.
    files: ['src/**/*.ts', 'agent/**/*.ts', 'executer/**/*.ts'],
    ignores: ['src/edges/clock.ts', 'src/simulator/main.ts'],
    rules: {
      'no-restricted-imports': ['error', { paths: [...SPAWNERS, ...CLOCK_MODULES] }],
      'no-restricted-properties': ['error', ...[['Date', 'now'], ['performance', 'now'], ['process', 'hrtime']].map(([object, property]) => ({ object, property, message: CLOCKS_APART }))],
      'no-restricted-syntax': ['error', ...['NewExpression[callee.name="Date"][arguments.length=0]', 'CallExpression[callee.name="Date"]'].map(selector => ({ selector, message: CLOCKS_APART }))],
    },
  },
  {
    // Edges never import one another: each can be replaced, tested and understood alone; what they do together is put together in agent/.
    // Common to all are the files beside their folders (clock, command, deadline, lines, within). Types may cross: `edges/log` ships
    // through the interface of `edges/share`, and no code comes with it.
    files: ['src/edges/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: [
        { regex: '^\\.\\./(?!\\.\\./)[^/]+/|^(\\.\\./)+edges/[^/]+/', allowTypeImports: true, message: 'Edges never import one another; only types may cross.' },
        // From the common files into an edge's folder.
        { regex: '^\\./[^/]+/', message: 'What is common to the edges knows none of them.' },
      ] }],
    },
  },
  {
    // The core is pure: the daemon and the simulator run it byte for byte. So it imports nothing but its own files: no package, no
    // node: module, and not even the errors, which would bring words and causes of the outer world into what is decided.
    files: ['src/core/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ regex: '^(?!\\./[a-z-]+\\.ts$)', message: 'The core imports nothing but the core.' }] }],
      'no-restricted-globals': ['error', ...['Date', 'performance', 'process', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'console', 'crypto', 'fetch', 'Buffer'].map(name => ({ name, message: 'Time, randomness and I/O reach the core only in events.' }))],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: 'Randomness reaches the core only in events.' }],
      'no-restricted-syntax': ['error', { selector: 'ImportExpression', message: 'The core imports nothing but the core.' }, { selector: 'AwaitExpression', message: 'The core is synchronous.' }, { selector: 'FunctionDeclaration[async=true]', message: 'The core is synchronous.' }],
    },
  },
  {
    // The CLI speaks to the control socket and to files, never to the ring.
    files: ['src/cli/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: [...SPAWNERS, ...CLOCK_MODULES], patterns: [wall('The CLI never touches the ring.', '**/edges/peers/*', '**/guard/*')] }] },
  },
  // Scripts and tests are not the product; the lab spawns by its own rules.
  { files: ['src/edges/command.ts', 'scripts/**/*.ts', 'test/**/*.ts'], rules: { 'no-restricted-imports': 'off' } },
  { files: ['test/**/*.ts'], rules: { 'max-lines-per-function': 'off', '@typescript-eslint/no-unsafe-assignment': 'off', '@typescript-eslint/no-unsafe-member-access': 'off' } },
  { files: ['**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
)

import tseslint from 'typescript-eslint'

// The walls of the house (docs/architecture.md). Each rule says why it stands.
const wall = (message, ...group) => ({ group, message })

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
      'no-restricted-imports': ['error', { paths: [{ name: 'node:child_process', message: 'Spawn through src/edges/command.ts.' }, { name: 'child_process', message: 'Spawn through src/edges/command.ts.' }] }],
    },
  },
  {
    // The core is pure: the daemon and the simulator run it byte for byte.
    files: ['src/core/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [wall('The core imports nothing but the core.', 'node:*', '../edges/*', '../../edges/*', '../simulator/*', '../cli/*', '../configuration/*', '../guard/*', '../control/*', '**/agent/*', '**/executer/*')] }],
      'no-restricted-globals': ['error', ...['Date', 'performance', 'process', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'console', 'crypto', 'fetch', 'Buffer'].map(name => ({ name, message: 'Time, randomness and I/O reach the core only in events.' }))],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: 'Randomness reaches the core only in events.' }],
      'no-restricted-syntax': ['error', { selector: 'AwaitExpression', message: 'The core is synchronous.' }, { selector: 'FunctionDeclaration[async=true]', message: 'The core is synchronous.' }],
    },
  },
  {
    // The CLI speaks to the control socket and to files, never to the ring.
    files: ['src/cli/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: [{ name: 'node:child_process', message: 'Spawn through src/edges/command.ts.' }], patterns: [wall('The CLI never touches the ring.', '../edges/peers/*', '../guard/*')] }] },
  },
  // Scripts and tests are not the product; the lab spawns by its own rules.
  { files: ['src/edges/command.ts', 'scripts/**/*.ts', 'test/**/*.ts'], rules: { 'no-restricted-imports': 'off' } },
  { files: ['test/**/*.ts'], rules: { 'max-lines-per-function': 'off', '@typescript-eslint/no-unsafe-assignment': 'off', '@typescript-eslint/no-unsafe-member-access': 'off' } },
  { files: ['**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
)

import rxjs from 'eslint-plugin-rxjs-x';
import tseslint from 'typescript-eslint';

const ambient = ['Date', 'setTimeout', 'setInterval', 'setImmediate', 'process', 'console', 'Promise', 'performance'];

export default tseslint.config(
  { ignores: ['dist', 'coverage', 'node_modules'] },
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  rxjs.configs.recommended,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // A port without a value to give is an honest Observable<void>; a callback's result is often nobody's business.
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      'rxjs-x/finnish': ['error', { functions: false, methods: false, parameters: true, properties: true, variables: true }],
      'rxjs-x/no-ignored-subscription': 'off',
      'rxjs-x/no-sharereplay': ['error', { allowConfig: true }],
    },
  },
  {
    files: ['streams/**'],
    rules: {
      'no-restricted-globals': ['error', ...ambient],
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: ['node:*', '../*', '@*', 'zod', 'winston', 'undici'] }],
    },
  },
  {
    files: ['src/**'],
    ignores: ['src/main.ts'],
    rules: { 'no-restricted-globals': ['error', 'process'], 'no-console': 'error' },
  },
  {
    files: ['spec/**'],
    rules: {
      // chai's assertions are expressions.
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
);

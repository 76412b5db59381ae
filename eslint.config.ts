import { defineConfig } from 'eslint/config';
import rxjs from 'eslint-plugin-rxjs-x';
import sortImports from 'eslint-plugin-simple-import-sort';
import tseslint from 'typescript-eslint';
import { dollarRule } from './spec/support/dollar-rule.ts';

const ambient = ['Date', 'setTimeout', 'setInterval', 'setImmediate', 'process', 'console', 'Promise', 'performance'];

export default defineConfig(
  { ignores: ['dist', 'coverage', 'test-output', 'node_modules'] },
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  rxjs.configs.recommended,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { house: { rules: { dollar: dollarRule as never } }, imports: sortImports },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      'no-duplicate-imports': ['error', { allowSeparateTypeImports: false }],
      // Node's modules, packages, then this repository from far to near.
      'imports/imports': ['error', { groups: [['^\\u0000', '^node:', '^@?\\w', '^\\.\\./', '^\\./']] }],
      'imports/exports': 'error',
      // One way to write a function: an arrow. Generators cannot be arrows.
      'no-restricted-syntax': [
        'error',
        { selector: 'FunctionDeclaration[generator=false]', message: 'Write an arrow function.' },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // A port without a value to give is an honest Observable<void>; a callback's result is often nobody's business.
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      'house/dollar': 'error',
      'rxjs-x/no-ignored-subscription': 'off',
      'rxjs-x/no-sharereplay': ['error', { allowConfig: true }],
    },
  },
  {
    files: ['streams/**'],
    rules: {
      'no-restricted-globals': ['error', ...ambient],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { patterns: ['node:*', '../*', '@*', 'zod', 'winston', 'undici'] },
      ],
    },
  },
  {
    files: ['src/**'],
    ignores: ['src/main.ts', 'src/start.ts'],
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

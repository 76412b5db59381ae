// Stryker's mocha runner asks for mocha's `lib/cli/run-helpers` without an extension, and mocha 12 calls it .cjs
// (https://github.com/stryker-mutator/stryker-js/pull/6205). Delete this with the release that mends it.
import { Module } from 'node:module';

const { _extensions: extensions } = Module as unknown as { _extensions: Record<string, unknown> };
extensions['.cjs'] = extensions['.js'];

#!/usr/bin/env node
import { VERSION } from '../../../src/config/version.ts';
import { createLogger } from '../../../src/logging/logger.ts';

const line = (text: string): boolean => process.stdout.write(`${text}\n`);

line(VERSION);
createLogger({ level: 'info', format: 'json', write: line, colours: false }).info('logged');
line('before');
void import('./late.ts').then(({ late }) => line(late));

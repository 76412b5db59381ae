#!/usr/bin/env node
import { version } from '../../../src/config/version.ts';
import { createLogger } from '../../../src/logger.ts';

const line = (text: string): boolean => process.stdout.write(`${text}\n`);

line(version);
createLogger({ level: 'info', format: 'json', write: line, colours: false }).info('logged');
line('before');
void import('./late.ts').then(({ late }) => line(late));

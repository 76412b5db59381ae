import { expect } from 'chai';
import { helpText, parseCommandLine } from '../../src/config/command-line.ts';
import { type CommandName, commands } from '../../src/config/commands.ts';
import { wrap } from '../../src/config/help.ts';
import { settings } from '../../src/config/variables.ts';
import { REPOSITORY, VERSION } from '../../src/config/version.ts';

const names = Object.keys(commands) as CommandName[];
const longestLine = (text: string): number => Math.max(...text.split('\n').map((line) => line.length));

describe('helpText', () => {
  it('stays within 100 columns, and within fewer when asked', () => {
    for (const name of names) {
      expect(longestLine(helpText(name, { columns: 250 })), name).to.be.at.most(100);
      const beforeExamples = helpText(name, { columns: 60 }).split('Examples:')[0] ?? '';
      expect(longestLine(beforeExamples), name).to.be.at.most(60);
    }
  });

  it('names every command, every variable and every default', () => {
    const text = helpText('serve', { columns: 100 });
    for (const name of names) expect(text).to.match(new RegExp(`^  ${name} `, 'm'));
    for (const [, { name, defaultValue: standard }] of settings) {
      expect(text).to.match(new RegExp(`^  ${name} `, 'm'));
      if (typeof standard === 'string') expect(text.replace(/\n\s+/g, ' ').replaceAll('/ ', '/')).to.include(standard);
    }
    expect(text).to.match(/^ {2}2 {2}bad configuration$/m);
  });

  it('puts the meaning of a flag under it where the terminal is too narrow for both side by side', () => {
    const [, flags = ''] = helpText('check', { columns: 40 }).split('\nFlags:\n');
    const [first, second] = flags.split('\n');
    expect(first).to.match(/^ {2}-\w, --\S+ \S+$|^ {2}--\S+( \S+)?$/);
    expect(second).to.match(/^ {3,}\S/);
    expect(longestLine(flags.split('Examples:')[0] ?? '')).to.be.at.most(40);
  });

  it('puts the meaning of a flag beside it as soon as there is room for 40 characters', () => {
    const flagsAt = (columns: number) => helpText('completion', { columns }).split('\nFlags:\n')[1]?.split('\n')[0];
    const chars = '  --version  '.length + 40;
    expect(flagsAt(chars)).to.match(/^ {2}--help {5}\S/);
    expect(flagsAt(chars - 1)).to.equal('  --help');
  });

  it("lists a command's own flags", () => {
    const text = helpText('demo', { columns: 100 });
    for (const { flag } of Object.values(commands.demo.flags))
      expect(text).to.match(new RegExp(`^  --${flag}\\b`, 'm'));
    expect(text).to.match(/^Usage: webhook-certd demo \[flags\]$/m);
    expect(text).to.not.include('LEASE_DURATION');
  });

  it('shows only examples that can be run', () => {
    for (const name of names) {
      for (const [example] of commands[name].examples) {
        const argv = /webhook-certd ?([^|)]*)/.exec(example)?.[1]?.trim().split(' ').filter(Boolean) ?? [];
        expect(parseCommandLine(argv), example).to.deep.include({ command: name, problems: [] });
      }
    }
  });
});

describe('wrapping a text', () => {
  it('breaks it at blanks into lines that are as long as they may be', () => {
    expect(wrap('ab cd ef', 5)).to.deep.equal(['ab cd', 'ef']);
    expect(wrap('ab cd ef', 4)).to.deep.equal(['ab', 'cd', 'ef']);
    expect(wrap('abcde fg', 5)).to.deep.equal(['abcde', 'fg']);
    expect(wrap('', 5)).to.deep.equal(['']);
  });

  it('breaks a word that is too long after the last slash that fits, else anywhere', () => {
    expect(wrap('/var/run/secrets', 9)).to.deep.equal(['/var/run/', 'secrets']);
    expect(wrap('/var/run/secrets', 8)).to.deep.equal(['/var/', 'run/', 'secrets']);
    expect(wrap('at /secrets', 5)).to.deep.equal(['at', '/secr', 'ets']);
    expect(wrap('abcdefgh ij', 5)).to.deep.equal(['abcde', 'fgh', 'ij']);
    expect(wrap('ab/cd', 5)).to.deep.equal(['ab/cd']);
    expect(wrap('abcdef/h', 6)).to.deep.equal(['abcdef', '/h']);
  });
});

describe('version', () => {
  it('is a version', () => expect(VERSION).to.match(/^\d+\.\d+\.\d+/));

  it('goes with the address of the repository, without the part of a page', () =>
    expect(REPOSITORY).to.match(/^https:\/\/[^#\s]+[^#/\s]$/));
});

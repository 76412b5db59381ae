import fs from 'node:fs';
import { Writable } from 'node:stream';
import tty, { type WriteStream } from 'node:tty';
import { expect } from 'chai';
import { openLogger } from '../../src/logging/sinks.ts';
import { replaceBuiltin } from '../support/replace-builtin.ts';

type Kind = 'a file' | 'a device' | 'a terminal' | 'a pipe';

/** A stdout of some kind, of which a disk may be full and a reader slow or gone. */
const open = (kind: Kind, { format = 'json', isTTY = false }: { format?: 'json' | 'pretty'; isTTY?: boolean } = {}) => {
  const disk = { text: '', isFull: false, takes: Infinity, written: [] as number[] };
  const chunks: string[] = [];
  const stream = Object.assign(
    new Writable({
      decodeStrings: false,
      highWaterMark: 1,
      write: (chunk: string) => {
        chunks.push(chunk);
      },
    }),
    { isTTY },
  );
  let streams = 0;
  const files = replaceBuiltin(fs, {
    fstatSync: (fd: number) => ({
      isFile: () => fd === 1 && kind === 'a file',
      isCharacterDevice: () => fd === 1 && (kind === 'a device' || kind === 'a terminal'),
    }),
    writeSync: (fd: number, bytes: Uint8Array) => {
      if (disk.isFull) throw new Error('ENOSPC');
      const taken = Math.min(bytes.length, disk.takes);
      disk.written.push(fd);
      disk.text += Buffer.from(bytes.subarray(0, taken)).toString();
      return taken;
    },
  });
  const terminal = replaceBuiltin(tty, { isatty: (fd: number) => fd === 1 && kind === 'a terminal' });
  const logger = openLogger({ logLevel: 'info', logFormat: format }, () => {
    streams += 1;
    return stream as unknown as WriteStream;
  });
  return {
    logger,
    disk,
    chunks,
    stream,
    streams: () => streams,
    [Symbol.dispose]() {
      files[Symbol.dispose]();
      terminal[Symbol.dispose]();
    },
  };
};

const messagesIn = (text: string): readonly unknown[] =>
  text
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => (JSON.parse(line) as { message: unknown }).message);

describe('the log on stdout', () => {
  for (const kind of ['a file', 'a device'] as const)
    it(`is written at once and without a stream where it is ${kind}`, () => {
      using stdout = open(kind);
      stdout.logger.info('one');
      stdout.logger.debug('below the level');
      stdout.logger.info('two');
      expect(messagesIn(stdout.disk.text)).to.deep.equal(['one', 'two']);
      expect(stdout.disk.written).to.deep.equal([1, 1]);
      expect(stdout.streams()).to.equal(0);
    });

  for (const kind of ['a pipe', 'a terminal'] as const)
    it(`goes through Node's stream where it is ${kind}`, () => {
      using stdout = open(kind);
      stdout.logger.info('one');
      expect(messagesIn(stdout.chunks.join(''))).to.deep.equal(['one']);
      expect(stdout.disk.written).to.deep.equal([]);
      expect(stdout.streams()).to.equal(1);
    });

  it('resumes once a full disk has space again, and says how many lines were lost', () => {
    using stdout = open('a file');
    stdout.disk.isFull = true;
    stdout.logger.info('lost');
    stdout.logger.info('lost too');
    stdout.disk.isFull = false;
    stdout.logger.info('one');
    const lines = stdout.disk.text.trim().split('\n');
    expect(messagesIn(lines[0] ?? '')).to.deep.equal(['one']);
    expect(JSON.parse(lines[1] ?? '')).to.include({
      level: 'warn',
      message: 'Log lines were lost, they could not be written',
      lines: 2,
      event: 'log-lines-lost',
    });
    expect(lines).to.have.length(2);
  });

  it('begins a new line after one that the disk took only in part, which counts as lost', () => {
    using stdout = open('a file');
    stdout.disk.takes = 10;
    stdout.logger.info('cut off');
    stdout.disk.takes = Infinity;
    stdout.logger.info('one');
    stdout.logger.info('two');
    const [part, ...whole] = stdout.disk.text.split('\n');
    expect(part).to.have.length(10);
    expect(messagesIn(whole.join('\n'))).to.deep.equal([
      'one',
      'Log lines were lost, they could not be written',
      'two',
    ]);
    expect(stdout.disk.text)
      .to.match(/[^\n]\n$/)
      .and.not.include('\n\n');
  });

  it('is lost, and the process goes on, once the reader of a pipe has gone', () => {
    using stdout = open('a pipe');
    stdout.logger.info('one');
    stdout.stream.emit('error', new Error('EPIPE'));
    stdout.logger.info('lost');
    expect(messagesIn(stdout.chunks.join(''))).to.deep.equal(['one']);
    expect(stdout.stream.writableLength).to.equal(stdout.chunks.join('').length);
  });

  it('is not buffered beyond 4 MiB for a reader of a pipe that does not read', () => {
    using stdout = open('a pipe');
    const text = 'x'.repeat(64 * 1024);
    for (let line = 0; line < 200; line += 1) stdout.logger.info('m', { text });
    expect(stdout.stream.writableLength).to.be.within(1, 4 * 1024 * 1024 + 128 * 1024);
  });

  it('has colours on a terminal in the format for people alone', () => {
    const isColoured = (format: 'json' | 'pretty', isTTY: boolean): boolean => {
      using stdout = open('a pipe', { format, isTTY });
      stdout.logger.info('one');
      return stdout.chunks.join('').includes('\u001b[');
    };
    expect(isColoured('pretty', true)).to.equal(true);
    expect(isColoured('pretty', false)).to.equal(false);
    expect(isColoured('json', true)).to.equal(false);
  });
});

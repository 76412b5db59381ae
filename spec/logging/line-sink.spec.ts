import { expect } from 'chai';
import { lineSink } from '../../src/logging/sinks.ts';

const open = () => {
  const output = {
    text: '',
    isFull: false,
    waiting: 0,
    write(text: string): void {
      if (this.isFull) throw new Error('ENOSPC');
      this.text += text;
    },
    bufferedBytes(): number {
      return this.waiting;
    },
  };
  const restored: number[] = [];
  return { output, restored, sink: lineSink(output, (lostLines) => restored.push(lostLines)) };
};

describe('a sink of lines', () => {
  it('writes each line at once, with its end', () => {
    const { output, restored, sink } = open();
    sink('a');
    sink('b');
    expect(output.text).to.equal('a\nb\n');
    expect(restored).to.deep.equal([]);
  });

  it('loses what cannot be written, and says how much after the first line that can be', () => {
    const { output, restored, sink } = open();
    output.isFull = true;
    sink('lost');
    sink('lost too');
    output.isFull = false;
    expect(restored).to.deep.equal([]);
    sink('a');
    sink('b');
    expect(output.text).to.equal('a\nb\n');
    expect(restored).to.deep.equal([2]);
  });

  it('keeps no more than 4 MiB for a reader that does not read', () => {
    const { output, restored, sink } = open();
    output.waiting = 4 * 1024 * 1024 + 1;
    sink('lost');
    output.waiting -= 1;
    sink('a');
    expect(output.text).to.equal('a\n');
    expect(restored).to.deep.equal([1]);
  });

  it('may be written to by whoever is told', () => {
    const output = open().output;
    const sink = lineSink(output, (lostLines) => sink(`${lostLines} lost`));
    output.isFull = true;
    sink('lost');
    output.isFull = false;
    sink('a');
    expect(output.text).to.equal('a\n1 lost\n');
  });
});

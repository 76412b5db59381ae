import { expect } from 'chai';
import { lineSink } from '../../src/logging/sinks.ts';

const open = () => {
  const outlet = {
    text: '',
    isFull: false,
    waiting: 0,
    write(text: string): void {
      if (this.isFull) throw new Error('ENOSPC');
      this.text += text;
    },
    waitingBytes(): number {
      return this.waiting;
    },
  };
  const restored: number[] = [];
  return { outlet, restored, sink: lineSink(outlet, (lostLines) => restored.push(lostLines)) };
};

describe('a sink of lines', () => {
  it('writes each line at once, with its end', () => {
    const { outlet, restored, sink } = open();
    sink('a');
    sink('b');
    expect(outlet.text).to.equal('a\nb\n');
    expect(restored).to.deep.equal([]);
  });

  it('loses what cannot be written, and says how much after the first line that can be', () => {
    const { outlet, restored, sink } = open();
    outlet.isFull = true;
    sink('lost');
    sink('lost too');
    outlet.isFull = false;
    expect(restored).to.deep.equal([]);
    sink('a');
    sink('b');
    expect(outlet.text).to.equal('a\nb\n');
    expect(restored).to.deep.equal([2]);
  });

  it('keeps no more than 4 MiB for a reader that does not read', () => {
    const { outlet, restored, sink } = open();
    outlet.waiting = 4 * 1024 * 1024 + 1;
    sink('lost');
    outlet.waiting -= 1;
    sink('a');
    expect(outlet.text).to.equal('a\n');
    expect(restored).to.deep.equal([1]);
  });

  it('may be written to by whoever is told', () => {
    const outlet = open().outlet;
    const sink = lineSink(outlet, (lostLines) => sink(`${lostLines} lost`));
    outlet.isFull = true;
    sink('lost');
    outlet.isFull = false;
    sink('a');
    expect(outlet.text).to.equal('a\n1 lost\n');
  });
});

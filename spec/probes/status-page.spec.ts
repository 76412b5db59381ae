import { expect } from 'chai';
import { createContext, Script } from 'node:vm';
import { statusPageScript } from '../../src/probes/status-page-script.ts';
import type { Status } from '../../src/probes/status.ts';
import { emptyStatus, fullStatus } from './support-status.ts';

/** As much of a DOM node as the page uses. Markup given as text stays text here as in a browser. */
class FakeNode {
  readonly name: string;
  className = '';
  #children: FakeNode[] = [];
  #text = '';

  constructor(name: string) {
    this.name = name;
  }

  get textContent(): string {
    return this.#text + this.#children.map((child) => child.textContent).join(' ');
  }

  set textContent(text: string) {
    this.#text = text;
    this.#children = [];
  }

  append(...given: (FakeNode | string)[]): void {
    for (const one of given) {
      const node = typeof one === 'string' ? new FakeNode('#text') : one;
      if (typeof one === 'string') node.textContent = one;
      this.#children.push(node);
    }
  }

  replaceChildren(...given: FakeNode[]): void {
    this.textContent = '';
    this.append(...given);
  }
}

describe('status page', () => {
  const draw = async (answer: () => Promise<unknown>) => {
    const nodes = new Map(['identity', 'state', 'parts', 'fresh'].map((id) => [id, new FakeNode(id)]));
    const document = {
      title: '',
      getElementById: (id: string) => nodes.get(id),
      createElement: (name: string) => new FakeNode(name),
    };
    const drawn = Promise.withResolvers<undefined>();
    const page = { document, fetch: answer, AbortSignal, setTimeout: () => drawn.resolve(undefined) };
    new Script(statusPageScript).runInContext(createContext(page));
    await drawn.promise;
    return (id: string) => ({ text: nodes.get(id)?.textContent ?? '', className: nodes.get(id)?.className });
  };
  const saying = (status: Status) => () => Promise.resolve({ ok: true, json: () => Promise.resolve(status) });

  it('shows what is served, until when, and what each replica serves', async () => {
    const shown = await draw(saying(fullStatus));
    expect(shown('state')).to.deep.equal({ text: '✔ ready', className: 'good' });
    expect(shown('identity').text).to.equal('pod-0');
    const { text } = shown('parts');
    for (const part of [fullStatus.served?.hash, 'hook.ns.svc, <b>bold</b>', '2126-12-06T11:12:18Z (in', 'CN=one'])
      expect(text).to.include(part);
    expect(text).to.match(/pod-1 +has not said what it serves/);
    expect(text).to.match(/Lease watch +established since/);
  });

  it('says why it is not ready when there is nothing yet', async () => {
    const shown = await draw(saying(emptyStatus));
    expect(shown('state')).to.deep.equal({
      text: '✘ not ready: no-announcement, upstream-unreachable',
      className: 'bad',
    });
    expect(shown('parts').text).to.match(/announced +none +mounted +none +served +none/);
    expect(shown('parts').text).to.not.include('Replicas');
  });

  it('says so when the replica does not answer', async () => {
    for (const answer of [() => Promise.reject(new Error('gone')), () => Promise.resolve({ ok: false, status: 500 })])
      expect((await draw(answer))('state')).to.deep.equal({ text: '✘ this replica does not answer', className: 'bad' });
  });
});

import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { jsonDiff, jsonPatch, mutate, type Operation } from '../../src/webhook/handler-api.ts';

type Node = Record<string, unknown> | unknown[];

// A key may be `__proto__`, which an assignment would not set.
const own = (parent: object, key: string, value: unknown) =>
  Object.defineProperty(parent, key, { value, enumerable: true, writable: true, configurable: true });

/** RFC 6902 as far as the diff uses it, written apart from it. */
const apply = (document: unknown, operations: readonly Operation[]): unknown => {
  // Through text, since structuredClone keeps what is shared shared.
  let root = JSON.parse(JSON.stringify(document)) as unknown;
  for (const operation of operations) {
    const keys = operation.path
      .split('/')
      .slice(1)
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = keys.pop();
    if (last === undefined) {
      root = 'value' in operation ? operation.value : undefined;
      continue;
    }
    let parent = root as Node;
    for (const key of keys) parent = (parent as Record<string, Node>)[key]!;
    if (Array.isArray(parent)) {
      const index = Number(last);
      expect(index).to.be.at.most(parent.length - (operation.op === 'add' ? 0 : 1));
      if (operation.op === 'add') parent.splice(index, 0, operation.value);
      else if (operation.op === 'remove') parent.splice(index, 1);
      else if (operation.op === 'replace') parent[index] = operation.value;
    } else {
      expect(Object.hasOwn(parent, last)).to.equal(operation.op !== 'add');
      if (operation.op === 'remove')
        delete parent[last]; // eslint-disable-line @typescript-eslint/no-dynamic-delete
      else if ('value' in operation) own(parent, last, operation.value);
    }
  }
  return root;
};

/** Says itself how it is written. */
class Five {
  readonly digits = 5n;
  toJSON(): string {
    return 'five';
  }
}

describe('mutate', () => {
  const cases: readonly (readonly [string, unknown, unknown, readonly Operation[]])[] = [
    ['nothing for what is equal', { a: [1, { b: null }] }, { a: [1, { b: null }] }, []],
    ['one field added', {}, { a: 1 }, [{ op: 'add', path: '/a', value: 1 }]],
    [
      'one field deep down',
      { a: { b: { c: 1, d: 2 } } },
      { a: { b: { c: 3, d: 2 } } },
      [{ op: 'replace', path: '/a/b/c', value: 3 }],
    ],
    ['a removal for undefined', { a: 1 }, { a: undefined }, [{ op: 'remove', path: '/a' }]],
    ['escaped keys', { 'a/b~c': 1 }, { 'a/b~c': 2 }, [{ op: 'replace', path: '/a~1b~0c', value: 2 }]],
    ['one item put first', [1, 2], [0, 1, 2], [{ op: 'add', path: '/0', value: 0 }]],
    ['one item put last', [1, 2], [1, 2, 3], [{ op: 'add', path: '/2', value: 3 }]],
    ['one item taken from the middle', [1, 2, 3], [1, 3], [{ op: 'remove', path: '/1' }]],
    ['one item more of the same put last', [1], [1, 1], [{ op: 'add', path: '/1', value: 1 }]],
    ['the last of equal items taken', [1, 1], [1], [{ op: 'remove', path: '/1' }]],
    ['another type', { a: [] }, { a: {} }, [{ op: 'replace', path: '/a', value: {} }]],
  ];
  for (const [what, before, after, operations] of cases)
    it(`writes ${what}`, () => expect(jsonDiff(before, after)).to.deep.equal(operations));

  it('compares any two values, also where the first is no object', () => {
    for (const before of [null, undefined, 1, 'text'])
      expect(jsonDiff(before, 2)).to.deep.equal([{ op: 'replace', path: '', value: 2 }]);
    expect(mutate(null, null)).to.deep.equal({ allowed: true });
  });

  it('writes no patch at all when nothing differs', () => {
    expect(mutate({ a: 1 }, { a: 1 }, { warnings: ['w'] })).to.deep.equal({ allowed: true, warnings: ['w'] });
  });

  describe('with numbers that JavaScript may change', () => {
    const textOf = (value: unknown) => {
      const { patch = '' } = jsonPatch([{ op: 'add', path: '/a', value }]);
      return /"value":(.*)\}\]$/.exec(Buffer.from(patch, 'base64').toString())?.[1];
    };
    const exact: readonly (readonly [string, unknown])[] = [
      ['9007199254740991', Number.MAX_SAFE_INTEGER],
      ['9007199254740993', 9007199254740993n],
      ['-0.0', JSON.parse('-0.0')],
      ['1e+300', 1e300],
      ['0.1', 0.1],
      ['{"__proto__":-0.0}', JSON.parse('{"__proto__":-0.0}')],
      ['{"a":-0.0,"b":1}', { a: -0, b: 1 }],
      ['[1,-0.0]', [1, -0]],
      ['[-0.0]', [-0]],
      ['"five"', new Five()],
    ];
    for (const [text, value] of exact)
      it(`writes ${text} exactly`, () => expect([textOf(value)]).to.deep.equal([text]));

    for (const text of ['9007199254740993', '-9007199254740993', '9223372036854775807', '1e400', '-1e400'])
      it(`refuses to move or copy ${text}, with its path`, () => {
        const object = JSON.parse(`{"spec":{"from":[{"n":${text}}]}}`) as { spec: { from: unknown } };
        const moved = { spec: { to: structuredClone(object.spec.from) } };
        expect(() => mutate(object, moved)).to.throw(/ to \/spec\/to\/0\/n, and JavaScript cannot hold that number/);
        expect(mutate(object, { ...object, b: 1 }).patch).to.be.a('string');
      });
  });

  it('takes a field that is called like no field should be', () => {
    const after = JSON.parse('{"__proto__":{"a":1}}') as unknown;
    expect(jsonDiff({}, after)).to.deep.equal([{ op: 'add', path: '/__proto__', value: { a: 1 } }]);
  });

  it('makes the new of the old, whatever they are', () => {
    const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
    fc.assert(
      fc.property(json, json, (before, after) => isDeepStrictEqual(apply(before, jsonDiff(before, after)), after)),
      { numRuns: 300 },
    );
    const list = fc.array(fc.constantFrom<unknown>(0, 1, 2, { a: 1 }, { a: 2 }), { maxLength: 6 });
    fc.assert(
      fc.property(list, list, (before, after) => isDeepStrictEqual(apply(before, jsonDiff(before, after)), after)),
      { numRuns: 500 },
    );
  });
});

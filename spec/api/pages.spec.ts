import { expect } from 'chai';
import type { RawAnswer } from '../support/raw-api.ts';
import { bodies } from './bodies.ts';
import { useApi } from './use-api.ts';

const namesOf = (list: RawAnswer) =>
  (list.at('items') as readonly { readonly metadata: { readonly name: string } }[]).map(
    ({ metadata }) => metadata.name,
  );
const tokenOf = (list: RawAnswer) => list.at('metadata', 'continue') as string | undefined;

describe('api: pages of a list', () => {
  const api = useApi();
  const page = (limit: number, token?: string, more = '') =>
    api.admin.get(
      `${api.leases}?limit=${limit}${more}${token === undefined ? '' : `&continue=${encodeURIComponent(token)}`}`,
    );

  before(async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e'])
      await api.admin.post(api.leases, bodies.lease(name, {}, { labels: { vowel: String('ae'.includes(name)) } }));
  });

  it('follow each other to the end, at one resourceVersion', async () => {
    const first = await page(2);
    const second = await page(2, tokenOf(first));
    const third = await page(2, tokenOf(second));
    expect([first, second, third].map(namesOf)).to.deep.equal([['a', 'b'], ['c', 'd'], ['e']]);
    expect(new Set([first, second, third].map((list) => list.at('metadata', 'resourceVersion'))).size).to.equal(1);
    expect([first, second, third].map((list) => list.at('metadata', 'remainingItemCount'))).to.deep.equal([
      3,
      1,
      undefined,
    ]);
    expect(tokenOf(third)).to.equal(undefined);
  });

  it('are one where everything fits', async () => {
    const list = await page(5);
    expect(namesOf(list)).to.have.length(5);
    expect(tokenOf(list)).to.equal(undefined);
  });

  it('are full although a selector leaves objects out, and do not say how many remain', async () => {
    const first = await page(1, undefined, '&labelSelector=vowel%3Dtrue');
    expect(namesOf(first)).to.deep.equal(['a']);
    expect(first.at('metadata', 'remainingItemCount')).to.equal(undefined);
    const second = await page(1, tokenOf(first), '&labelSelector=vowel%3Dtrue');
    expect(namesOf(second)).to.deep.equal(['e']);
    expect(tokenOf(second)).to.equal(undefined);
  });

  it('show what was there at the first, whatever has changed since', async () => {
    const first = await page(2);
    await api.admin.post(api.leases, bodies.lease('cc'));
    await api.admin.patch('merge', `${api.leases}/c`, { metadata: { labels: { changed: 'yes' } } });
    await api.admin.delete(`${api.leases}/d`);
    const second = await page(3, tokenOf(first));
    expect(namesOf(second)).to.deep.equal(['c', 'd', 'e']);
    expect(second.at('items', 0, 'metadata', 'labels')).not.to.have.property('changed');
    expect(namesOf(await page(10))).to.deep.equal(['a', 'b', 'c', 'cc', 'e']);
  });

  it('are one for version 0, which comes from a cache', async () => {
    const list = await page(2, undefined, '&resourceVersion=0');
    expect(namesOf(list)).to.have.length(5);
    expect(tokenOf(list)).to.equal(undefined);
  });

  it('have no version but that of the first', async () => {
    const first = await page(2);
    const answer = await page(
      2,
      tokenOf(first),
      `&resourceVersion=${first.at('metadata', 'resourceVersion') as string}`,
    );
    expect(answer.status).to.equal(400);
    expect((await page(2, 'nonsense')).status).to.equal(400);
  });
});

describe('api: pages of a list whose version is gone', () => {
  const api = useApi();

  it('are refused as Expired, with a token for the rest as it is now', async () => {
    for (const name of ['a', 'b', 'c']) await api.admin.post(api.leases, bodies.lease(name));
    const first = await api.admin.get(`${api.leases}?limit=1`);
    await api.server.compact();
    const next = (token: string | undefined) =>
      api.admin.get(`${api.leases}?limit=5&continue=${encodeURIComponent(token ?? '')}`);
    const answer = await next(tokenOf(first));
    expect(answer.status).to.equal(410);
    expect(answer.at('reason')).to.equal('Expired');
    expect(answer.at('message')).to.match(/^The provided continue parameter is too old/);
    expect(namesOf(await next(tokenOf(answer)))).to.deep.equal(['b', 'c']);
  });
});

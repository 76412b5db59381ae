import { createServer } from 'node:http';
import { expect } from 'chai';
import { listen } from '../../src/util/listen.ts';

describe('listen', () => {
  for (const [host, addresses] of [
    ['127.0.0.1', ['127.0.0.1']],
    ['127.0.0.2', ['127.0.0.2']],
    ['localhost', ['127.0.0.1', '::1']],
    [null, ['::', '0.0.0.0']],
  ] as const)
    it(`opens ${host ?? 'every address'} and no other`, async () => {
      await using server = createServer();
      const { address, port } = await listen(server, { host, port: 0 });
      expect(address).to.be.oneOf(addresses);
      expect(port).to.be.above(0);
    });

  for (const host of ['127.0.0.1', 'localhost'])
    it(`says that it cannot have a port of ${host} that is taken, and takes it once it is free`, async () => {
      const first = createServer();
      const { port } = await listen(first, { host, port: 0 });
      const failed = await listen(createServer(), { host, port }).catch((error: unknown) => error);
      expect(failed)
        .to.have.property('message')
        .that.matches(new RegExp(`^cannot listen on ${host}:${port}: .*EADDRINUSE`));
      await first[Symbol.asyncDispose]();
      await using again = createServer();
      expect(await listen(again, { host, port })).to.include({ port });
    });
});

import { type ConfigResult, parseConfig } from '../../src/config/config.ts';

/** What every pod that can serve has set. */
export const enough = { POD_NAMESPACE: 'webhooks', POD_NAME: 'webhook-0', WEBHOOK_HANDLER: './handler.js' } as const;

type Env = Readonly<Record<string, string | undefined>>;

/** Parses on top of what is enough, without reading anything of this machine. */
export const parse = (env: Env = {}, flags: Readonly<Record<string, string>> = {}): ConfigResult =>
  parseConfig({
    env: { ...enough, ...env },
    flags: new Map(Object.entries(flags)),
    read: { namespace: () => null, hostname: () => null },
    serves: true,
  });

import { parseConfig, type ConfigResult } from '../../src/config.ts';

/** What every pod that can serve has set. */
export const enough = { POD_NAMESPACE: 'webhooks', POD_NAME: 'webhook-0', WEBHOOK_HANDLER: './handler.js' } as const;

type Env = Readonly<Record<string, string | undefined>>;

/** Parses on top of what is enough, without reading anything of this machine. */
export function parse(env: Env = {}, flags: Readonly<Record<string, string>> = {}): ConfigResult {
  return parseConfig({
    env: { ...enough, ...env },
    flags: new Map(Object.entries(flags)),
    read: { namespace: () => null, hostname: () => null },
    serves: true,
  });
}

import type { Evidence } from './evidence.ts';
import { shellWord } from './shell-word.ts';

/**
 * A webhook that is asked about everything stops the API server from answering who may do what, at the cluster's scope,
 * where no namespaceSelector keeps it away. Confines it to what is in namespaces.
 *
 * @param message a refusal of the API server
 * @returns null when the refusal is not for a webhook of ours
 */
export const mendScope = ({ targets }: Evidence, message: string): string | null => {
  const name = /failed calling webhook "([^"]+)"/.exec(message)?.[1];
  for (const { path, look } of targets) {
    const webhooks = look.state === 'there' ? look.value.webhooks : [];
    const at = webhooks.findIndex((webhook) => webhook.name === name);
    const rules = webhooks[at]?.rules ?? [];
    if (rules.length === 0) continue;
    const operations = rules.map((_, rule) => ({
      op: 'add',
      path: `/webhooks/${at}/rules/${rule}/scope`,
      value: 'Namespaced',
    }));
    const patch = shellWord(JSON.stringify(operations));
    return `kubectl patch ${path.type} ${shellWord(path.name)} --type=json -p ${patch}`;
  }
  return null;
};

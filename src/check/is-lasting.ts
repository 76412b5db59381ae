import type { Evidence } from './evidence.ts';

/** A kubelet delivers within its sync period and its cache's, 60 s each; a minute more for slow ones. */
const DELIVERY_MS = 180_000;
/** What the leader sets notBefore back by (L5); an external issuer that does not makes us patient for longer. */
const BACKDATED_MS = 3_600_000;

/** Whether the certificate in the Secret is old enough that every kubelet has had to deliver it. */
export const isLasting = ({ secret, config, nowMs }: Evidence): boolean => {
  const leaf = secret.state === 'there' ? secret.value.leaf : null;
  if (leaf === null) return true;
  const issuedMs = leaf.notBeforeMs + (config.issuer === 'self-signed' ? BACKDATED_MS : 0);
  return nowMs - issuedMs > DELIVERY_MS;
};

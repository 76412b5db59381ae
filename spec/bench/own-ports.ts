/** The addresses of a replica on loopback; only the webhook's port matters to somebody. */
export const ownPorts = (webhookPort: number): Readonly<Record<string, string>> => ({
  WEBHOOK_BIND_ADDRESS: `127.0.0.1:${webhookPort}`,
  HEALTH_PROBE_BIND_ADDRESS: '127.0.0.1:0',
  METRICS_BIND_ADDRESS: '127.0.0.1:0',
});

import { isIP } from 'node:net';
import { quoted } from '../util/redact.ts';

const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/i;
const PORT = /^\d{1,5}$/;

const isPort = (text: string): boolean => PORT.test(text) && Number(text) >= 1 && Number(text) <= 65_535;

/**
 * Finds the problems of the address at which a Pod reaches the API server. The kubelet sets it; a Deployment that overrides it, or
 * a Service named `kubernetes-service` (`tcp://…`), makes it unusable. Outside a Pod there is none.
 */
export const inClusterProblems = (env: Readonly<Record<string, string | undefined>>): readonly string[] => {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env;
  if (host === undefined) return [];
  const isHost = NAME.test(host) || (host.includes(':') && isIP(host) === 6);
  return [
    ...(isHost
      ? []
      : [`KUBERNETES_SERVICE_HOST=${quoted(host)}: expected an IP address without brackets, or a host name`]),
    ...(isPort(port)
      ? []
      : [`KUBERNETES_SERVICE_PORT=${quoted(port)}: expected a port from 1 to 65535, as the kubelet sets it`]),
  ];
};

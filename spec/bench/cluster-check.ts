import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NAMESPACE, type Plant, plantAll, serviceName } from '../check/cluster-plants.ts';
import { type PlantedServers, plantServers } from '../check/cluster-servers.ts';
import { startEmbeddedApi } from '../support/embedded-api.ts';
import { type MadeCa, madeCertificates } from '../support/made-certificates.ts';
import { type Production, startProgram } from './programs.ts';
import type { Figure } from './report.ts';

const ENDPOINTS = 2;
const POLL_MS = 20;

const plantOf = async (servers: PlantedServers, ca: MadeCa, number: number): Promise<Plant> => {
  const name = `hook-${number}`;
  const leaf = await madeCertificates.leaf({ ca, names: [serviceName(name)] });
  const endpoints = [];
  for (let at = 0; at < ENDPOINTS; at += 1) endpoints.push({ port: await servers.tls(leaf) });
  return { name, bundle: ca.pem, endpoints, status: 'ok', findings: [] };
};

interface Checked {
  readonly seconds: number;
  readonly peakMiB: number;
}

/** The most that a process has held so far, as Linux counts it; null when it has ended. */
const peakOf = (pid: number): number | null => {
  try {
    const [, kib] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return kib === undefined ? null : Number(kib) / 1_024;
  } catch {
    return null;
  }
};

const checkOnce = async ({ script, nodeFlags }: Production, kubeconfig: string, webhooks: number): Promise<Checked> => {
  const args = ['check', '--cluster', '--dial', 'direct', '--json', '--kubeconfig', kubeconfig];
  const startedMs = performance.now();
  await using program = startProgram(script, args, {}, nodeFlags);
  let peakMiB = 0;
  const poll = setInterval(() => (peakMiB = Math.max(peakMiB, peakOf(program.pid) ?? 0)), POLL_MS);
  const chunks: string[] = [];
  program.stdout.on('data', (text: string) => chunks.push(text));
  const code = await program.ended;
  const seconds = (performance.now() - startedMs) / 1_000;
  clearInterval(poll);
  const { counts } = JSON.parse(chunks.join('')) as { readonly counts: Readonly<Record<string, number>> };
  if (code !== 0 || counts['ok'] !== webhooks)
    throw new Error(`ended with ${code}: ${JSON.stringify(counts)} of ${webhooks} webhooks`);
  return { seconds, peakMiB };
};

/** `check --cluster` from start to end, on a cluster of 500 webhooks with two endpoints each. */
export const clusterCheck: Figure = async ({ quick, folder, production, say }) => {
  await using opened = new AsyncDisposableStack();
  const webhooks = quick ? 10 : 500;
  const api = opened.use(await startEmbeddedApi());
  const servers = opened.use(plantServers());
  const ca = await madeCertificates.ca();
  const plants: Plant[] = [];
  for (let number = 0; number < webhooks; number += 1) plants.push(await plantOf(servers, ca, number));
  await api.createNamespace(NAMESPACE);
  await plantAll(api, plants, () => '127.0.0.1');
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, api.adminKubeconfig());
  say(`cluster-check: ${webhooks} webhooks, ${webhooks * ENDPOINTS} endpoints`);

  const checked: Checked[] = [];
  for (let round = 0; round < (quick ? 1 : 5); round += 1)
    checked.push(await checkOnce(production, kubeconfig, webhooks));
  return [
    {
      name: `cluster-check-${webhooks}`,
      unit: 's',
      values: checked.map(({ seconds }) => seconds),
      limits: [{ of: 'p99', atMost: 20 }],
    },
    {
      name: `cluster-check-${webhooks}-peak-rss`,
      unit: 'MiB',
      values: checked.map(({ peakMiB }) => peakMiB),
      limits: [{ of: 'p99', atMost: 150 }],
    },
  ];
};

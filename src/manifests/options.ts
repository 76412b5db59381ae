import * as z from 'zod/mini';
import { issuers } from '../../streams/issuers.ts';
import type { CommandLine } from '../config/command-line.ts';
import { parseConfig } from '../config/config.ts';
import { installationName } from '../config/types.ts';
import { settings } from '../config/variables.ts';
import type { InstallationSpec, Mode } from './installation.ts';

type Options = Extract<CommandLine, { command: 'manifests' }>['options'];

export type InstallationResult =
  | { readonly ok: true; readonly spec: InstallationSpec }
  | { readonly ok: false; /** One line each. */ readonly problems: readonly string[] };

const DEFAULT_NAME = 'webhook-certd';

/** The variables that each Pod gets from itself or from what is printed, and why they cannot be given. */
const FIXED: Readonly<Record<string, string>> = {
  POD_NAME: 'each Pod has its own',
  POD_NAMESPACE: 'use --namespace',
  POD_SELECTOR: 'the Pods are selected by app.kubernetes.io/name',
  KUBECONFIG: 'a Pod needs none',
};

/** What each mode sets where nothing else is given. */
const ANSWERS: Readonly<Record<Mode, readonly [string, string]>> = {
  handler: ['WEBHOOK_HANDLER', 'builtin:allow'],
  // Not port 8080, which serves the metrics.
  upstream: ['UPSTREAM_URL', 'http://127.0.0.1:9000'],
  serving: ['SERVING_ADDRESS', '127.0.0.1:9443'],
};

/** The default ports of the daemon are those of controller-runtime, too, which is likely to be beside it. */
const BESIDE: readonly (readonly [string, string])[] = [
  ['HEALTH_PROBE_BIND_ADDRESS', ':9081'],
  ['METRICS_BIND_ADDRESS', ':9080'],
];

const modeOf = ({ mode }: Options, given: ReadonlyMap<string, string>): Mode =>
  mode ?? (given.has('UPSTREAM_URL') ? 'upstream' : given.has('SERVING_ADDRESS') ? 'serving' : 'handler');

/**
 * Parses what `manifests` prints as the replicas will read it. Nothing comes from the environment of this process, so that the same
 * command line prints the same objects everywhere.
 *
 * @param flags the flags of variables, which become the environment of the replicas
 */
export const parseInstallation = (options: Options, flags: ReadonlyMap<string, string>): InstallationResult => {
  const given = new Map(
    settings.flatMap(([, { name, flag, alias }]) => {
      const text = flags.get(flag) ?? (alias === null ? undefined : flags.get(alias));
      return text === undefined ? [] : [[name, text.trim()] as const];
    }),
  );
  const fixed = [...given.keys()].flatMap((name) => {
    const why = FIXED[name];
    return why === undefined ? [] : [`--${name.toLowerCase().replaceAll('_', '-')}: cannot be given here, ${why}`];
  });
  const nameGiven = given.get('NAME') ?? DEFAULT_NAME;
  // A bad name is one problem, and not one for everything that is called after it.
  const name = z.safeParse(installationName, nameGiven).success ? nameGiven : DEFAULT_NAME;
  const namespace = options.namespace ?? name;
  const mode = modeOf(options, given);
  const [answer, standard] = ANSWERS[mode];
  const targets =
    options.targets?.map((target) => `${target.type}/${target.name}`).join() ?? given.get('CA_BUNDLE_TARGETS');
  const variables = new Map([
    // First, so that a kustomization finds it at one place.
    [answer, given.get(answer) ?? standard],
    ['NAME', nameGiven],
    ['CA_BUNDLE_TARGETS', targets ?? `validatingwebhookconfiguration/${name}.${namespace}`],
    ...(mode === 'serving' ? BESIDE : []),
    ...(options.issuer === 'self-signed' ? [] : [['CERT_ISSUER', options.issuer] as const]),
    ...(issuers[options.issuer].readsSource ? [['SOURCE_SECRET', `${name}-issued`] as const] : []),
    ...[...given].filter(([each]) => !['NAME', 'CA_BUNDLE_TARGETS', answer].includes(each)).toSorted(),
  ]);
  const env = { ...Object.fromEntries(variables), POD_NAME: `${name}-0`, POD_NAMESPACE: namespace };
  const read = { namespace: () => null, hostname: () => null };
  const result = parseConfig({ env, flags: new Map(), serves: true, read });
  // The two containers share the network of the Pod, and no directory.
  const socket =
    result.ok && [result.config.upstream, result.config.serving].some((address) => address?.kind === 'unix');
  if (socket)
    fixed.push(`${answer}: expected an address on 127.0.0.1, because the containers share no volume for a socket`);
  if (!result.ok || fixed.length > 0) return { ok: false, problems: [...fixed, ...(result.ok ? [] : result.problems)] };
  const { createNamespace, replicas, image, appImage, additions } = options;
  const webhook = targets === undefined ? {} : null;
  const withIssuer = !result.config.issuer.keepsCa && !given.has('SOURCE_SECRET');
  const spec = { config: result.config, name, mode, withIssuer, createNamespace, replicas, image, appImage, additions };
  return { ok: true, spec: { ...spec, variables: [...variables], webhook } };
};

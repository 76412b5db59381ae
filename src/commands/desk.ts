import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Problem } from '../../streams/problem.ts';
import { shellQuote } from '../check/kubectl.ts';
import { type InCluster, inClusterAccess, podNamespace } from '../kube/in-cluster.ts';
import { kubeconfigNamespace } from '../kube/kubeconfig.ts';

interface DeskInput {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The flags of variables. */
  readonly flags: ReadonlyMap<string, string>;
  /** `--namespace` and `--context`. */
  readonly options: { readonly namespace?: string | null; readonly context?: string | null };
  readonly home: string;
}

/** Where a person runs a command: which cluster it is for, and which namespace. */
export interface Desk {
  /** The flags of variables, with those that follow from the others. */
  readonly flags: ReadonlyMap<string, string>;
  /** Null: the current one. */
  readonly context: string | null;
  readonly inCluster: InCluster | null;
  /** The namespace when no variable names one. */
  readonly namespace: string;
  /** How a command that is pasted into the same shell calls kubectl for this cluster: `kubectl --context=production`. */
  readonly kubectl: string;
}

const nonEmpty = (text: string | undefined): string | null => (text === undefined || text.trim() === '' ? null : text);

/** Of the context; `default` as for kubectl, and when the kubeconfig cannot be used, which the first request reports. */
const namespaceOf = async (kubeconfig: string, context: string | null): Promise<string> => {
  try {
    return (await kubeconfigNamespace(kubeconfig, context)) ?? 'default';
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return 'default';
  }
};

/**
 * Finds the cluster as kubectl does, which runs the commands that are printed: `--kubeconfig`, KUBECONFIG, `~/.kube/config`,
 * the service account of a Pod unless a context is named. The namespace is that of the context, or of the Pod.
 */
export const openDesk = async ({ env, flags, options, home }: DeskInput): Promise<Desk> => {
  const { namespace = null, context = null } = options;
  const inCluster = inClusterAccess(env);
  const standard = join(home, '.kube', 'config');
  const ofShell = nonEmpty(env['KUBECONFIG']);
  const given = nonEmpty(flags.get('kubeconfig')) ?? ofShell;
  // Only a kubeconfig has contexts: the cluster of this Pod may be another one than the context that is named.
  const isStandard = context !== null || existsSync(standard);
  const kubeconfig = given ?? (isStandard ? standard : null);
  const ofCluster =
    kubeconfig === (ofShell ?? standard) || kubeconfig === null ? '' : `KUBECONFIG=${shellQuote(kubeconfig)} `;
  const ofContext = context === null ? '' : ` --context=${shellQuote(context)}`;
  return {
    flags: new Map([
      ...flags,
      ...(kubeconfig === null ? [] : [['kubeconfig', kubeconfig] as const]),
      ...(namespace === null ? [] : [['pod-namespace', namespace] as const]),
    ]),
    context,
    inCluster: kubeconfig === null ? inCluster : null,
    namespace: kubeconfig === null ? (podNamespace() ?? 'default') : await namespaceOf(kubeconfig, context),
    kubectl: `${ofCluster}kubectl${ofContext}`,
  };
};

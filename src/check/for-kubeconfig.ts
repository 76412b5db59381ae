import { shellWord } from './shell-word.ts';
import type { Verdict } from './verdict.ts';

/**
 * Has every kubectl of the remedies speak to the cluster that was checked, where that is not the one of the shell.
 *
 * @param checked the kubeconfig the check went by, null inside a pod
 * @param ofShell what KUBECONFIG says in the shell that the command will be pasted into
 */
export const forKubeconfig = <T extends Verdict>(
  checks: readonly T[],
  checked: string | null,
  ofShell: string | null,
): readonly T[] => {
  if (checked === null || checked === ofShell) return checks;
  const prefix = `KUBECONFIG=${shellWord(checked)} `;
  return checks.map((check) => ({
    ...check,
    remedy: check.remedy?.replaceAll(/\bkubectl (?=[a-z-])/g, (kubectl) => prefix + kubectl) ?? null,
  }));
};

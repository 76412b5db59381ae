import type { Evidence } from './evidence.ts';
import { judgeAdmission } from './judge-admission.ts';
import { judgeApiServer } from './judge-api-server.ts';
import { judgeAuthority } from './judge-authority.ts';
import { judgeConfiguration } from './judge-configuration.ts';
import { judgeExpiries } from './judge-expiries.ts';
import { judgeLease } from './judge-lease.ts';
import { judgeMounts } from './judge-mounts.ts';
import { judgeNetwork } from './judge-network.ts';
import { judgePermissions } from './judge-permissions.ts';
import { judgeReplicas } from './judge-replicas.ts';
import { judgeSecret } from './judge-secret.ts';
import { judgeTargets } from './judge-targets.ts';
import type { Verdict } from './verdict.ts';

export interface Section {
  readonly title: string;
  readonly judge: (evidence: Evidence) => readonly Verdict[];
}

/** In the order in which one thing rests on another: the first failure is likely to be the cause of the rest. */
export const sections: readonly Section[] = [
  { title: 'configuration', judge: ({ config }) => judgeConfiguration(config) },
  { title: 'API server', judge: judgeApiServer },
  { title: 'network', judge: judgeNetwork },
  { title: 'permissions', judge: judgePermissions },
  { title: 'election', judge: judgeLease },
  { title: 'CA', judge: judgeAuthority },
  { title: 'certificate', judge: (evidence) => [...judgeSecret(evidence), ...judgeExpiries(evidence)] },
  { title: 'mounts', judge: judgeMounts },
  { title: 'replicas', judge: judgeReplicas },
  { title: 'caBundles', judge: (evidence) => [...judgeTargets(evidence), ...judgeAdmission(evidence)] },
];

import { firstValueFrom } from 'rxjs';
import * as z from 'zod';
import { Problem } from '../../streams/problem.ts';
import type { KubeClient } from '../kube/client.ts';
import type { KubeRequest } from '../kube/kube-request.ts';

const schema = z.object({ status: z.object({ userInfo: z.object({ username: z.string() }) }) });

/** Since Kubernetes 1.28; an older API server refuses it, and says to whom. */
const REVIEW: KubeRequest = { method: 'POST', path: '/apis/authentication.k8s.io/v1/selfsubjectreviews', body: {} };

const userIn = (message: string): string | null => /User "([^"]+)"/.exec(message)?.[1] ?? null;

/**
 * The name that the API server knows us by, null when it does not say.
 *
 * @param refused a read that is known to be forbidden: a refusal names the one refused
 */
export const whoAmI = async (client: KubeClient, refused: KubeRequest | null): Promise<string | null> => {
  for (const request of [REVIEW, ...(refused === null ? [] : [refused])]) {
    try {
      const answer = schema.safeParse(await firstValueFrom(client.send(request)));
      if (answer.success) return answer.data.status.userInfo.username;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const user = userIn(error.message);
      if (user !== null) return user;
    }
  }
  return null;
};

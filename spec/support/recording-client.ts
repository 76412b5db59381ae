import { defer, EMPTY, type Observable } from 'rxjs';
import type { KubeClient } from '../../src/kube/client.ts';
import type { KubeRequest } from '../../src/kube/request.ts';

/** A client without a server: `answer` decides what each request gets, and `sent` lists those that were subscribed to. */
export const recordingClient = (answer: (request: KubeRequest) => Observable<unknown>) => {
  const sent: KubeRequest[] = [];
  const streamed: KubeRequest[] = [];
  const recorded = (list: KubeRequest[], request: KubeRequest, reply: () => Observable<unknown>) =>
    defer(() => {
      list.push(request);
      return reply();
    });
  const client = {
    send: (request: KubeRequest) => recorded(sent, request, () => answer(request)),
    stream: (request: KubeRequest) => recorded(streamed, request, () => EMPTY),
  } as unknown as KubeClient;
  return { client, sent, streamed };
};

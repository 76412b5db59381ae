import type { ClusterModel } from './cluster-model.ts';
import type { PodDeed, Strikes, Who } from './fault.ts';
import type { Machine } from './machine.ts';

/** Takes annotations off Pods. */
export const podDeeds = ({ api }: ClusterModel, chosen: (who: Who) => readonly Machine[]): Strikes<PodDeed> => ({
  'strip-pod': ({ who, of }) => {
    for (const { name } of chosen(who))
      api.pod.update({ by: 'outsider', name, why: `strip-pod ${of}` }, null, (pod) => ({ ...pod, [of]: null }));
  },
});

import type { ClusterModel } from './cluster-model.ts';
import type { NetworkFault, Strikes, Who } from './fault.ts';
import type { Machine } from './machine.ts';
import type { Connection } from './network.ts';
import { fairWeather } from './weather.ts';

/** Cuts machines off, makes their network bad, ends and deafens watches. */
export const networkFaults = (
  { api, cluster, net, random, time }: ClusterModel,
  chosen: (who: Who) => readonly Machine[],
  within: (ms: number) => number,
): Strikes<NetworkFault> => {
  const own = random.fork('network faults');
  const connectionsOf = (who: Who): readonly Connection[] => {
    const names = new Set(chosen(who).map(({ name }) => name));
    return [...net.connections].filter(({ machine }) => names.has(machine));
  };

  const forget = (): void => {
    for (const kind of [api.lease, api.secret, api.authority, api.target, api.pod]) kind.compact();
  };

  return {
    'cut-off': ({ who, forMs }) => {
      for (const connection of connectionsOf(who)) if (own.chance(0.5)) connection.deafen();
      for (const { name } of chosen(who)) {
        const weather = net.weather(name);
        weather.cutUntilMs = Math.max(weather.cutUntilMs, time.nowMs() + within(forMs));
      }
    },
    'bad-weather': ({ who, forMs, errors, losses, slowMs }) => {
      for (const { name } of chosen(who)) {
        const weather = net.weather(name);
        Object.assign(weather, { errors, losses, slowMs });
        time.after(cluster, within(forMs), () =>
          Object.assign(weather, fairWeather(), { cutUntilMs: weather.cutUntilMs }),
        );
      }
    },
    'cut-watches': ({ who, cleanly }) => connectionsOf(who).forEach((connection) => connection.cut(cleanly)),
    'deafen-watches': ({ who }) => connectionsOf(who).forEach((connection) => connection.deafen()),
    compact: () => {
      forget();
      for (const connection of connectionsOf('all')) connection.cut(own.chance(0.5));
    },
    'restart-api-server': ({ downMs, forgets }) => {
      if (forgets) forget();
      for (const connection of [...net.connections]) connection.cut(false);
      net.outage(time.nowMs() + within(downMs));
    },
  };
};

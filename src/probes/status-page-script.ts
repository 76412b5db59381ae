/** Runs in the browser: asks `status` every two seconds and draws it. Everything is set as text, never as HTML. */
export const statusPageScript = `
'use strict';
const byId = (id) => document.getElementById(id);
const element = (name, text, className) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
};
const units = [['d', 86400], ['h', 3600], ['min', 60], ['s', 1]];
const distance = (time) => {
  const seconds = Math.round((Date.parse(time) - Date.now()) / 1000);
  const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) || units[3];
  const amount = Math.floor(Math.abs(seconds) / size) + ' ' + unit;
  return time + (seconds < 0 ? ' (' + amount + ' ago)' : ' (in ' + amount + ')');
};
const code = (text) => element('code', text);
const none = () => element('span', 'none');
const hash = (part) => (part ? code(part.hash) : none());

const section = (title, rows) => {
  const made = element('section');
  made.append(element('h2', title));
  const list = element('dl');
  for (const [name, value] of rows) {
    const said = element('dd');
    said.append(value);
    list.append(element('dt', name), said);
  }
  made.append(list);
  return made;
};

const sections = (now) => [
  section('Certificate', [
    ['announced', hash(now.announced)],
    ['mounted', hash(now.mounted)],
    ['served', hash(now.served)],
    ...(now.served
      ? [
          ['serial', code(now.served.serial)],
          ['valid from', now.served.notBefore],
          ['valid until', distance(now.served.notAfter)],
          ['names', now.served.names.join(', ')],
        ]
      : []),
  ]),
  section('Cluster', [
    ['role', now.role],
    ['leader', now.leader || 'nobody'],
    ['Lease watch', now.watch ? now.watch.state + ' since ' + distance(now.watch.since) : 'none'],
  ]),
  section('Trust bundle', (now.bundle || []).length
    ? now.bundle.map((one) => [one.subject, 'until ' + distance(one.notAfter)])
    : [['authorities', 'none']]),
  ...(now.replicas
    ? [section('Replicas', now.replicas.map((one) => [one.name, one.servingHash ? code(one.servingHash) : 'has not said what it serves']))]
    : []),
];

const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };
const show = (now) => {
  document.title = (now.ready ? 'ready' : 'not ready') + ' · ' + now.identity;
  put(byId('identity'), now.identity);
  put(byId('state'), now.ready ? '✔ ready' : '✘ not ready: ' + now.reasons.join(', '));
  byId('state').className = now.ready ? 'good' : 'bad';
  byId('parts').replaceChildren(...sections(now));
};
const tick = async () => {
  try {
    const answer = await fetch('status', { cache: 'no-store', signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error('HTTP ' + answer.status);
    show(await answer.json());
    put(byId('fresh'), 'as of ' + new Date().toISOString());
  } catch (error) {
    put(byId('state'), '✘ this replica does not answer');
    byId('state').className = 'bad';
  }
  setTimeout(tick, 2000);
};
tick();
`;

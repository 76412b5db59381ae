/** Colours have a contrast of at least 4.5:1 in both themes and are never the only sign of a meaning. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f3f4f7; --card: #fff; --edge: #dfe2e8; --text: #16181d; --dim: #565d69; --soft: #eef0f4;
  --good: #13682f; --bad: #b3261e; --link: #1d4ed8;
  --announced: #565d69; --mounted: #a14b00; --loaded: #13682f; --acknowledged: #4338ca;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0e1014; --card: #171a20; --edge: #2b3039; --text: #e7e9ee; --dim: #a3abb8; --soft: #20242c;
    --good: #6fd690; --bad: #ff9b93; --link: #9db8ff;
    --announced: #a3abb8; --mounted: #ffb35c; --loaded: #6fd690; --acknowledged: #b3a8ff;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
header, main, footer { max-width: 76rem; margin: 0 auto; padding: 0 1rem; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 1rem; padding-block: 1.5rem .75rem; }
h1, h2, h3, p, ol, ul, dl, dd { margin: 0; padding: 0; }
h1 { font-size: clamp(1.125rem, 4vw, 1.5rem); line-height: 1.25; overflow-wrap: anywhere; flex: 1; min-width: min(20rem, 100%); letter-spacing: -.01em; }
h2 { font-size: 1.0625rem; overflow-wrap: anywhere; }
h3 { font-size: .875rem; font-weight: 600; }
.brand { width: 100%; font-size: .8125rem; color: var(--dim); }
#connection { font-size: .8125rem; color: var(--dim); }
#connection::before { content: ""; display: inline-block; width: .5rem; height: .5rem; border-radius: 50%; margin-right: .4rem; background: var(--dim); }
#connection[data-state=live] { color: var(--good); }
#connection[data-state=live]::before { background: var(--good); }
#connection[data-state=lost] { color: var(--bad); }
#connection[data-state=lost]::before { background: var(--bad); border-radius: 0; }
main { display: grid; gap: 1rem; }
.replicas, .details { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(21rem, 100%), 1fr)); align-items: start; }
.card { background: var(--card); border: 1px solid var(--edge); border-radius: .75rem; padding: 1rem 1.125rem; min-width: 0; }
.card > * + * { margin-top: .75rem; }
.tag { display: inline-block; white-space: nowrap; font-size: .75rem; font-weight: 600; color: var(--dim); border: 1px solid var(--edge); border-radius: 1rem; padding: .05rem .5rem; vertical-align: .1em; }
.state { font-size: 1.25rem; font-weight: 650; line-height: 1.3; overflow-wrap: anywhere; }
.state + p { margin-top: .125rem; }
.good { color: var(--good); }
.bad { color: var(--bad); }
.dim, .far { color: var(--dim); }
.far { font-size: .8125rem; white-space: nowrap; }
.busy { color: var(--mounted); }
time { font-variant-numeric: tabular-nums; }
code { font: .875em/1.4 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
ol, ul { list-style: none; }
.waits > li + li { margin-top: .5rem; }
.breakable, .waits { overflow-wrap: anywhere; }
.copy { display: none; font: inherit; font-size: .75rem; line-height: 1.25; color: var(--link); background: none; border: 1px solid var(--edge); border-radius: .375rem; padding: .1rem .4rem; min-width: 3.5rem; min-height: 24px; cursor: pointer; }
.can-copy .copy { display: inline-block; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
a { color: var(--link); }
.steps { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(8.5rem, 100%), 1fr)); gap: .5rem; }
.steps li { background: var(--soft); border-radius: .5rem; padding: .5rem .625rem; min-width: 0; }
.sign { display: inline-block; width: 1.1em; font-weight: 700; }
@media (max-width: 30rem) {
  .steps { grid-template-columns: minmax(0, 1fr); gap: .25rem; }
  .steps li { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 .25rem; padding: .375rem .5rem; }
  .steps li, .steps h3 { font-size: .8125rem; }
  .steps .sign { width: 1em; }
}
.rotations { display: grid; gap: 1.25rem; }
.rotation + .rotation { border-top: 1px solid var(--edge); padding-top: 1.25rem; }
.rotation h3 { display: flex; flex-wrap: wrap; gap: .25rem .5rem; align-items: center; }
.rotation > p { font-size: .8125rem; }
.tracks { display: grid; gap: .75rem; margin-top: .75rem; }
.track, .scale { display: grid; grid-template-columns: minmax(7rem, 13rem) minmax(0, 1fr); gap: 0 .75rem; }
.scale > * { grid-column: 2; }
.who { font-size: .875rem; overflow-wrap: anywhere; }
@media (max-width: 44rem) {
  .track, .scale { display: block; }
  .axis text:not(:first-child):not(:last-child) { display: none; }
}
details .rotations { margin-top: 1.25rem; }
summary { cursor: pointer; color: var(--link); width: fit-content; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.drawing, .axis { display: block; overflow: visible; padding: 0; margin: .125rem 8px 0; width: calc(100% - 16px); }
.axis { margin-top: 0; }
.axis text { font-size: 11px; fill: var(--dim); text-anchor: middle; font-variant-numeric: tabular-nums; }
.axis text:first-child { text-anchor: start; }
.axis text:last-child { text-anchor: end; }
.grid { stroke: var(--edge); stroke-width: 1; }
.way { stroke-width: 5; stroke-linecap: round; }
.to-mounted { stroke: var(--mounted); }
.to-loaded { stroke: var(--loaded); }
.to-acknowledged { stroke: var(--acknowledged); }
.unknown { stroke: var(--dim); stroke-width: 2; stroke-dasharray: 1 5; }
.pending { stroke: var(--mounted); stroke-width: 3; stroke-dasharray: 2 6; stroke-linecap: round; }
.pending.refused { stroke: var(--bad); }
.mark { stroke: var(--card); stroke-width: 1; }
.mark.announced { stroke: var(--announced); stroke-width: 3; stroke-linecap: round; fill: none; }
.mark.mounted { fill: var(--mounted); }
.mark.loaded { fill: var(--loaded); }
.mark.acknowledged { fill: var(--acknowledged); }
.key { vertical-align: -.15em; }
.stages { display: flex; flex-wrap: wrap; gap: .125rem .875rem; font-size: .8125rem; overflow-wrap: anywhere; }
dl { display: grid; gap: .125rem; }
dt { font-size: .8125rem; color: var(--dim); }
dd { margin-bottom: .5rem; overflow-wrap: anywhere; }
.plain { display: grid; gap: .625rem; }
.names li { overflow-wrap: anywhere; }
.glossary { margin-bottom: .75rem; }
.glossary dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .25rem 1rem; margin-top: .5rem; }
.glossary dt { font-weight: 600; }
footer { padding-block: 1rem 2rem; font-size: .8125rem; color: var(--dim); }
`;

/**
 * Runs in the browser. The server renders the page; on each event this script requests it again and patches the document, so
 * that focus and selection are preserved.
 */
export const PAGE_SCRIPT = `
'use strict';
const units = [['d', 864e5], ['h', 36e5], ['min', 6e4], ['s', 1e3]];
const distance = (time) => {
  const ms = Date.parse(time) - Date.now();
  const size = Math.abs(ms);
  const [unit, unitMs] = units.find(([, unitMs]) => size >= unitMs) || units[3];
  const amount = Math.floor(size / unitMs) + ' ' + unit;
  return ms < 0 ? '(' + amount + ' ago)' : '(in ' + amount + ')';
};
const updateDistances = () => {
  for (const one of document.querySelectorAll('[data-far]')) {
    const text = distance(one.dataset.far);
    if (one.textContent !== text) one.textContent = text;
  }
};

const keyOf = (node) => (node.dataset ? node.dataset.key : undefined);
const patch = (from, to) => {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) return from.replaceWith(to);
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name) && name !== 'open') from.removeAttribute(name);
  for (const { name, value } of [...to.attributes]) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  if (from.dataset.far || from.dataset.copied) return;
  let at = from.firstChild;
  for (const target of [...to.childNodes]) {
    const key = keyOf(target);
    const same = key ? [...from.children].find((child) => keyOf(child) === key) : at && !keyOf(at) ? at : null;
    if (!same) {
      from.insertBefore(target, at);
      continue;
    }
    if (same !== at) from.insertBefore(same, at);
    at = same.nextSibling;
    patch(same, target);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
};

// Through the API server's proxy the pages of all replicas are beside each other.
const proxied = /^(.*\\/pods\\/)[^/:]+(:[^/]+)?\\/proxy\\//.exec(location.pathname);
const linkLeader = (root) => {
  const name = root.querySelector('[data-leader]');
  if (!name || !proxied) return;
  const link = document.createElement('a');
  link.href = proxied[1] + encodeURIComponent(name.dataset.leader) + (proxied[2] || '') + '/proxy/';
  link.textContent = name.textContent;
  name.replaceChildren(link);
};
linkLeader(document);

const connection = document.getElementById('connection');
const connected = (state, text) => {
  connection.dataset.state = state;
  if (connection.textContent !== text) connection.textContent = text;
};

let isRefreshing = false;
let refreshAgain = false;
const refresh = async () => {
  if (isRefreshing) return void (refreshAgain = true);
  isRefreshing = true;
  try {
    do {
      refreshAgain = false;
      const response = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(5000) });
      if (!response.ok) throw new Error(response.statusText);
      const rendered = new DOMParser().parseFromString(await response.text(), 'text/html');
      linkLeader(rendered);
      document.title = rendered.title;
      for (const part of ['link[rel=icon]', '.brand', 'h1']) patch(document.querySelector(part), rendered.querySelector(part));
      patch(document.querySelector('main'), rendered.querySelector('main'));
      updateDistances();
      if (source.readyState === EventSource.OPEN) connected('live', 'live');
    } while (refreshAgain);
  } catch {
    connected('lost', 'no response, retrying');
  }
  isRefreshing = false;
};

let source;
const listen = () => {
  source = new EventSource('events');
  source.onmessage = refresh;
  source.onerror = () => {
    connected('lost', 'no response, retrying');
    // An error response closes the source permanently, unlike a broken connection.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  };
};
listen();

setInterval(() => {
  updateDistances();
  if (document.querySelector('main').dataset.open === 'yes' && !document.hidden) refresh();
}, 1000);
updateDistances();

if (navigator.clipboard) document.documentElement.classList.add('can-copy');
document.addEventListener('click', async ({ target }) => {
  const button = target.closest('[data-copy]');
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.dataset.copied = 'yes';
  button.textContent = 'copied';
  setTimeout(() => {
    delete button.dataset.copied;
    button.textContent = 'copy';
  }, 1500);
});
`;

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
      document.title = rendered.title;
      patch(document.querySelector('h1'), rendered.querySelector('h1'));
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

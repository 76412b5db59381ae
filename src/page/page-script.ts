/**
 * Runs in the browser. The server draws; this asks for the drawing again whenever an event says that it is another one,
 * and lets what stands take the new shape, so that focus and selection stay where they are.
 */
export const PAGE_SCRIPT = `
'use strict';
const units = [['d', 864e5], ['h', 36e5], ['min', 6e4], ['s', 1e3]];
const far = (time) => {
  const ms = Date.parse(time) - Date.now();
  const size = Math.abs(ms);
  const [unit, unitMs] = units.find(([, unitMs]) => size >= unitMs) || units[3];
  const amount = Math.floor(size / unitMs) + ' ' + unit;
  return ms < 0 ? '(' + amount + ' ago)' : '(in ' + amount + ')';
};
const tellDistances = () => {
  for (const one of document.querySelectorAll('[data-far]')) {
    const text = far(one.dataset.far);
    if (one.textContent !== text) one.textContent = text;
  }
};

const keyOf = (node) => (node.dataset ? node.dataset.key : undefined);
const reshape = (from, to) => {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) return from.replaceWith(to);
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name) && name !== 'open') from.removeAttribute(name);
  for (const { name, value } of [...to.attributes]) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  if (from.dataset.far || from.dataset.copied) return;
  let at = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const key = keyOf(wanted);
    const same = key ? [...from.children].find((child) => keyOf(child) === key) : at && !keyOf(at) ? at : null;
    if (!same) {
      from.insertBefore(wanted, at);
      continue;
    }
    if (same !== at) from.insertBefore(same, at);
    at = same.nextSibling;
    reshape(same, wanted);
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

let asking = false;
let askAgain = false;
const refresh = async () => {
  if (asking) return void (askAgain = true);
  asking = true;
  try {
    do {
      askAgain = false;
      const answer = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(5000) });
      if (!answer.ok) throw new Error(answer.statusText);
      const drawn = new DOMParser().parseFromString(await answer.text(), 'text/html');
      document.title = drawn.title;
      reshape(document.querySelector('h1'), drawn.querySelector('h1'));
      reshape(document.querySelector('main'), drawn.querySelector('main'));
      tellDistances();
      if (source.readyState === EventSource.OPEN) connected('live', 'live');
    } while (askAgain);
  } catch {
    connected('lost', 'no answer, trying again');
  }
  asking = false;
};

let source;
const listen = () => {
  source = new EventSource('events');
  source.onmessage = refresh;
  source.onerror = () => {
    connected('lost', 'no answer, trying again');
    // A refusal ends it for good, unlike a broken connection.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  };
};
listen();

setInterval(() => {
  tellDistances();
  if (document.querySelector('main').dataset.open === 'yes' && !document.hidden) refresh();
}, 1000);
tellDistances();

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

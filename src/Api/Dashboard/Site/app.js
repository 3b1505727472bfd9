// Which page is shown: #/name/part/part. Each page is a module of its own; leaving it aborts its requests and timers.

import { get, askForKey } from './api.js';
import { el, refill, problem, announce } from './dom.js';
import * as pipeline from './pipeline.js';
import * as trainings from './trainings.js';
import * as gate from './gate.js';
import * as models from './models.js';
import * as letters from './letters.js';
import * as shop from './shop.js';
import * as compare from './compare.js';
import * as variants from './variants.js';

const pages = { '': pipeline, trainings, gate, models, letters, shop, compare, variants };
const main = document.getElementById('main');
let leaving = new AbortController();
let shown = false;

async function show() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const [name, ...parts] = location.hash.replace(/^#?\/?/, '').split('/').map(decoded);
  const page = pages[name] ?? null;
  for (const link of document.querySelectorAll('#pages a')) {
    if (link.getAttribute('href') === `#/${name}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const title = page?.title ?? 'No such page';
  document.title = `${title} · BeeFormer.Streaming`;
  const heading = el('h1', { tabindex: -1 }, title);
  const body = el('div', { class: 'body' });
  main.replaceChildren(heading, body);
  // The reader of a screen hears where it is; the first page begins at its beginning.
  if (shown) heading.focus();
  shown = true;
  scrollTo(0, 0);
  if (!page) {
    body.append(el('p', {}, 'The address names a page that does not exist. ', el('a', { href: '#/' }, 'Go to the pipeline.')));
    return;
  }
  try {
    await page.show(body, parts, signal);
  } catch (error) {
    if (!signal.aborted) refill(body, problem(error));
  }
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

// The theme: the system's, unless the button said otherwise.
const dark = matchMedia('(prefers-color-scheme: dark)');
const theme = document.getElementById('theme');

function paint() {
  const chosen = localStorage.getItem('theme');
  const isDark = chosen ? chosen === 'dark' : dark.matches;
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
  theme.textContent = isDark ? 'Light colours' : 'Dark colours';
}

theme.addEventListener('click', () => {
  localStorage.setItem('theme', document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');
  paint();
});
dark.addEventListener('change', paint);
paint();

document.getElementById('skip').addEventListener('click', event => {
  event.preventDefault();
  main.focus();
});
document.getElementById('key').addEventListener('click', async () => {
  if (await askForKey()) show();
});

// What serves is in the footer of every page.
async function serving() {
  const place = document.getElementById('serving');
  try {
    const answer = await get('v1/pipeline');
    const text = answer.model_version ? `Serving model ${answer.model_version}, generation ${answer.index_generation}` : 'No model serves yet';
    if (place.textContent !== text) {
      if (shown && place.textContent.startsWith('Serving')) announce(text);
      place.textContent = text;
    }
  } catch (error) {
    place.textContent = error.message;
  }
}

addEventListener('hashchange', show);
show();
serving();
setInterval(() => document.hidden || serving(), 5000);

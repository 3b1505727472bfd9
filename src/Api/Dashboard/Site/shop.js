// A shop to try: search, an item with its like, and a visitor whose recommendations change with each click.

import { el, refill, problem, announce } from './dom.js';
import { visitor, keep, titleOf, noted, remember, click, becomeUser, recommend, search, similar } from './visitor.js';

export const title = 'Try it: a shop';

let found = null;
let shownBefore = [];

export async function show(body, [what, id], signal) {
  const item = what === 'item' ? id : null;
  const left = el('div', {});
  const right = el('div', {});
  body.append(el('p', {}, 'Search, open items, and watch the recommendations: each item that you open is a click of the visitor.'), el('div', { class: 'columns' }, left, right));

  const shelf = recommendations(signal);
  const clicks = clickList(shelf, signal);
  right.append(clicks.place, shelf.place);
  left.append(searchBox(signal));
  if (item) {
    await click(item, signal).catch(error => left.prepend(problem(error)));
    const page = itemPage(item, signal);
    left.prepend(page.place);
    page.heading.focus();
    clicks.fill();
  }
  await shelf.fill(item !== null);
}

/** Links to items; opening one is a click. */
export const products = (items, more) => el('ol', { class: 'products' }, items.map(item => el('li', {},
  el('span', {}, el('a', { href: `#/shop/item/${encodeURIComponent(item.item_id)}` }, item.title || item.item_id), more?.(item)),
  el('span', { class: 'number' }, item.score.toFixed(3)))));

function searchBox(signal) {
  const text = el('input', { type: 'search', id: 'search', autocomplete: 'off', maxlength: 2000, value: found?.text ?? null });
  const results = el('div', { role: 'region', 'aria-label': 'Search results' });
  const fill = () => refill(results, found === null ? null : found.items.length === 0 ? el('p', {}, 'Nothing was found.') : products(found.items));
  const go = async event => {
    event.preventDefault();
    const asked = text.value.trim();
    if (!asked) return;
    try {
      found = { text: asked, items: noted(await search(asked, signal)) };
      remember(asked);
      fill();
      announce(`${found.items.length} items for ${asked}`);
    } catch (error) {
      if (!signal.aborted) refill(results, problem(error));
    }
  };
  fill();
  return el('section', { class: 'card', 'aria-labelledby': 'search-name' }, el('h2', { id: 'search-name' }, 'Search'),
    el('form', { class: 'line', role: 'search', onsubmit: go }, el('p', {}, el('label', { for: 'search' }, 'What are you looking for?'), text), el('p', {}, el('button', { type: 'submit', class: 'main' }, 'Search'))), results);
}

function itemPage(id, signal) {
  const heading = el('h2', { id: 'item-name', tabindex: -1 }, titleOf(id));
  const like = el('div', {}, el('p', { class: 'quiet' }, 'Looking for similar items …'));
  similar(id, signal)
    .then(answer => refill(like, products(noted(answer))))
    .catch(error => signal.aborted || refill(like, problem(error)));
  return { heading, place: el('article', { class: 'card', id: 'item', 'aria-labelledby': 'item-name' }, heading, el('p', { class: 'quiet' }, `Item ${id}`), el('h3', {}, 'Similar items'), like) };
}

function clickList(shelf, signal) {
  const place = el('section', { class: 'card', 'aria-labelledby': 'visitor-name' });
  const choose = async event => {
    try {
      if (event.target.checked) await becomeUser(signal);
      else visitor.user = null;
      keep();
      fill();
      await shelf.fill(true);
    } catch (error) {
      place.append(problem(error));
    }
  };
  const forget = id => {
    visitor.clicked = visitor.clicked.filter(other => other !== id);
    keep();
    fill();
    shelf.fill(true);
  };
  const anew = () => {
    [visitor.clicked, visitor.user] = [[], null];
    keep();
    fill();
    shelf.fill(true);
  };
  function fill() {
    refill(place, el('h2', { id: 'visitor-name' }, 'The visitor'),
      visitor.clicked.length === 0 ? el('p', {}, 'Has clicked nothing yet.') : el('ul', { class: 'clicked' }, visitor.clicked.map(id => el('li', {}, titleOf(id),
        visitor.user ? null : el('button', { type: 'button', 'aria-label': `Forget ${titleOf(id)}`, onclick: () => forget(id) }, '×')))),
      el('p', {}, el('label', { class: 'choice' }, el('input', { type: 'checkbox', id: 'as-events', checked: visitor.user !== null, onchange: choose }), 'Send the clicks as events of a user, who is learned from')),
      visitor.user ? el('p', { class: 'quiet' }, `The user is ${visitor.user}.`) : null,
      el('p', {}, el('button', { type: 'button', id: 'new-visitor', onclick: anew }, 'New visitor')));
  }
  fill();
  return { place, fill };
}

function recommendations(signal) {
  const list = el('div', {}, el('p', { class: 'quiet' }, 'Asking …'));
  const place = el('section', { class: 'card', id: 'recommended', 'aria-labelledby': 'recommended-name' }, el('h2', { id: 'recommended-name' }, 'Recommended'), list);

  async function fill(changed) {
    try {
      let answer = await recommend(signal);
      // An event has to pass through the log and Ingest first.
      for (let asked = 0; changed && visitor.user && asked < 20 && same(answer.items, shownBefore); asked++) {
        await new Promise(next => setTimeout(next, 250));
        answer = await recommend(signal);
      }
      const items = noted(answer);
      const before = new Set(shownBefore.map(item => item.item_id));
      const fresh = items.filter(item => before.size > 0 && !before.has(item.item_id)).map(item => item.item_id);
      shownBefore = items;
      refill(list, el('p', { class: 'quiet' }, answer.fallback === 'popular' ? 'Nothing is known of this visitor: popular items.' : `From ${visitor.clicked.length} ${visitor.clicked.length === 1 ? 'click' : 'clicks'}, by model ${answer.model_version}.`),
        items.length === 0 ? el('p', {}, 'There is nothing to recommend yet.') : products(items, item => [
          fresh.includes(item.item_id) ? [' ', el('span', { class: 'badge busy' }, 'new')] : null,
          item.because ? el('small', {}, `because of ${titleOf(item.because.item_id)}`) : null]));
      if (changed) announce(items.length > 0 ? `Recommendations: ${fresh.length} new, the first is ${items[0].title}` : 'No recommendations');
    } catch (error) {
      if (!signal.aborted) refill(list, problem(error));
    }
  }
  return { place, fill };
}

const same = (a, b) => a.length === b.length && a.every((item, n) => item.item_id === b[n].item_id);

// One question, two models, side by side.

import { get, post } from './api.js';
import { el, refill, problem } from './dom.js';
import { visitor, titleOf, noted, remember } from './visitor.js';
import { products } from './shop.js';
import { time } from './figures.js';

export const title = 'Compare two models';

let last = null;

export async function show(body, _, signal) {
  const [{ index }, { models, previous, live }] = await Promise.all([get('v1/pipeline', signal), get('v1/models', signal)]);
  const there = models.filter(model => (index?.collections ?? []).some(collection => collection.version === model.version));
  if (there.length < 2) {
    body.append(el('p', { class: 'card' }, 'The index holds the vectors of one model only. When a second one has gone live, both can be compared here. ', el('a', { href: '#/trainings' }, 'Trainings')));
    return;
  }
  const choice = (id, chosen) => el('select', { id }, there.map(model => el('option', { value: model.version, selected: model.version === chosen }, `${model.version}${model.version === live ? ' (live)' : ''}, ${time(model.published_at)}`)));
  const other = there.find(model => model.version === previous) ?? there.find(model => model.version !== live);
  const [a, b] = [choice('model-a', other.version), choice('model-b', there.some(model => model.version === live) ? live : there.at(-1).version)];
  const text = el('input', { type: 'search', id: 'compared', autocomplete: 'off', maxlength: 2000, value: last?.text ?? null });
  const results = el('div', {});

  async function ask(question) {
    last = question;
    try {
      const answer = await post('v1/compare', { ...question, versions: [a.value, b.value], k: 10 }, signal);
      answer.rankings.forEach(noted);
      refill(results, el('p', { role: 'status' }, `${words(question)}: ${answer.shared} items are in both answers.`), el('div', { class: 'columns' }, answer.rankings.map((ranking, n) => column(ranking, answer.rankings[1 - n]))));
    } catch (error) {
      if (!signal.aborted) refill(results, problem(error));
    }
  }

  const go = event => {
    event.preventDefault();
    if (!text.value.trim()) return;
    remember(text.value.trim());
    ask({ text: text.value.trim() });
  };
  body.append(el('p', {}, 'Each model answers by its own vectors alone, without popularity and purchases.'),
    el('form', { class: 'card line', onsubmit: go },
      el('p', {}, el('label', { for: 'model-a' }, 'One model'), a), el('p', {}, el('label', { for: 'model-b' }, 'The other'), b),
      el('p', {}, el('label', { for: 'compared' }, 'Search for'), text), el('p', {}, el('button', { type: 'submit', class: 'main' }, 'Compare'))),
    el('p', {}, visitor.asked.map(asked => [el('button', { type: 'button', onclick: () => { text.value = asked; ask({ text: asked }); } }, `“${asked}”`), ' ']),
      visitor.clicked.length > 0 ? el('button', { type: 'button', id: 'compare-visitor', onclick: () => ask({ history: visitor.clicked }) }, `What the visitor clicked (${visitor.clicked.length})`) : null, ' ',
      visitor.clicked.length > 0 ? el('button', { type: 'button', id: 'compare-item', onclick: () => ask({ item_id: visitor.clicked.at(-1) }) }, `Similar to ${titleOf(visitor.clicked.at(-1))}`) : null),
    results);
  if (last) await ask(last);
}

const words = ({ text, item_id: item, history }) => (text ? `“${text}”` : item ? `Similar to ${titleOf(item)}` : `For what the visitor clicked (${history.length})`);

function column(ranking, other) {
  const places = new Map(other.items.map((item, n) => [item.item_id, n]));
  const here = new Map(ranking.items.map((item, n) => [item.item_id, n]));
  return el('section', { class: 'card', 'aria-label': `Answer of model ${ranking.version}` }, el('h2', {}, ranking.version),
    ranking.items.length === 0 ? el('p', {}, 'This model has no answer.') : products(ranking.items, item => el('small', {}, moved(here.get(item.item_id), places.get(item.item_id)))));
}

function moved(here, there) {
  if (there === undefined) return 'only here';
  return here === there ? 'the same place in both' : `place ${here + 1} here, ${there + 1} there`;
}

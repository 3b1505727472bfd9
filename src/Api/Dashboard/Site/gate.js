// Each decision of the gate with its numbers.

import { get } from './api.js';
import { el, table } from './dom.js';
import { measure, percent, count, time, NONE } from './figures.js';

export const title = 'Decisions of the gate';

const RANKINGS = [['challenger', 'Challenger'], ['incumbent', 'Incumbent'], ['base', 'Untrained'], ['popularity', 'Popularity'], ['tfidf', 'TF-IDF'], ['elsa', 'ELSA']];
const MEASURES = [['recall@20', 'all', 'recall@20'], ['ndcg@100', 'all', 'ndcg@100'], ['known: recall@20', 'warm', 'recall@20'], ['known: ndcg@100', 'warm', 'ndcg@100'], ['new: recall@20', 'cold', 'recall@20'], ['new: ndcg@100', 'cold', 'ndcg@100']];

export async function show(body, _, signal) {
  const decisions = decisionsOf(await get('v1/models', signal));
  body.append(el('p', {}, 'The newest interactions are held out. Challenger and incumbent rank the whole catalogue for the same users; a paired bootstrap says how probable it is that the challenger is better. Known items had interactions before the split, new ones had none.'));
  if (decisions.length === 0) body.append(el('p', { class: 'card' }, 'The gate has decided nothing yet: the first training has not ended. ', el('a', { href: '#/trainings' }, 'Trainings')));
  decisions.forEach((decision, n) => body.append(article(decision, `decision-${n}`)));
}

/** Published models and refusals, newest first. */
export function decisionsOf({ models, refusals }) {
  const published = models.filter(model => model.metrics.decision).map(model => ({ at: model.published_at, version: model.version, against: model.parent, sentence: model.decision, metrics: model.metrics }));
  const refused = refusals.map(refusal => ({ at: refusal.at, version: null, against: refusal.incumbent, sentence: refusal.decision, metrics: refusal.metrics }));
  return [...published, ...refused].sort((a, b) => new Date(b.at) - new Date(a.at));
}

function article({ at, version, against, sentence, metrics }, id) {
  return el('article', { class: 'card', 'aria-labelledby': id },
    el('h2', { id }, version ? `Model ${version} went live ` : 'A challenger was refused ', el('span', { class: `badge ${version ? 'good' : 'bad'}` }, version ? 'promoted' : 'refused')),
    el('p', { class: 'quiet' }, `${time(at)}, against ${against ?? NONE}`),
    numbers(sentence, metrics));
}

/** What the gate saw: its sentence, how sure it was, and every ranking that was measured. */
export function numbers(sentence, metrics) {
  const decision = metrics?.decision ?? {};
  const rankings = RANKINGS.filter(([name]) => metrics?.[name]);
  return [
    sentence ? el('p', {}, sentence) : null,
    typeof decision.probability === 'number' ? surety(decision) : null,
    decision.objections?.length > 0 ? [el('h3', {}, 'Objections'), el('ul', {}, decision.objections.map(objection => el('li', {}, objection)))] : null,
    rankings.length > 0 ? table(`Measured on ${count(metrics.users)} users, split at ${time(metrics.split)}`, ['Ranking', ...MEASURES.map(([name]) => `>${name}`), '>coverage'],
      rankings.map(([name, words]) => [words, ...MEASURES.map(([, slice, what]) => measure(metrics[name][slice]?.[what])), percent(metrics[name].coverage)])) : null,
  ];
}

function surety({ metric, probability, min_probability: needed, challenger, incumbent, cold_weight: cold }) {
  return el('dl', {},
    el('dt', {}, `Deciding measure: ${metric}, new items weigh ${percent(cold)}`), el('dd', {}, `${measure(incumbent)} → ${measure(challenger)}`),
    el('dt', {}, 'Probability that the challenger is better'), el('dd', {}, el('meter', { min: 0, max: 1, low: needed, high: needed, optimum: 1, value: probability, 'aria-label': `Probability ${probability.toFixed(3)}, ${needed} was asked for` }), ` ${probability.toFixed(3)}, ${needed} was asked for`));
}

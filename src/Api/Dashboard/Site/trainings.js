// Trainings that wait, run or have ended; one of them with its curve and the gate's numbers.

import { get, post } from './api.js';
import { el, refill, table, problem, announce, confirmed } from './dom.js';
import { curves } from './chart.js';
import { decisionsOf, numbers } from './gate.js';
import { every } from './live.js';
import { count, measure, percent, duration, time, seconds, version, NONE } from './figures.js';

export const title = 'Trainings';

const running = training => training.state === 'queued' || training.state === 'running';
const colour = { published: 'good', failed: 'bad', refused: 'bad', running: 'busy', queued: 'busy' };
const badge = state => el('span', { class: `badge ${colour[state] ?? ''}` }, state);

export const show = (body, [id], signal) => (id ? showOne(body, id, signal) : showAll(body, signal));

async function showAll(body, signal) {
  const said = el('div', { role: 'status' });
  const list = el('div', { class: 'card' });
  const history = el('div', { class: 'card' });
  body.append(startForm(said, signal), said, history, list);
  let before = '';

  async function look() {
    const { trainings } = await get('v1/trainings', signal);
    const now = JSON.stringify(trainings);
    if (now === before) return;
    const ended = before !== '' && trainings.filter(running).length < JSON.parse(before).filter(running).length;
    before = now;
    refill(list, trainings.length === 0 ? el('p', {}, 'Nothing was trained yet.') : table('Trainings, newest first', ['Asked for', 'Tempo', 'Reason', 'State', 'Took', 'Model'],
      trainings.map(one => [el('a', { href: `#/trainings/${one.training_id}`, id: `training-${one.training_id}` }, time(one.requested_at)), one.tempo, one.reason, progressOf(one), took(one), version(one.version)])));
    if (ended) announce('A training has ended.');
    if (ended || !history.hasChildNodes()) refill(history, recallCurve(decisionsOf(await get('v1/models', signal))));
  }

  await look();
  every(2000, signal, () => look().catch(error => signal.aborted || refill(said, problem(error))));
}

function startForm(said, signal) {
  const tempo = el('select', { id: 'tempo' }, el('option', { value: 'head' }, 'head (minutes)'), el('option', { value: 'encoder' }, 'encoder (longer)'));
  const start = async event => {
    event.preventDefault();
    try {
      const { training_id: id } = await post('v1/trainings', { tempo: tempo.value }, signal);
      refill(said, el('p', { class: 'done' }, 'The training was asked for: ', el('a', { href: `#/trainings/${id}` }, 'follow it'), '.'));
    } catch (error) {
      refill(said, problem(error));
    }
  };
  return el('form', { class: 'line', onsubmit: start }, el('p', {}, el('label', { for: 'tempo' }, 'Tempo'), tempo), el('p', {}, el('button', { type: 'submit' }, 'Train now')));
}

function progressOf(one) {
  return one.state === 'running' ? [badge(one.state), ` ${one.phase ?? ''} ${percent(one.fraction)}`] : badge(one.state);
}

const took = one => (one.started_at ? duration((new Date(one.ended_at ?? Date.now()) - new Date(one.started_at)) / 1000) : NONE);

/** How the models did on the slice that was held out for each of them, in the order of the decisions. */
function recallCurve(decisions) {
  const asked = [...decisions].reverse();
  const of = (ranking, slice) => asked.flatMap((one, n) => (typeof one.metrics[ranking]?.[slice]?.['recall@20'] === 'number' ? [[n + 1, one.metrics[ranking][slice]['recall@20']]] : []));
  return curves({
    name: 'Recall@20 at the gate', xName: 'decision', formatX: value => count(value), formatY: measure,
    series: [{ name: 'challenger', points: of('challenger', 'all') }, { name: 'challenger, new items', points: of('challenger', 'cold') }, { name: 'incumbent', points: of('incumbent', 'all') }, { name: 'popularity', points: of('popularity', 'all') }],
  });
}

async function showOne(body, id, signal) {
  const said = el('div', { role: 'status' });
  const facts = el('div', { class: 'card' });
  const curve = el('div', { class: 'card' });
  const gate = el('div', { class: 'card' });
  body.append(el('p', {}, el('a', { href: '#/trainings' }, 'All trainings')), said, facts, curve, gate);
  let state = '';

  async function look() {
    const one = await get(`v1/trainings/${encodeURIComponent(id)}`, signal);
    if (state && state !== one.state) announce(`The training is ${one.state}.`);
    state = one.state;
    refill(facts, el('h2', {}, `Training of the ${one.tempo} `, badge(one.state)), el('dl', {},
      fact('Asked for', `${time(one.requested_at)} (${one.reason})`), fact('Started', time(one.started_at)), fact('Ended', time(one.ended_at)), fact('Took', took(one)),
      fact('Model', one.version), fact('Goes on with', one.continues), fact('Last loss', measure(one.loss)), fact('Texts per second', count(one.items_per_second))), running(one) ? now(one, id, said) : null);
    const losses = one.losses ?? [];
    refill(curve, curves({ name: 'Loss', xName: 'time since the start', formatX: seconds, formatY: measure, series: [{ name: 'loss', points: losses }] }));
    refill(gate, el('h2', {}, 'Decision'), one.decision || one.metrics ? numbers(one.decision, one.metrics) : el('p', {}, 'Not decided yet.'));
    return one;
  }

  const first = await look();
  if (!running(first)) return;
  every(1000, signal, async () => {
    if (!['queued', 'running'].includes(state)) return;
    await look().catch(error => signal.aborted || refill(said, problem(error)));
  });
}

const fact = (name, value) => (value && value !== NONE ? [el('dt', {}, name), el('dd', {}, value)] : null);

function now(one, id, said) {
  const cancel = async () => {
    if (!await confirmed('Cancel this training?', 'Nothing is changed by it: the model in service stays.', 'Cancel the training')) return;
    try {
      await post(`v1/trainings/${encodeURIComponent(id)}/cancel`);
      refill(said, el('p', { class: 'done' }, 'The training was asked to end.'));
    } catch (error) {
      refill(said, problem(error));
    }
  };
  return [
    el('p', {}, el('label', { for: 'phase' }, `${one.phase ?? 'waits'}${one.eta_seconds ? `, the phase ends in ${duration(one.eta_seconds)}` : ''}`), el('progress', { id: 'phase', max: 1, value: one.fraction ?? 0 })),
    el('p', {}, el('button', { type: 'button', id: 'cancel-training', onclick: cancel }, 'Cancel this training')),
  ];
}

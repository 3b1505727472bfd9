// What flows through the pipeline now.

import { get } from './api.js';
import { el, refill, table, problem, announce } from './dom.js';
import { picture } from './picture.js';
import { every } from './live.js';
import { count, rate, percent, milliseconds, seconds, duration, measure, NONE } from './figures.js';

export const title = 'Live pipeline';

const phone = matchMedia('(max-width: 900px)');

export async function show(body, _, signal) {
  const drawn = el('div', { class: 'card' });
  const troubles = el('div', {});
  const numbers = el('div', { class: 'columns' });
  body.append(troubles, drawn, numbers);
  let form = null;
  let last = null;
  let working = '';

  function tell(answer) {
    last = answer;
    form.tell(stages(answer), flows(answer), sentence(answer));
    refill(numbers, stageTable(answer), requestTable(answer));
    refill(troubles, answer.unreachable.map(message => problem({ message })));
    const now = work(answer);
    if (now !== working) announce(now || 'The training or rebuild has ended.');
    working = now;
  }

  function draw() {
    form = picture(phone.matches);
    drawn.replaceChildren(form.drawing);
    if (last) tell(last);
  }

  phone.addEventListener('change', draw, { signal });
  const first = await get('v1/pipeline', signal);
  draw();
  tell(first);
  every(2000, signal, async () => {
    try {
      tell(await get('v1/pipeline', signal));
    } catch (error) {
      if (!signal.aborted) refill(troubles, problem(error));
    }
  });
}

const topic = (answer, name) => answer.log?.find(one => one.topic === name);
const sum = (a, b) => (a === null || a === undefined || b === null || b === undefined ? null : a + b);
const share = (done, total) => percent(total > 0 ? Math.min(1, done / total) : 0);

function work({ trainer, indexer }) {
  if (trainer?.current) return `A training of the ${trainer.current.tempo} runs.`;
  if (indexer?.reindex) return `The collection of model ${indexer.reindex.version} is being built.`;
  return '';
}

function stages(answer) {
  const { ingest, trainer, indexer, index, api } = answer;
  const interactions = topic(answer, 'interactions');
  const items = topic(answer, 'items');
  const running = trainer?.current;
  const building = indexer?.reindex;
  const fresh = indexer?.freshness;
  return {
    events: { large: rate(sum(interactions?.per_second, items?.per_second)), lines: [`interactions ${rate(interactions?.per_second)}`, `items ${rate(items?.per_second)}`] },
    log: { large: count(sum(interactions?.appended, items?.appended)), lines: [`${count(interactions?.appended)} interactions`, `${count(items?.appended)} item events`, `${count(topic(answer, 'dead-letters')?.appended)} dead-letter entries`], stuck: !answer.log },
    ingest: { large: rate(ingest?.per_second), lines: [`waiting: ${count(ingest?.lag)}`], stuck: !ingest },
    windows: { large: count(ingest?.done), lines: ['events have landed'] },
    trainer: running
      ? { large: `${running.phase ?? running.state} ${percent(running.fraction)}`, lines: [`${running.tempo}, asked by ${running.reason}`, `loss ${measure(running.loss)}`, `phase ends in ${duration(running.eta_seconds)}`], busy: true }
      : { large: 'idle', lines: ['no training runs'] },
    models: { large: trainer?.live ? trainer.live.slice(0, 6) : NONE, lines: [`live ${trainer?.live ?? NONE}`, `before ${trainer?.previous ?? NONE}`, `${count(trainer?.models)} kept, ${count(trainer?.refusals)} refused`], stuck: !trainer },
    indexer: building
      ? { large: `building ${share(building.done, building.total)}`, lines: [`for ${building.version}`, `waiting: ${count(indexer.lag)}`, `findable after ${seconds(fresh.p50_seconds)}`], busy: true }
      : { large: rate(indexer?.per_second), lines: [`waiting: ${count(indexer?.lag)}`, `findable after ${seconds(fresh?.p50_seconds)}`, `p99 ${seconds(fresh?.p99_seconds)}`], stuck: !indexer },
    index: { large: count(index?.items), lines: ['items in service', index?.collection ?? NONE, `generation ${answer.index_generation ?? NONE}`], stuck: !index },
    answers: { large: rate(api.per_second), lines: [`p50 ${milliseconds(api.p50_ms)}, p99 ${milliseconds(api.p99_ms)}`, `failed ${rate(api.failed_per_second)}`], stuck: api.failed_per_second > 0 },
  };
}

function flows(answer) {
  const { ingest, trainer, indexer, api } = answer;
  const active = new Set();
  if (sum(topic(answer, 'interactions')?.per_second, topic(answer, 'items')?.per_second) > 0) active.add('events log');
  if (ingest?.per_second > 0) active.add('log ingest').add('ingest windows');
  if (trainer?.current) active.add('windows trainer');
  if (indexer?.reindex) active.add('models indexer');
  if (indexer?.per_second > 0) active.add('log indexer');
  if (indexer?.per_second > 0 || indexer?.reindex) active.add('indexer index');
  if (api.per_second > 0) active.add('index answers');
  return active;
}

function sentence(answer) {
  const { ingest, indexer, index, api } = answer;
  return `Events go from the API to the event log, from there through Ingest to the window store and to the Indexer; the Trainer makes models from windows, the Indexer makes the vector index with the live model, the API answers from it. `
    + `Of the log's events ${count(ingest?.lag)} wait for Ingest and ${count(indexer?.lag)} for the Indexer. The index holds ${count(index?.items)} items. The API answers ${rate(api.per_second)}, half of it within ${milliseconds(api.p50_ms)}. ${work(answer)}`;
}

function stageTable(answer) {
  const { ingest, trainer, indexer, index } = answer;
  const rows = (answer.log ?? []).map(one => [`Log: ${one.topic}`, count(one.appended), rate(one.per_second), NONE]);
  rows.push(['Ingest', count(ingest?.done), rate(ingest?.per_second), count(ingest?.lag)]);
  rows.push(['Indexer', count(indexer?.done), rate(indexer?.per_second), count(indexer?.lag)]);
  rows.push(['Index: items', count(index?.items), NONE, NONE]);
  rows.push(['Models kept', count(trainer?.models), NONE, NONE]);
  const fresh = indexer?.freshness;
  return el('section', { class: 'card' }, table('Stages', ['Stage', '>Total', '>Per second', '>Waiting'], rows),
    el('p', { class: 'quiet' }, fresh?.measured
      ? `An item event is findable after ${seconds(fresh.p50_seconds)} (half of them) and ${seconds(fresh.p99_seconds)} (99 of 100), over ${count(fresh.measured)} measurements of this process.`
      : 'How soon an item is findable is measured when the next item event comes.'));
}

function requestTable({ api, instance }) {
  return el('section', { class: 'card' },
    api.routes.length > 0
      ? table(`Requests to ${instance}, last minute`, ['Endpoint', '>Per second', '>p50', '>p99'], api.routes.map(one => [one.route, rate(one.per_second), milliseconds(one.p50_ms), milliseconds(one.p99_ms)]))
      : el('p', {}, 'No request in the last minute.'));
}

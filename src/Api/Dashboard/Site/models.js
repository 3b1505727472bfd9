// What was learned, what serves, and the way back.

import { get, post } from './api.js';
import { el, refill, table, problem, announce, confirmed } from './dom.js';
import { count, time, version as named } from './figures.js';

export const title = 'Models';

export const show = (body, [version], signal) => (version ? showOne(body, version, signal) : showAll(body, signal));

async function showAll(body, signal) {
  const said = el('div', { role: 'status' });
  const list = el('div', { class: 'card' });
  body.append(said, list);

  async function fill() {
    const answer = await get('v1/models', signal);
    refill(list, answer.models.length === 0 ? el('p', {}, 'There is no model yet.') : table('Published models, newest first', ['Version', 'Published', 'Learned from', 'Decision', 'In service'],
      [...answer.models].reverse().map(model => [
        el('a', { href: `#/models/${encodeURIComponent(model.version)}` }, named(model.version)), time(model.published_at), named(model.parent),
        [model.decision, model.erased_users ? el('p', { class: 'quiet' }, `${count(model.erased_users.users)} users that it could see were erased since.`) : null], service(model.version, answer, fill, said, signal)])),
    answer.damaged.map(damaged => problem({ message: `${damaged.version} is damaged: ${damaged.problem}` })));
  }

  await fill();
}

function service(version, answer, fill, said, signal) {
  if (version === answer.live) return el('span', { class: 'badge good' }, version === answer.model_version ? 'live' : 'live, being indexed');
  const before = version === answer.previous ? el('span', { class: 'badge' }, 'before') : null;
  return [before, ' ', el('button', { type: 'button', id: `activate-${version}`, 'aria-label': `Activate ${version}`, onclick: () => activate(version, answer.live, fill, said, signal) }, 'Activate')];
}

async function activate(version, live, fill, said, signal) {
  if (!await confirmed(`Activate ${version}?`, `It takes the place of ${live ?? 'none'}. The model is tried first; answers come from it as soon as its collection is there.`, 'Activate')) return;
  try {
    refill(said, el('p', {}, `Trying ${version} …`));
    await post(`v1/models/${encodeURIComponent(version)}/activate`, {}, signal);
    refill(said, el('p', {}, `${version} is live; its collection is being brought into service …`));
    await fill();
    await served(version, signal);
    refill(said, el('p', { class: 'done' }, `Answers come from ${version} now.`));
    announce(`Answers come from ${version} now.`);
    await fill();
  } catch (error) {
    if (!signal.aborted) refill(said, problem(error));
  }
}

/** Ends when the answers come from the version. */
async function served(version, signal) {
  while ((await get('v1/models', signal)).model_version !== version) {
    await new Promise(next => setTimeout(next, 500));
    signal.throwIfAborted();
  }
}

async function showOne(body, version, signal) {
  const answer = await get(`v1/models/${encodeURIComponent(version)}`, signal);
  const model = answer.model;
  body.append(el('p', {}, el('a', { href: '#/models' }, 'All models')),
    answer.problem ? problem({ message: `This version is damaged: ${answer.problem}` }) : el('p', { class: 'done' }, 'Every file is as it was published.'),
    el('section', { class: 'card' }, el('h2', {}, answer.version, ' ', answer.live ? el('span', { class: 'badge good' }, 'live') : null),
      model ? [el('dl', {}, el('dt', {}, 'Published'), el('dd', {}, time(model.published_at)), el('dt', {}, 'Dimension'), el('dd', {}, count(model.dimension)), el('dt', {}, 'Fingerprint'), el('dd', {}, el('code', {}, model.fingerprint))),
        el('p', {}, model.decision), el('p', {}, el('a', { href: '#/gate' }, 'Its numbers at the gate'))] : null),
    el('section', { class: 'card' }, el('h2', {}, 'Lineage'), el('p', { class: 'quiet' }, 'This version, the one that it was learned from, and so on to the first.'),
      el('ol', {}, answer.lineage.map(one => el('li', {}, el('strong', {}, one.version), ` ${time(one.published_at)}. ${one.decision}`)))),
    el('section', { class: 'card' }, table('Files', ['Path', '>Bytes', 'SHA-256'], answer.files.map(file => [file.path, count(file.bytes), el('code', {}, file.sha256.slice(0, 16))]))),
    model ? el('section', { class: 'card' }, el('h2', {}, 'Learned with'), el('pre', { tabindex: 0, role: 'region', 'aria-label': 'Hyper-parameters' }, JSON.stringify(model.hyper_parameters, null, 2))) : null);
}

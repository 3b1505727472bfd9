// Messages that could not be read, and their way back.

import { get, post } from './api.js';
import { el, refill, table, problem, confirmed } from './dom.js';
import { count, time, NONE } from './figures.js';

export const title = 'Dead letters';

const LIMIT = 50;

export const show = (body, parts, signal) => (parts.length === 3 ? showOne(body, parts, signal) : showAll(body, signal));

async function showAll(body, signal) {
  const said = el('div', { role: 'status' });
  const list = el('div', { class: 'card' });
  const reason = el('input', { id: 'reason', type: 'text', autocomplete: 'off', placeholder: 'any' });
  const topic = el('select', { id: 'topic' }, ['any', 'interactions', 'items'].map(name => el('option', { value: name === 'any' ? '' : name }, name)));
  const search = event => {
    event.preventDefault();
    fill().catch(error => refill(list, problem(error)));
  };
  body.append(el('p', {}, 'What Ingest cannot read stays here with its bytes, so that it can be repaired or brought back.'),
    el('form', { class: 'line', onsubmit: search }, el('p', {}, el('label', { for: 'topic' }, 'Topic'), topic), el('p', {}, el('label', { for: 'reason' }, 'Reason'), reason), el('p', {}, el('button', { type: 'submit' }, 'Show'))),
    said, list);

  async function fill(after) {
    const asked = new URLSearchParams({ limit: LIMIT });
    if (reason.value.trim()) asked.set('reason', reason.value.trim());
    if (topic.value) asked.set('topic', topic.value);
    if (after) asked.set('after', after);
    const page = await get(`v1/dead-letters?${asked}`, signal);
    refill(list, page.letters.length === 0 ? el('p', {}, page.total === 0 ? 'There are none.' : `None of the ${count(page.total)} letters match.`)
      : table(`${count(page.letters.length)} of ${count(page.matching)} letters that match; ${count(page.total)} in all`, ['Letter', 'Reason', 'Message', 'Taken', '>Bytes', 'Way back'],
        page.letters.map(letter => [el('a', { href: `#/letters/${letter.id}` }, letter.id), letter.reason, letter.message, time(letter.timestamp), count(letter.bytes),
          el('button', { type: 'button', id: `replay-${letter.id}`, 'aria-label': `Replay ${letter.id}`, onclick: () => replay([letter.id], said, fill) }, 'Replay')])),
    page.letters.length > 1 ? el('p', {}, el('button', { type: 'button', id: 'replay-shown', onclick: () => replay(page.letters.map(letter => letter.id), said, fill) }, `Replay the ${count(page.letters.length)} shown`)) : null,
    page.next ? el('p', {}, el('button', { type: 'button', id: 'next-letters', onclick: () => fill(page.next).catch(error => refill(said, problem(error))) }, 'Next letters')) : null);
  }

  await fill();
}

async function replay(ids, said, fill) {
  const words = ids.length === 1 ? ids[0] : `${ids.length} letters`;
  if (!await confirmed(`Replay ${words}?`, 'The messages go back to their topics as they were. What is still unreadable, or was overtaken by something newer, stays.', 'Replay')) return;
  try {
    const report = await post('v1/dead-letters/replay', { ids });
    refill(said, el('p', { class: report.staying.length > 0 ? 'problem' : 'done' },
      `${report.replayed} replayed, ${report.superseded} overtaken, ${report.unreadable} still unreadable, ${report.unknown} unknown. ${report.staying.slice(0, 3).map(one => `${one.id}: ${one.why}`).join(' ')}`));
    await fill();
  } catch (error) {
    refill(said, problem(error));
  }
}

async function showOne(body, parts, signal) {
  const letter = await get(`v1/dead-letters/${parts.map(encodeURIComponent).join('/')}`, signal);
  const said = el('div', { role: 'status' });
  body.append(el('p', {}, el('a', { href: '#/letters' }, 'All letters')), said,
    el('section', { class: 'card' }, el('h2', {}, letter.id),
      el('dl', {}, el('dt', {}, 'Reason'), el('dd', {}, letter.reason), el('dt', {}, 'Message'), el('dd', {}, letter.message), el('dt', {}, 'Taken'), el('dd', {}, time(letter.timestamp))),
      el('h3', {}, 'Key'), bytes('Key', letter.key), el('h3', {}, 'Value'), bytes('Value', letter.value),
      letter.headers.length > 0 ? table('Headers', ['Name', 'Value'], letter.headers.map(header => [header.name, text(header.value)])) : null,
      el('p', {}, el('button', { type: 'button', id: 'replay-this', onclick: () => replay([letter.id], said, async () => {}) }, 'Replay this letter'))));
}

const bytes = (name, base64) => (base64 === null ? el('p', {}, 'None: the message deletes its key.') : el('pre', { tabindex: 0, role: 'region', 'aria-label': name }, text(base64)));

/** Text where it is text, else hexadecimal digits; control characters never reach the page as such. */
function text(base64) {
  if (base64 === null || base64 === '') return NONE;
  const raw = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0));
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(raw).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '�');
  } catch {
    return Array.from(raw.subarray(0, 4096), value => value.toString(16).padStart(2, '0')).join(' ');
  }
}

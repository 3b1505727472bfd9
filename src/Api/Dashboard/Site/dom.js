// Elements from data. Text is only ever text: nothing here, and nothing anywhere in the dashboard, turns a string into markup.

const SVG = 'http://www.w3.org/2000/svg';

/** el('a', {href: '#/'}, 'Text', otherElement); a null attribute is left out, on… adds a listener. */
export const el = (name, attributes, ...children) => filled(document.createElement(name), attributes, children);

export const svg = (name, attributes, ...children) => filled(document.createElementNS(SVG, name), attributes, children);

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

/** Puts new content into a place; what had the focus there, and what was open, stays so if the new content has an element of the same id. */
export function refill(place, ...children) {
  const focused = place.contains(document.activeElement) ? document.activeElement.id : '';
  const open = [...place.querySelectorAll('details[open]')].map(details => details.id);
  place.replaceChildren(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
  for (const id of open) document.getElementById(id)?.setAttribute('open', '');
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

/** A table with a caption and headers; the first cell of a row is its header. Cells are texts or elements; columns that begin with > hold numbers. */
export function table(caption, columns, rows) {
  const names = columns.map(column => column.replace(/^>/, ''));
  const number = columns.map(column => (column.startsWith('>') ? 'number' : null));
  return el('div', { class: 'table' }, el('table', {},
    el('caption', {}, caption),
    el('thead', {}, el('tr', {}, names.map((name, n) => el('th', { scope: 'col', class: number[n] }, name)))),
    el('tbody', {}, rows.map(cells => el('tr', {}, cells.map((cell, n) => n === 0
      ? el('th', { scope: 'row', class: number[n] }, cell)
      : el('td', { class: number[n], 'data-label': names[n] }, cell)))))));
}

/** Says something to screen readers, once. */
export function announce(text) {
  const news = document.getElementById('news');
  if (news.textContent !== text) news.textContent = text;
}

/** An error, said in its place. */
export const problem = error => el('p', { class: 'problem', role: 'alert' }, error.message);

/** Asks before something is done. */
export function confirmed(title, text, yes) {
  const dialog = document.getElementById('ask-dialog');
  document.getElementById('ask-title').textContent = title;
  document.getElementById('ask-text').textContent = text;
  document.getElementById('ask-yes').textContent = yes;
  dialog.returnValue = '';
  dialog.showModal();
  document.getElementById('ask-no').focus();
  return new Promise(done => dialog.addEventListener('close', () => done(dialog.returnValue === 'yes'), { once: true }));
}

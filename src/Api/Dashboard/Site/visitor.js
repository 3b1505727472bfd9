// The visitor of the shop: what was clicked in this tab, what titles items have, and what was asked lately.

import { get, post } from './api.js';

const stored = JSON.parse(sessionStorage.getItem('visitor') ?? '{}');

export const visitor = {
  /** Item ids, oldest first. */
  clicked: stored.clicked ?? [],
  /** Clicks are sent as events of this user; null: they stay in this tab. */
  user: stored.user ?? null,
  titles: new Map(stored.titles ?? []),
  /** Texts that were searched for, newest first. */
  asked: stored.asked ?? [],
};

export function keep() {
  const { clicked, user, titles, asked } = visitor;
  // Titles of what was clicked are enough: the rest comes with answers.
  sessionStorage.setItem('visitor', JSON.stringify({ clicked, user, asked, titles: clicked.map(id => [id, titles.get(id) ?? id]) }));
}

export const titleOf = id => visitor.titles.get(id) ?? id;

/** Remembers titles of an answer; gives its items. */
export function noted(answer) {
  for (const item of answer.items) visitor.titles.set(item.item_id, item.title);
  return answer.items;
}

export function remember(text) {
  visitor.asked = [text, ...visitor.asked.filter(other => other !== text)].slice(0, 6);
  keep();
}

/** Notes a click; sends it as an event if the visitor is a user. */
export async function click(id, signal) {
  if (visitor.clicked.includes(id)) return;
  visitor.clicked.push(id);
  if (visitor.clicked.length > 50) visitor.clicked.shift();
  keep();
  if (visitor.user) await send([id], signal);
}

export async function becomeUser(signal) {
  visitor.user = `visitor-${crypto.getRandomValues(new Uint32Array(1))[0].toString(16)}`;
  keep();
  if (visitor.clicked.length > 0) await send(visitor.clicked, signal);
}

const send = (ids, signal) => post('v1/events', ids.map(id => ({ user_id: visitor.user, item_id: id, type: 'click' })), signal);

export const recommend = signal => post('v1/recommendations', { ...(visitor.user ? { user_id: visitor.user } : { history: visitor.clicked }), k: 10, explain: visitor.clicked.length > 0 }, signal);

export const search = (text, signal) => post('v1/search', { text, k: 10 }, signal);

export const similar = (id, signal) => get(`v1/items/${encodeURIComponent(id)}/similar?k=10`, signal);

// Numbers and times in words.

import { el } from './dom.js';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const moment = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium' });

export const NONE = '—';

const known = value => typeof value === 'number' && Number.isFinite(value);

export const count = value => (known(value) ? whole.format(value) : NONE);

export const rate = value => (known(value) ? `${value >= 100 ? whole.format(value) : short.format(value)}/s` : NONE);

/** A measure between 0 and 1. */
export const measure = value => (known(value) ? value.toFixed(4) : NONE);

export const percent = value => (known(value) ? `${Math.round(value * 100)} %` : NONE);

export const milliseconds = value => (known(value) ? (value >= 1000 ? `${short.format(value / 1000)} s` : `${short.format(value)} ms`) : NONE);

export const seconds = value => (known(value) ? milliseconds(value * 1000) : NONE);

export function duration(value) {
  if (!known(value)) return NONE;
  if (value < 60) return `${whole.format(value)} s`;
  if (value < 3600) return `${Math.floor(value / 60)} min ${whole.format(value % 60)} s`;
  return `${Math.floor(value / 3600)} h ${Math.round(value % 3600 / 60)} min`;
}

/** Names of model versions stay on one line. */
export const version = value => el('span', { class: 'version' }, value ?? NONE);

export const time = value => (value ? moment.format(new Date(value)) : NONE);

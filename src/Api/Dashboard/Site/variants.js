// Policies side by side: who is served by which, and what came of it.

import { get } from './api.js';
import { el, refill, table, problem } from './dom.js';
import { every } from './live.js';
import { count, measure, percent, time, version, NONE } from './figures.js';

export const title = 'Variants';

export async function show(body, _, signal) {
  const said = el('div', {});
  const list = el('div', { class: 'card' });
  body.append(el('p', {}, 'Each user is served by one of these policies, always the same one. Click-through: items viewed or clicked of those shown. Recall@20: purchases of an item among the first 20 of the list that the user was shown last.'), said, list);

  async function look() {
    const answer = await get('v1/variants', signal);
    refill(said);
    refill(list, answer.variants.length === 0 ? el('p', {}, 'No variants are configured: everybody is served alike.') : filled(answer));
  }

  await look();
  every(5000, signal, () => look().catch(error => signal.aborted || refill(said, problem(error))));
}

const share = proportion => (proportion ? `${measure(proportion.value)} (${measure(proportion.low)} to ${measure(proportion.high)})` : NONE);

const overrides = ranking => Object.entries(ranking).map(([key, value]) => `${key} ${value}`).join(', ') || 'as configured for all';

function filled({ from, at, instance, variants }) {
  return [
    table(`Shown by ${instance} from ${time(from)} to ${time(at)}`, ['Variant', '>Share', 'Ranking', 'Model', '>Lists', '>Items shown', '>Clicked', '>Click-through', '>Purchases', '>Hits', '>Recall@20'],
      variants.map(one => [one.name, percent(one.share), overrides(one.ranking), version(one.version), count(one.lists), count(one.impressions), count(one.clicks), share(one.click_through), count(one.purchases), count(one.hits), share(one.recall)])),
    el('p', { class: 'quiet' }, 'In brackets: 95 % intervals (Wilson). Where those of two variants overlap, the numbers do not tell them apart. What one user does several times is not independent, so the truth may lie outside more often than that.'),
  ];
}

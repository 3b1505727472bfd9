// Curves, drawn by hand: lines that differ in dashes as well as in colour, and the same numbers as a table for whoever cannot see them.

import { el, svg, table } from './dom.js';

/**
 * series: [{name, points: [[x, y], …]}], at most four. x and y become words by the functions formatX and formatY.
 */
export function curves({ name, xName, formatX, formatY, series }) {
  const drawn = series.filter(one => one.points.length > 0);
  if (drawn.length === 0) return el('p', { class: 'quiet' }, `${name}: no numbers yet.`);
  const [width, height] = matchMedia('(max-width: 700px)').matches ? [340, 250] : [760, 260];
  const area = { left: 64, right: width - 14, top: 14, bottom: height - 44 };
  const all = drawn.flatMap(one => one.points);
  const x = scale(all.map(point => point[0]), area.left, area.right, false);
  const y = scale(all.map(point => point[1]), area.bottom, area.top, true);
  const says = drawn.map(one => `${one.name}: from ${formatY(one.points[0][1])} to ${formatY(one.points.at(-1)[1])}`).join('; ');
  const id = `curve-${name.replace(/\W+/g, '-')}`;
  const image = svg('svg', { class: 'curve', viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-labelledby': `${id}-name`, 'aria-describedby': `${id}-says` },
    svg('title', { id: `${id}-name` }, name), svg('desc', { id: `${id}-says` }, `${says}.`),
    y.ticks.map(tick => [svg('line', { class: 'grid', x1: area.left, x2: area.right, y1: y.at(tick), y2: y.at(tick) }), svg('text', { class: 'quiet', x: area.left - 8, y: y.at(tick) + 4, 'text-anchor': 'end' }, formatY(tick))]),
    svg('line', { class: 'axis', x1: area.left, x2: area.right, y1: area.bottom, y2: area.bottom }),
    x.ticks.map((end, n) => svg('text', { class: 'quiet', x: x.at(end), y: area.bottom + 18, 'text-anchor': x.ticks.length === 1 ? 'middle' : n === 0 ? 'start' : 'end' }, formatX(end))),
    svg('text', { class: 'quiet', x: (area.left + area.right) / 2, y: area.bottom + 36, 'text-anchor': 'middle' }, xName),
    drawn.map((one, n) => (one.points.length === 1
      ? svg('circle', { class: `of${n}`, cx: x.at(one.points[0][0]), cy: y.at(one.points[0][1]), r: 4, fill: 'none', 'stroke-width': 2.5 })
      : svg('polyline', { class: `of${n}`, points: one.points.map(point => `${x.at(point[0]).toFixed(1)},${y.at(point[1]).toFixed(1)}`).join(' ') }))));
  return el('figure', { class: 'chart' },
    el('figcaption', {}, el('strong', {}, name), el('ul', { class: 'keys' }, drawn.map((one, n) => el('li', {}, svg('svg', { class: 'curve', viewBox: '0 0 34 10', 'aria-hidden': 'true' }, svg('line', { class: `key of${n}`, x1: 0, x2: 34, y1: 5, y2: 5 })), one.name)))),
    image,
    el('details', { id: `${id}-numbers` }, el('summary', { id: `${id}-open` }, 'The numbers'), numbers(name, xName, formatX, formatY, drawn)));
}

function numbers(name, xName, formatX, formatY, series) {
  const steps = [...new Set(series.flatMap(one => one.points.map(point => point[0])))].sort((a, b) => a - b);
  const values = series.map(one => new Map(one.points));
  return table(name, [xName, ...series.map(one => `>${one.name}`)], steps.map(step => [formatX(step), ...values.map(of => (of.has(step) ? formatY(of.get(step)) : '—'))]));
}

function scale(values, from, to, ticked) {
  let min = Math.min(...values);
  let max = Math.max(...values);
  const ticks = ticked ? [] : [...new Set([min, max])];
  if (min === max) [min, max] = [min - (Math.abs(min) || 1) / 2, max + (Math.abs(max) || 1) / 2];
  if (ticked) {
    const step = stepFor((max - min) / 4);
    min = Math.floor(min / step) * step;
    max = Math.ceil(max / step) * step;
    for (let tick = min; tick <= max + step / 2; tick += step) ticks.push(tick);
  }
  return { min, max, ticks, at: value => from + (value - min) / (max - min) * (to - from) };
}

function stepFor(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].find(one => one * power >= rough) * power;
}

// The architecture as a picture: boxes for the stages, arrows for what flows. Made once, then only its texts change.

import { svg } from './dom.js';

const WIDE = { width: 1140, height: 372, box: [190, 132], narrow: false };
const NARROW = { width: 360, height: 1016, box: [310, 96], narrow: true };

// name, column and row of the wide form; in the narrow one they stand below each other.
const STAGES = [
  ['events', 'Events in', 0, 0], ['log', 'Event log', 1, 0], ['ingest', 'Ingest', 2, 0], ['windows', 'Window store', 3, 0], ['trainer', 'Trainer', 4, 0],
  ['models', 'Model store', 4, 1], ['indexer', 'Indexer', 2, 1], ['index', 'Vector index', 1, 1], ['answers', 'Answers out', 0, 1],
];
const ARROWS = [
  ['events', 'log'], ['log', 'ingest'], ['ingest', 'windows'], ['windows', 'trainer'], ['trainer', 'models'], ['models', 'indexer'], ['log', 'indexer'], ['indexer', 'index'], ['index', 'answers'],
];

/** The picture, and what tells it the numbers: {stage: {large, lines, busy, stuck}, …}, names of stages out of which something flows, and a sentence that says it all. */
export function picture(narrow) {
  const form = narrow ? NARROW : WIDE;
  const description = svg('desc', { id: 'picture-says' });
  const places = new Map(STAGES.map(([id, , column, row], n) => [id, place(form, n, column, row)]));
  const arrows = ARROWS.map(([from, to]) => [from, to, svg('path', { d: path(form, from, to, places), 'marker-end': 'url(#tip)' })]);
  const boxes = new Map(STAGES.map(([id, name]) => [id, box(form, name, places.get(id))]));
  const drawing = svg('svg', { class: `picture${narrow ? ' narrow' : ''}`, viewBox: `0 0 ${form.width} ${form.height}`, role: 'img', 'aria-labelledby': 'picture-name', 'aria-describedby': 'picture-says' },
    svg('title', { id: 'picture-name' }, 'The pipeline'), description,
    svg('defs', {}, svg('marker', { id: 'tip', viewBox: '0 0 10 10', refX: 9, refY: 5, markerWidth: 9, markerHeight: 9, markerUnits: 'userSpaceOnUse', orient: 'auto-start-reverse' }, svg('path', { d: 'M0 0 10 5 0 10z' }))),
    arrows.map(arrow => arrow[2]), [...boxes.values()].map(one => one.group));
  return {
    drawing,
    tell(stages, flowing, sentence) {
      description.textContent = sentence;
      for (const [id, one] of boxes) one.tell(stages[id]);
      for (const [from, to, line] of arrows) line.classList.toggle('flowing', flowing.has(`${from} ${to}`));
    },
  };
}

function place(form, n, column, row) {
  const [width, height] = form.box;
  return form.narrow ? { x: 2, y: 4 + n * 114, width, height } : { x: 2 + column * 236, y: 4 + row * 230, width, height };
}

function path(form, from, to, places) {
  const a = places.get(from);
  const b = places.get(to);
  if (form.narrow) {
    if (b.y - a.y < 120) return `M${a.x + a.width / 2} ${a.y + a.height}V${b.y - 1}`;
    return `M${a.x + a.width} ${a.y + a.height / 2}H${form.width - 8}V${b.y + b.height / 2}H${b.x + b.width + 1}`;
  }
  if (a.y === b.y) return a.x < b.x ? `M${a.x + a.width} ${a.y + a.height / 2}H${b.x - 1}` : `M${a.x} ${a.y + a.height / 2}H${b.x + b.width + 1}`;
  if (a.x === b.x) return `M${a.x + a.width / 2} ${a.y + a.height}V${b.y - 1}`;
  return `M${a.x + a.width / 2} ${a.y + a.height}V${(a.y + a.height + b.y) / 2}H${b.x + b.width / 2}V${b.y - 1}`;
}

function box(form, name, { x, y, width, height }) {
  const large = svg('text', form.narrow ? { x: x + width - 12, y: y + 26, class: 'large', 'text-anchor': 'end' } : { x: x + 12, y: y + 56, class: 'large' });
  const lines = [0, 1, 2].map(n => svg('text', { x: x + 12, y: y + (form.narrow ? 48 : 82) + n * 19, class: 'quiet' }));
  const group = svg('g', {}, svg('rect', { x, y, width, height, rx: 10 }), svg('text', { x: x + 12, y: y + 26, class: 'name' }, name), large, lines);
  return {
    group,
    tell(stage) {
      large.textContent = stage.large;
      lines.forEach((line, n) => { line.textContent = stage.lines[n] ?? ''; });
      group.classList.toggle('busy', stage.busy === true);
      group.classList.toggle('stuck', stage.stuck === true);
    },
  };
}

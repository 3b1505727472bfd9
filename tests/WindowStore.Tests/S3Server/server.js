// s3rver with what the store builds on and s3rver lacks: conditional writes, one after the other as S3 orders them. And with faults on demand.
// Arguments: folder for the objects. Prints the port; ends with its standard input.
'use strict';

const http = require('http');
const S3rver = require('s3rver');

const s3 = new S3rver({ directory: process.argv[2], silent: true, vhostBuckets: false, configureBuckets: [{ name: 'windows' }] });
const handle = s3.callback();

// Each {method, part, action}: the next request of that method whose path has that part gets the action once.
let faults = [];
let requests = [];
let writes = Promise.resolve();

const server = http.createServer((req, res) => {
  if (req.url === '/_faults') return control(req, res, body => { faults = JSON.parse(body); return ''; });
  if (req.url === '/_requests') return control(req, res, () => { const seen = requests; requests = []; return JSON.stringify(seen); });
  const forwarded = req.headers['x-forwarded-by-fault'] === 'true';
  const path = decodeURIComponent(req.url);
  if (!forwarded) requests.push(`${req.method} ${path}`);
  const at = forwarded ? -1 : faults.findIndex(f => f.method === req.method && path.includes(f.part));
  if (at >= 0) return fail(faults.splice(at, 1)[0].action, req, res);
  if (req.method === 'PUT' || req.method === 'DELETE') writes = writes.then(() => conditional(req, res)).catch(error => res.destroy(error));
  else conditional(req, res);
});

function control(req, res, answer) {
  let body = '';
  req.on('data', data => (body += data)).on('end', () => res.end(answer(body)));
}

function fail(action, req, res) {
  switch (action) {
    case 'cut': return req.once('data', () => req.socket.destroy()); // in the middle of the body
    case 'hang': return req.resume();
    case 'lost': return forward(req); // done, but nobody learns of it
    default: return refuse(req, res, Number(action), 'ServiceUnavailable');
  }
}

function forward(req) {
  const again = http.request({ port: server.address().port, method: req.method, path: req.url, headers: { ...req.headers, 'x-forwarded-by-fault': 'true' } });
  again.on('response', response => response.resume().on('end', () => req.socket.destroy()));
  req.pipe(again);
}

async function conditional(req, res) {
  const { 'if-match': match, 'if-none-match': noneMatch } = req.headers;
  if (match || (noneMatch && req.method === 'PUT')) {
    const [bucket, ...key] = decodeURIComponent(req.url.split('?')[0]).slice(1).split('/');
    const object = (await s3.store.existsObject(bucket, key.join('/'))) ? await s3.store.getObject(bucket, key.join('/')) : undefined;
    object?.content.destroy();
    if (match && !object) return refuse(req, res, 404, 'NoSuchKey');
    if ((match && object.metadata.etag !== match) || (noneMatch && object)) return refuse(req, res, 412, 'PreconditionFailed');
  }
  const done = new Promise(resolve => res.on('close', resolve));
  handle(req, res);
  return done;
}

function refuse(req, res, status, code) {
  req.resume().on('end', () => {
    res.writeHead(status, { 'content-type': 'application/xml' });
    res.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`);
  });
}

s3.configureBuckets().then(() => server.listen(0, '127.0.0.1', () => console.log(server.address().port)));
process.stdin.resume().on('end', () => process.exit());

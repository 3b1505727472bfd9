// s3rver with what the store builds on and s3rver lacks: conditional requests, and objects that are written whole. And with faults on demand.
// Arguments: folder for the objects, port (none or 0: any free one). Prints the port; ends with its standard input.
'use strict';

const crypto = require('crypto');
const fs = require('fs/promises');
const http = require('http');
const path = require('path');
const S3rver = require('s3rver');

const s3 = new S3rver({ directory: process.argv[2], silent: true, vhostBuckets: false });
const handle = s3.callback();

// s3rver answers before the object's file is complete.
s3.store.putObject = async ({ bucket, key, metadata, content }) => {
  const chunks = [];
  for await (const chunk of content) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  const file = s3.store.getResourcePath(bucket, key, 'object');
  const md5 = crypto.createHash('md5').update(bytes).digest('hex');
  await fs.mkdir(path.dirname(file), { recursive: true });
  await fs.writeFile(file, bytes);
  await s3.store.putMetadata(bucket, key, metadata, md5);
  return { size: bytes.length, md5 };
};

// The tokens of its listings are enciphered with DES, which today's OpenSSL does not have; three times over, it has.
for (const name of ['createCipheriv', 'createDecipheriv']) {
  const original = crypto[name];
  crypto[name] = (algorithm, key, iv) => (algorithm === 'des' ? original('des-ede3-cbc', Buffer.concat([key, key, key]), iv) : original(algorithm, key, iv));
}

// Each {method, part, action}: the next request of that method whose path has that part gets the action once.
let faults = [];
let requests = [];
// Writes to a bucket that still succeed; then all fail until this is set anew: as if the writer had died.
const writesLeft = {};
// One request after the other: an object and what is known of it are several files.
let queue = Promise.resolve();

const server = http.createServer((req, res) => {
  if (req.url === '/_faults') return control(req, res, body => { // those of other buckets stay: tests run at the same time
    const added = JSON.parse(body);
    faults = [...faults.filter(f => !added.some(one => bucketOf(one.part) === bucketOf(f.part))), ...added];
    return '';
  });
  if (req.url === '/_writes') return control(req, res, body => { Object.assign(writesLeft, JSON.parse(body)); return ''; });
  if (req.url === '/_die') return (queue = queue.then(() => process.kill(process.pid, 'SIGKILL')));
  if (req.url.startsWith('/_requests/')) return control(req, res, () => {
    const ofBucket = request => bucketOf(request) === bucketOf(req.url.slice('/_requests'.length));
    const seen = requests.filter(ofBucket);
    requests = requests.filter(request => !ofBucket(request));
    return JSON.stringify(seen);
  });
  const forwarded = req.headers['x-forwarded-by-fault'] === 'true';
  const url = decodeURIComponent(req.url);
  if (!forwarded) requests.push(`${req.method} ${url}`);
  const bucket = url.split('/')[1];
  if ((req.method === 'PUT' || req.method === 'DELETE') && bucket in writesLeft && writesLeft[bucket]-- <= 0) return refuse(req, res, 503, 'ServiceUnavailable');
  const at = forwarded ? -1 : faults.findIndex(f => f.method === req.method && url.includes(f.part));
  if (at >= 0) return fail(faults.splice(at, 1)[0].action, req, res);
  queue = queue.then(() => answer(req, res)).catch(error => res.destroy(error));
});

/** Of a path, or of a request such as `PUT /bucket/key`. */
function bucketOf(text) {
  return text.split('/')[1];
}

function control(req, res, reply) {
  let body = '';
  req.on('data', data => (body += data)).on('end', () => res.end(reply(body)));
}

function fail(action, req, res) {
  switch (action) {
    case 'cut': return req.once('data', () => req.socket.destroy()); // in the middle of the body
    case 'hang': return req.resume();
    case 'unconditional': // as a store does that does not know conditions
      delete req.headers['if-match'];
      delete req.headers['if-none-match'];
    // falls through
    case 'pass':
      queue = queue.then(() => answer(req, res)).catch(error => res.destroy(error));
      return;
    case 'lost': return forward(req); // done, but nobody learns of it
    default: return refuse(req, res, Number(action), 'ServiceUnavailable');
  }
}

function forward(req) {
  const again = http.request({ port: server.address().port, method: req.method, path: req.url, headers: { ...req.headers, 'x-forwarded-by-fault': 'true' } });
  again.on('response', response => response.resume().on('end', () => req.socket.destroy()));
  req.pipe(again);
}

async function answer(req, res) {
  const { 'if-match': match, 'if-none-match': noneMatch } = req.headers;
  if (match || (noneMatch && req.method === 'PUT')) {
    const [bucket, ...key] = decodeURIComponent(req.url.split('?')[0]).slice(1).split('/');
    const object = (await s3.store.existsObject(bucket, key.join('/'))) ? await s3.store.getObject(bucket, key.join('/')) : undefined;
    object?.content.destroy();
    if (match && !object) return refuse(req, res, 404, 'NoSuchKey');
    if ((match && object.metadata.etag !== match) || (noneMatch && object)) return refuse(req, res, 412, 'PreconditionFailed');
  }
  if (noneMatch && req.method === 'GET' && (await isCurrent(req, noneMatch))) { // s3rver would answer the same, and keep the file open
    res.writeHead(304, { etag: noneMatch });
    return res.end();
  }
  if (req.headers['x-amz-copy-source'] && !req.socket.destroyed) return copy(req, res);
  if (req.socket.destroyed) return undefined; // who asked has gone
  const done = new Promise(resolve => res.on('close', resolve));
  handle(req, res);
  return done;
}

// s3rver does not understand what the SDK sends here.
async function copy(req, res) {
  const [from, ...source] = decodeURIComponent(req.headers['x-amz-copy-source']).replace(/^\//, '').split('/');
  const [bucket, ...key] = decodeURIComponent(req.url.split('?')[0]).slice(1).split('/');
  if (!(await s3.store.existsObject(from, source.join('/')))) return refuse(req, res, 404, 'NoSuchKey');
  const { etag } = await s3.store.copyObject(from, source.join('/'), bucket, key.join('/'));
  res.writeHead(200, { 'content-type': 'application/xml' });
  return res.end(`<?xml version="1.0" encoding="UTF-8"?><CopyObjectResult><LastModified>${new Date().toISOString()}</LastModified><ETag>${etag}</ETag></CopyObjectResult>`);
}

async function isCurrent(req, etag) {
  const [bucket, ...key] = decodeURIComponent(req.url.split('?')[0]).slice(1).split('/');
  if (!(await s3.store.existsObject(bucket, key.join('/')))) return false;
  const object = await s3.store.getObject(bucket, key.join('/'));
  object.content.destroy();
  return object.metadata.etag === etag;
}

function refuse(req, res, status, code) {
  req.resume().on('end', () => {
    res.writeHead(status, { 'content-type': 'application/xml' });
    res.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`);
  });
}

server.listen(Number(process.argv[3] ?? 0), '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume().on('end', () => process.exit());

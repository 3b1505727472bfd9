// The public HTTP API, as any client uses it. Errors become sentences.

let key = sessionStorage.getItem('api-key');
let asking = null;
let declined = false;

/** A refusal or failure in words that can be shown. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export const get = (path, signal) => send('GET', path, undefined, signal);
export const post = (path, body, signal) => send('POST', path, body ?? {}, signal);
export const remove = (path, signal) => send('DELETE', path, undefined, signal);

async function send(method, path, body, signal) {
  for (;;) {
    const sentKey = key;
    const response = await answer(method, path, body, signal, sentKey);
    if (response.ok) return response.status === 204 ? null : response.json();
    if (response.status === 401 && key !== sentKey) continue; // somebody has given one meanwhile
    // Live numbers are asked for again and again: whoever said no is not.
    if (response.status === 401 && (method !== 'GET' || !declined) && await askForKey(sentKey ? 'The server does not know this key.' : 'The server wants an API key.')) continue;
    throw new ApiError(response.status, await sentence(response));
  }
}

async function answer(method, path, body, signal, sentKey) {
  const headers = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (sentKey) headers.authorization = `Bearer ${sentKey}`;
  try {
    return await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal, cache: 'no-store' });
  } catch (failure) {
    if (failure.name === 'AbortError') throw failure;
    throw new ApiError(0, 'The server does not answer. It may be stopped or starting; this page asks again by itself where it shows live numbers.');
  }
}

async function sentence(response) {
  const problem = await response.json().catch(() => ({}));
  const detail = problem.detail ?? problem.title;
  if (response.status === 401) return 'This needs an API key; give one with the button “API key” at the top.';
  if (response.status === 403) return `The API key may not do this. ${detail ?? ''}`.trim();
  if (response.status === 429) return `Too many requests; try again in ${response.headers.get('retry-after') ?? 'a few'} seconds.`;
  return detail ?? `The server answered with status ${response.status} and gave no reason.`;
}

/** Opens the dialog for the key; all who wait share one. True: there is a new key. */
export function askForKey(why) {
  asking ??= new Promise(done => {
    const dialog = document.getElementById('key-dialog');
    const value = document.getElementById('key-value');
    document.getElementById('key-why').textContent = `${why ?? ''} Requests carry this key. It stays in this browser tab and is forgotten when the tab is closed.`.trim();
    value.value = key ?? '';
    dialog.returnValue = '';
    dialog.showModal();
    value.focus();
    dialog.addEventListener('close', () => {
      const used = dialog.returnValue === 'use';
      declined = !used;
      if (used) {
        key = value.value.trim() || null;
        if (key) sessionStorage.setItem('api-key', key);
        else sessionStorage.removeItem('api-key');
      }
      value.value = '';
      asking = null;
      done(used);
    }, { once: true });
  });
  return asking;
}

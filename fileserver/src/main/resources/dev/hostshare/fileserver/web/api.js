// What the page asks of `hostshare settings`. Answers are the messages of settings_service.proto and admin_service.proto.

const KEY = 'hostshare-key';

// The link's redirect hands the key over behind the #, which no server sees. Kept by origin, port included.
if (location.hash.startsWith('#key=')) {
  localStorage.setItem(KEY, location.hash.slice('#key='.length));
  history.replaceState(null, '', '/');
}

/** status: 0 if nobody answers. The message is fit to be shown. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function send(method, path, options = {}) {
  // Another tab may have got a newer key.
  const headers = {'X-Hostshare-Key': localStorage.getItem(KEY) ?? '', ...options.headers};
  let reply;
  try {
    reply = await fetch(path, {...options, method, headers, cache: 'no-store', redirect: 'error'});
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    throw new Refused(0, '`hostshare settings` does not answer: it was ended, or is being ended');
  }
  if (!reply.ok) {
    const said = await reply.json().catch(() => ({}));
    throw new Refused(reply.status, said.error ?? `refused (${reply.status})`);
  }
  return reply;
}

export async function ask(method, path, message) {
  const options = message === undefined
    ? {}
    : {headers: {'Content-Type': 'application/json'}, body: JSON.stringify(message)};
  return (await send(method, path, options)).json();
}

/** Calls show with each {running, settings} until the stream ends; throws Refused. */
export async function follow(show) {
  const reply = await send('GET', '/api/events');
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const {done, value} = await reader.read().catch(() => ({done: true}));
    if (done) return;
    text += value;
    const events = text.split('\n\n');
    text = events.pop();
    for (const event of events) {
      if (event.startsWith('data: ')) show(JSON.parse(event.slice('data: '.length)));
    }
  }
}

// Who uses the shares, and how much: asked once a second while somebody can see it.
import {ask} from '/api.js';
import {byId, element} from '/dom.js';

const EVERY_MILLIS = 1000;
/** A minute of them is shown. */
const SAMPLES = 60;
const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 120;
const HEIGHT = 28;

const number = new Intl.NumberFormat('en', {maximumFractionDigits: 0});
const rate = (n) => (n >= 100 || n === 0 ? number.format(n) : n.toFixed(1));
const mib = (bytes) => `${rate(bytes / 2 ** 20)} MiB/s`;

const count = (n, what) => `${number.format(n)} ${what}${n === 1 ? '' : 's'}`;

function size(bytes) {
  if (bytes < 2 ** 20) return `${number.format(bytes / 1024)} KiB`;
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function span(millis) {
  const minutes = Math.floor(millis / 60000);
  if (minutes < 1) return 'less than a minute';
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor(minutes / 60) % 24} h`;
}

/** The last minute of a rate. To a screen reader the figure beside it says enough. */
class Sparkline {
  constructor() {
    this.samples = [];
    this.line = document.createElementNS(SVG, 'polyline');
    this.area = document.createElementNS(SVG, 'polygon');
    this.element = document.createElementNS(SVG, 'svg');
    this.element.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
    this.element.setAttribute('preserveAspectRatio', 'none');
    this.element.setAttribute('aria-hidden', 'true');
    this.element.setAttribute('class', 'spark');
    this.element.append(this.area, this.line);
  }

  add(value) {
    this.samples.push(value);
    if (this.samples.length > SAMPLES) this.samples.shift();
    const top = Math.max(1, ...this.samples);
    const first = SAMPLES - this.samples.length;
    const points = this.samples.map((v, i) =>
      `${(((first + i) * WIDTH) / (SAMPLES - 1)).toFixed(1)},${(HEIGHT - 2 - (v / top) * (HEIGHT - 4)).toFixed(1)}`);
    this.line.setAttribute('points', points.join(' '));
    const left = ((first * WIDTH) / (SAMPLES - 1)).toFixed(1);
    this.area.setAttribute('points', `${left},${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}`);
  }
}

function figure(label) {
  const value = element('span', {class: 'value'});
  const spark = new Sparkline();
  return {value, spark, element: element('div', {class: 'figure'}, element('span', {class: 'label', text: label}), value, spark.element)};
}

class Guest {
  constructor() {
    this.name = element('h3');
    this.peer = element('span', {class: 'fine'});
    this.mounts = element('ul', {class: 'mounts', 'aria-label': 'Mounts'});
    this.requests = figure('Requests');
    this.read = figure('Read');
    this.written = figure('Written');
    this.held = element('p', {class: 'fine'});
    this.element = element('li', {class: 'card guest'},
      element('div', {class: 'who'}, this.name, this.peer),
      this.mounts,
      element('div', {class: 'figures'}, this.requests.element, this.read.element, this.written.element),
      this.held);
  }

  show(s) {
    // "NAME PROGRAM VERSION", as agents say it
    const [name, ...program] = s.client.split(' ');
    this.name.textContent = name || 'Guest';
    this.peer.textContent = [...program, ...(program.length ? ['·'] : []), s.peer === '' ? 'not connected' : s.peer].join(' ');
    const mounts = s.mounts.join('\n');
    if (mounts !== this.shown) {
      this.shown = mounts;
      this.mounts.replaceChildren(...s.mounts.map((text) => element('li', {text})));
      if (s.mounts.length === 0) this.mounts.append(element('li', {class: 'none', text: 'No mounts'}));
    }
    this.requests.value.textContent = `${rate(s.requestsPerSecond)} /s`;
    this.requests.spark.add(s.requestsPerSecond);
    this.read.value.textContent = mib(s.readBytesPerSecond);
    this.read.spark.add(s.readBytesPerSecond);
    this.written.value.textContent = mib(s.writtenBytesPerSecond);
    this.written.spark.add(s.writtenBytesPerSecond);
    this.held.textContent = [count(s.handles, 'open handle'), count(s.nodes, 'known file'), count(s.requests, 'request')].join(', ');
  }
}

let guests = new Map();

/** A guest has a session for itself and one for each mount; what it does is the sum. */
function together(sessions) {
  const sum = (field) => sessions.reduce((n, s) => n + Number(s[field]), 0);
  return {
    client: sessions[0].client,
    peer: [...new Set(sessions.map((s) => s.peer).filter((peer) => peer !== ''))].join(', '),
    mounts: [...new Set(sessions.flatMap((s) => s.mounts))].sort(),
    handles: sum('handles'),
    nodes: sum('nodes'),
    requests: sum('requests'),
    requestsPerSecond: sum('requestsPerSecond'),
    readBytesPerSecond: sum('readBytesPerSecond'),
    writtenBytesPerSecond: sum('writtenBytesPerSecond'),
  };
}

function showGuests(sessions, why) {
  const next = new Map();
  for (const [name, its] of Map.groupBy(sessions, (s) => s.client)) {
    const guest = guests.get(name) ?? new Guest();
    guest.show(together(its));
    next.set(name, guest);
    if (!guest.element.isConnected) byId('guests').append(guest.element);
  }
  for (const [name, guest] of guests) {
    if (!next.has(name)) guest.element.remove();
  }
  guests = next;
  byId('guests').hidden = next.size === 0;
  byId('no-guests').hidden = next.size !== 0;
  byId('no-guests').firstElementChild.textContent = why;
}

function showFacts(facts) {
  const list = byId('facts');
  list.hidden = facts.length === 0;
  const values = [...list.querySelectorAll('dd')];
  if (values.length !== facts.length) {
    list.replaceChildren(...facts.map(([name]) => element('div', {}, element('dt', {text: name}), element('dd'))));
  }
  list.querySelectorAll('dd').forEach((value, i) => {
    if (value.textContent !== facts[i][1]) value.textContent = facts[i][1];
  });
}

function show({running, status}) {
  byId('server-title').parentElement.parentElement.hidden = !running;
  if (!running) {
    showGuests([], 'No server runs, so no guest is connected.');
    return;
  }
  showGuests(status.sessions, 'No guest is connected. In a guest, hostshare-agent run mounts what is shared.');
  showFacts([
    ['Watches', status.watchesWork
      ? `${number.format(Number(status.watchedDirectories))} directories of ${number.format(Number(status.maxWatches))} at the most`
      : 'None: guests see changes on this machine within a second'],
    ['Overlay', `${number.format(Number(status.overlayRecords))} records, ${size(Number(status.overlayBytes))}`],
    ['Cache', `${number.format(status.cachedDescriptors)} open directories`],
    ['Listens at', status.listen.join('\n')],
    ['Server', `hostshare ${status.version}, process ${status.pid}, up ${span(Number(status.uptimeMillis))}`],
  ]);
}

let timer;

async function poll() {
  clearTimeout(timer);
  if (document.hidden) return;
  try {
    show(await ask('GET', '/api/status'));
  } catch (e) {
    showGuests([], e.message);
  }
  clearTimeout(timer);
  timer = setTimeout(poll, EVERY_MILLIS);
}

/** Looks at once, and again every second while the page is seen. */
export function watchGuests() {
  document.addEventListener('visibilitychange', poll);
  poll();
}

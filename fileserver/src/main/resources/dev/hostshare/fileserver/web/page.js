// The settings page: what comes from the server's stream is shown, what the user does is asked for.
import {ask, follow} from '/api.js';
import {byId, element, fail} from '/dom.js';
import {openAdd} from '/add.js';
import {watchGuests} from '/guests.js';
import {showShares} from '/shares.js';

const RETRY_MILLIS = 1000;
/** As the server takes it. */
const MAX_IMPORT = 2 ** 20;

let settings = null;

/** Whole sentences on what concerns the whole list: {text, bad, more}. */
function banners({running, settings: {problem, fixed, file, administration}}) {
  const all = [];
  if (administration.problem !== '') {
    all.push({bad: true, text: `The administrator's settings cannot be read: ${administration.problem}.`, more: 'Nothing can be changed until they can.'});
  }
  if (problem !== '') {
    all.push({bad: true, text: `${problem}.`, more: 'The list below is the last good one, and stays in force.'});
  }
  if (fixed) {
    all.push({text: 'The server was started with --share: its list is that of its command line.', more: `Start it without --share to use ${file}.`});
  } else if (administration.listLocked) {
    all.push({text: 'The administrator of this machine has locked this list.', more: `It is laid down in ${administration.file}.`});
  } else if (administration.restricted) {
    all.push({
      text: administration.allowed.length === 0
        ? 'The administrator of this machine allows no folder to be shared.'
        : `The administrator of this machine allows only ${administration.allowed.join(', ')} and the folders in there.`,
      more: `This is laid down in ${administration.file}.`,
    });
  }
  if (!running) {
    all.push({text: 'No server runs.', more: 'What you change here is in force as soon as one is started with hostshare serve.'});
  }
  return all;
}

function showBanners(all) {
  const said = JSON.stringify(all);
  const box = byId('banners');
  if (box.dataset.said === said) return; // or it would be read out again
  box.dataset.said = said;
  box.replaceChildren(...all.map(({text, more, bad}) => element('div', {class: bad ? 'banner bad' : 'banner', role: bad ? 'alert' : 'status'},
    element('strong', {text}), ' ', more)));
}

/** Why nothing of the list can be changed; empty if it can. */
function wholeLock({fixed, administration}) {
  if (fixed) return 'The list is that of the server\'s command line.';
  if (administration.listLocked) return `The administrator has locked this list (${administration.file}).`;
  return '';
}

function show(view) {
  ({settings} = view);
  const whole = wholeLock(settings);
  showBanners(banners(view));
  showShares(settings.shares, whole);
  for (const id of ['add', 'import']) {
    byId(id).disabled = whole !== '';
    byId(id).title = whole;
  }
  byId('file').textContent = settings.fixed ? '' : `Kept in ${settings.file}`;
  byId('server').textContent = view.running ? 'Server running' : 'No server';
  byId('server').dataset.running = view.running;
  document.querySelector('main').setAttribute('aria-busy', 'false');
}

function lost(e) {
  const gone = e.status === 0 || e.status >= 500;
  showBanners([{bad: true, text: gone ? 'The page has lost hostshare settings.' : e.message,
    more: gone ? 'If it was ended, run it again, and open the link that it prints.' : ''}]);
  byId('server').textContent = 'Not connected';
  byId('server').dataset.running = false;
  for (const control of document.querySelectorAll('main button, main input, main select')) control.disabled = true;
}

async function stayConnected() {
  for (;;) {
    try {
      await follow(show);
    } catch (e) {
      lost(e);
      if (e.status === 403) return; // no retry makes a link fresh
    }
    await new Promise((done) => setTimeout(done, RETRY_MILLIS));
  }
}

async function importFile(file) {
  if (file.size > MAX_IMPORT) {
    fail(new Error(`${file.name} has more than 1 MiB: it is no settings file`));
    return;
  }
  try {
    const {added, skipped} = await ask('POST', '/api/import', {json: await file.text()});
    const lines = [...added.map((path) => element('li', {class: 'good', text: `${path} is shared now`})),
      ...skipped.map((text) => element('li', {class: 'skipped', text}))];
    byId('imported-title').textContent = `Imported from ${file.name}`;
    byId('imported-list').replaceChildren(...(lines.length ? lines : [element('li', {text: 'It shares no folder.'})]));
    byId('imported').showModal();
  } catch (e) {
    fail(e);
  }
}

byId('add').addEventListener('click', () => openAdd(settings.initial, settings.administration.file));
byId('import').addEventListener('click', () => byId('import-file').click());
byId('import-file').addEventListener('change', (e) => {
  const [file] = e.target.files;
  if (file) importFile(file);
  e.target.value = '';
});
stayConnected();
watchGuests();

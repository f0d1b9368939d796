// The dialog that adds a share: a path that completes itself, and the folders that there are.
import {ask} from '/api.js';
import {byId, element} from '/dom.js';
import {focusWhenThere, isListed, parseIds} from '/shares.js';

const dialog = byId('add-dialog');
const path = byId('add-path');
const list = byId('folders');
const verdict = byId('verdict');
const ok = byId('add-ok');
const owner = byId('add-owner');
const ids = byId('add-ids');

/** Typing is not answered letter by letter. */
const PAUSE_MILLIS = 120;

let timer;
let asked = 0; // which question the page waits for: an older one's answer is of no use
let active = -1;
let parent = '';

const browse = (folder) => ask('GET', `/api/folders?path=${encodeURIComponent(folder)}`);

/** As it is on the list: without a slash at the end. */
const chosen = () => path.value.trim().replace(/(?<=.)\/+$/, '');

function split() {
  const text = path.value.trim();
  const slash = text.lastIndexOf('/');
  return slash < 0 ? {folder: '', begin: text} : {folder: text.slice(0, slash) || '/', begin: text.slice(slash + 1)};
}

async function look() {
  const mine = ++asked;
  const {folder, begin} = split();
  const wanted = chosen();
  const [seen, itself] = await Promise.allSettled(
    [browse(folder), begin === '' || wanted === '' ? null : browse(wanted)]);
  if (mine !== asked) return;
  showFolders(seen, folder, begin);
  judge(wanted, begin === '' ? seen : itself);
}

function showFolders(seen, folder, begin) {
  active = -1;
  path.removeAttribute('aria-activedescendant');
  list.replaceChildren();
  if (seen.status === 'rejected') {
    parent = '';
    byId('add-up').disabled = true;
    return;
  }
  const {folders, more} = seen.value;
  parent = seen.value.parent;
  byId('add-up').disabled = seen.value.path === '';
  const names = folders
    .map((full) => ({full, name: folder === '' ? full : full.slice(full.lastIndexOf('/') + 1)}))
    .filter(({name}) => name.toLowerCase().startsWith(begin.toLowerCase()))
    .filter(({name}) => folder === '' || begin.startsWith('.') || !name.startsWith('.'));
  names.forEach(({full, name}, i) => list.append(element('li', {role: 'option', id: `folder-${i}`, 'aria-selected': 'false',
    'data-path': full, text: name, onclick: () => open(full)})));
  if (names.length === 0) list.append(element('li', {class: 'none', role: 'presentation', text: 'No folders here'}));
  if (more) list.append(element('li', {class: 'none', role: 'presentation', text: 'and more: type how the name begins'}));
  list.scrollTop = 0;
}

function judge(wanted, answer) {
  let reason = '';
  if (wanted === '') reason = 'Choose a folder.';
  else if (isListed(wanted)) reason = `${wanted} is on the list already.`;
  else if (answer.status === 'rejected') reason = answer.reason.message;
  else reason = answer.value.refusal;
  ok.disabled = reason !== '';
  verdict.className = wanted === '' ? '' : reason === '' ? 'good' : 'bad';
  verdict.textContent = reason || `${wanted} can be shared.`;
}

function lookSoon() {
  ok.disabled = true;
  asked++;
  clearTimeout(timer);
  timer = setTimeout(look, PAUSE_MILLIS);
}

function open(folder) {
  path.value = folder.endsWith('/') ? folder : `${folder}/`;
  path.focus();
  clearTimeout(timer);
  look();
}

function up() {
  const {folder, begin} = split();
  if (begin !== '' || parent === '') {
    path.value = begin !== '' && folder !== '/' ? `${folder}/` : begin !== '' ? '/' : '';
    path.focus();
    look();
  } else {
    open(parent);
  }
}

function activate(next) {
  const options = list.querySelectorAll('[role=option]');
  if (options.length === 0) return;
  options[active]?.setAttribute('aria-selected', 'false');
  active = (next + options.length) % options.length;
  const option = options[active];
  option.setAttribute('aria-selected', 'true');
  option.scrollIntoView({block: 'nearest'});
  path.setAttribute('aria-activedescendant', option.id);
}

function key(e) {
  if (e.key === 'ArrowDown') activate(active + 1);
  else if (e.key === 'ArrowUp' && e.altKey) up();
  else if (e.key === 'ArrowUp') activate(active < 0 ? -1 : active - 1);
  else if (e.key === 'Enter' && active >= 0) open(list.querySelectorAll('[role=option]')[active].dataset.path);
  else return;
  e.preventDefault();
}

async function submit(e) {
  e.preventDefault();
  if (ok.disabled) return;
  const fixed = owner.value === 'FIXED';
  const numbers = fixed ? parseIds(ids.value) : {};
  if (!numbers) {
    byId('add-error').textContent = 'UID:GID are two numbers from 0 to 4294967294, as in 1000:1000';
    ids.focus();
    return;
  }
  const share = {path: chosen(), access: byId('add-access').value, owner: owner.value, note: byId('add-note').value, ...numbers};
  ok.disabled = true;
  try {
    await ask('POST', '/api/shares', share);
    dialog.close();
    focusWhenThere(share.path);
  } catch (refused) {
    byId('add-error').textContent = refused.message;
    ok.disabled = false;
  }
}

function showIds() {
  byId('add-ids-field').hidden = owner.value !== 'FIXED';
}

/** initial: what a new share begins with, and what of it the administrator has locked, by which file. */
export function openAdd(initial, file) {
  byId('add-access').value = initial.access;
  byId('add-access').disabled = initial.accessLocked;
  owner.value = initial.owner;
  ids.value = initial.owner === 'FIXED' ? `${initial.uid}:${initial.gid}` : '';
  owner.disabled = ids.disabled = initial.ownerLocked;
  const locked = [initial.accessLocked && 'access', initial.ownerLocked && 'owner'].filter(Boolean).join(' and ');
  byId('add-locked').hidden = locked === '';
  byId('add-locked').textContent = `The administrator has locked ${locked} (${file}).`;
  showIds();
  byId('add-note').value = '';
  byId('add-error').textContent = '';
  path.value = '';
  dialog.showModal();
  path.focus();
  look();
}

path.addEventListener('input', lookSoon);
path.addEventListener('keydown', key);
byId('add-up').addEventListener('click', up);
byId('add-cancel').addEventListener('click', () => dialog.close());
owner.addEventListener('change', showIds);
dialog.querySelector('form').addEventListener('submit', submit);

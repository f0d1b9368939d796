// The list of shares: a row for each, which stays itself while what it shows changes, so that nobody loses the focus.
import {ask} from '/api.js';
import {byId, element, fail, say, toast} from '/dom.js';

const OWNERS = [['HOST', 'Host’s owner'], ['CALLER', 'Whoever asks'], ['FIXED', 'UID and GID']];
const ACCESSES = [['READ_WRITE', 'Read and write'], ['READ_ONLY', 'Read only']];
const STATES = {DISABLED: 'Off', UNAVAILABLE: 'Not shared', DENIED: 'Not allowed'};

/** uid and gid of a text such as 1000:1000; null if it is none. */
export function parseIds(text) {
  const parts = /^\s*(\d{1,10})\s*:\s*(\d{1,10})\s*$/.exec(text);
  const ids = parts && {uid: Number(parts[1]), gid: Number(parts[2])};
  return ids && ids.uid <= 4294967294 && ids.gid <= 4294967294 ? ids : null;
}

const WRONG_IDS = 'UID:GID are two numbers from 0 to 4294967294, as in 1000:1000';

function select(options, label) {
  const made = element('select', {'aria-label': label});
  for (const [value, text] of options) made.append(element('option', {value, text}));
  return made;
}

let numbers = 0;

class Row {
  constructor(share) {
    this.path = share.path;
    const id = `share-${++numbers}`;
    this.enabled = element('input', {type: 'checkbox', role: 'switch', 'aria-label': `Share ${this.path}`,
      onchange: () => this.change({disabled: !this.enabled.checked})});
    this.badge = element('span', {class: 'badge'});
    this.note = element('input', {type: 'text', class: 'note', maxlength: 1000, placeholder: 'Add a note',
      autocomplete: 'off', 'aria-label': `Note on ${this.path}`,
      onchange: () => this.change({note: this.note.value}),
      onkeydown: (e) => this.noteKey(e)});
    this.reason = element('p', {class: 'reason', id: `${id}-reason`});
    this.access = select(ACCESSES, `Access to ${this.path}`);
    this.access.addEventListener('change', () => this.change({access: this.access.value}));
    this.owner = select(OWNERS, `Owner of files in ${this.path}`);
    this.owner.addEventListener('change', () => this.chooseOwner());
    this.ids = element('input', {type: 'text', class: 'ids', placeholder: 'UID:GID', autocomplete: 'off',
      inputmode: 'numeric', 'aria-label': `UID:GID of files in ${this.path}`,
      onchange: () => this.chooseIds(),
      onkeydown: (e) => this.idsKey(e)});
    this.lock = element('p', {class: 'locked', id: `${id}-lock`});
    this.remove = element('button', {type: 'button', class: 'remove', 'aria-label': `Remove ${this.path}`,
      title: 'Remove from the list', text: '×', onclick: () => this.takeAway()});
    this.element = element('li', {class: 'share', 'aria-label': this.path},
      this.enabled,
      element('div', {class: 'what'},
        element('p', {class: 'name'}, element('span', {text: this.path}), this.badge),
        this.note, this.reason),
      element('div', {class: 'how'},
        element('span', {class: 'select'}, this.access),
        element('span', {class: 'select'}, this.owner),
        this.ids, this.lock),
      this.remove);
    for (const control of [this.enabled, this.access, this.owner, this.note, this.ids, this.remove]) {
      control.setAttribute('aria-describedby', `${id}-reason ${id}-lock`);
    }
  }

  /** whole: why nothing can be changed; empty if it can. */
  show(share, whole) {
    this.share = share;
    this.whole = whole;
    this.enabled.checked = !share.disabled;
    this.badge.textContent = STATES[share.state] ?? '';
    this.element.dataset.state = share.state;
    this.reason.textContent = share.reason;
    this.access.value = share.access;
    if (document.activeElement !== this.note) this.note.value = share.note;
    if (document.activeElement !== this.ids) {
      this.owner.value = share.owner;
      this.ids.value = share.owner === 'FIXED' ? `${share.uid}:${share.gid}` : '';
      this.ids.hidden = share.owner !== 'FIXED';
    }
    const locked = [share.accessLocked && 'access', share.ownerLocked && 'owner'].filter(Boolean).join(' and ');
    this.lock.textContent = whole === '' && locked ? `The administrator has locked ${locked}.` : '';
    this.access.disabled = whole !== '' || share.accessLocked;
    this.owner.disabled = this.ids.disabled = whole !== '' || share.ownerLocked;
    this.enabled.disabled = this.note.disabled = this.remove.disabled = whole !== '';
    // The reason for what concerns every row is said once above, and to a screen reader at each.
    this.element.toggleAttribute('data-locked', whole !== '');
    if (whole !== '') this.lock.replaceChildren(element('span', {class: 'unseen', text: whole}));
  }

  async change(attributes) {
    try {
      await ask('PUT', '/api/shares', {path: this.path, ...attributes});
      say(`${this.path} is changed`);
    } catch (e) {
      fail(e);
      this.show(this.share, this.whole);
      this.note.value = this.share.note;
    }
  }

  chooseOwner() {
    if (this.owner.value !== 'FIXED') {
      this.ids.hidden = true;
      this.change({owner: this.owner.value});
      return;
    }
    this.ids.hidden = false;
    this.ids.focus();
  }

  chooseIds() {
    const ids = parseIds(this.ids.value);
    if (ids) this.change({owner: 'FIXED', ...ids});
    else {
      this.ids.blur();
      this.show(this.share, this.whole);
      toast(WRONG_IDS, {error: true});
    }
  }

  noteKey(e) {
    if (e.key === 'Escape') {
      this.note.value = this.share.note;
      this.note.blur();
    }
  }

  idsKey(e) {
    if (e.key === 'Escape') {
      this.ids.value = '';
      this.owner.focus();
      this.show(this.share, this.whole);
    }
  }

  async takeAway() {
    const {path} = this;
    const place = [...rows.values()].indexOf(this);
    try {
      await ask('DELETE', '/api/shares', {path});
    } catch (e) {
      fail(e);
      return;
    }
    const box = toast(`${path} is off the list.`, {action: {label: 'Undo', run: () => restore(path)}});
    // The button that had the focus is gone.
    (box.querySelector('button') ?? [...rows.values()][place]?.remove ?? byId('add')).focus();
  }
}

async function restore(path) {
  byId('add').focus(); // until the row is there; the toast is gone
  focusNext = path;
  try {
    await ask('POST', '/api/shares/restore', {path});
    say(`${path} is back`);
  } catch (e) {
    focusNext = null;
    fail(e);
  }
}

/** In the order of the page. */
let rows = new Map();
let focusNext = null;

function focusRow() {
  const row = rows.get(focusNext);
  if (row) {
    row.remove.focus();
    focusNext = null;
  }
}

/** When the list has it, this share's row gets the focus. */
export function focusWhenThere(path) {
  focusNext = path;
  focusRow();
}

export function isListed(path) {
  return rows.has(path);
}

export function showShares(shares, whole) {
  const list = byId('shares');
  const next = new Map();
  for (const share of shares) next.set(share.path, rows.get(share.path) ?? new Row(share));
  for (const [path, row] of rows) {
    if (!next.has(path)) row.element.remove();
  }
  shares.forEach((share, i) => {
    const row = next.get(share.path);
    row.show(share, whole);
    if (list.children[i] !== row.element) list.insertBefore(row.element, list.children[i] ?? null);
  });
  if (rows.size && rows.size !== next.size) {
    say(next.size === 1 ? '1 folder is on the list' : `${next.size} folders are on the list`);
  }
  rows = next;
  list.hidden = rows.size === 0;
  byId('nothing').hidden = rows.size !== 0;
  focusRow();
}

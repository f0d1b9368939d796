// Elements, and what the page says. Text goes in as text, never as HTML: a folder's name is anything.

export const byId = (id) => document.getElementById(id);

/** attributes: names and values; `text` is its text, on* its handlers, null leaves one out. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null) continue;
    if (key === 'text') made.textContent = value;
    else if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** To screen readers. */
export function say(text) {
  byId('said').textContent = text;
}

/** seconds: it stays longer while it has the pointer or the focus. action: {label, run}. */
export function toast(text, {error = false, action = null, seconds = 10} = {}) {
  const box = element('div', {class: error ? 'toast bad' : 'toast', role: error ? 'alert' : 'status'});
  let timer;
  const close = () => {
    clearTimeout(timer);
    box.remove();
  };
  const start = () => {
    clearTimeout(timer);
    timer = setTimeout(close, seconds * 1000);
  };
  const stay = () => clearTimeout(timer);
  box.addEventListener('pointerenter', stay);
  box.addEventListener('pointerleave', start);
  box.addEventListener('focusin', stay);
  box.addEventListener('focusout', start);
  box.addEventListener('keydown', (e) => {
    if (e.key === 'Escape') close();
  });
  byId('toasts').append(box); // before its text: that is what makes it be read out
  box.append(element('span', {text}));
  if (action) {
    box.append(element('button', {type: 'button', text: action.label, onclick: () => {
      close();
      action.run();
    }}));
  }
  box.append(element('button', {type: 'button', class: 'close', 'aria-label': 'Dismiss', text: '×', onclick: close}));
  start();
  return box;
}

export function fail(e) {
  toast(e.message, {error: true});
}

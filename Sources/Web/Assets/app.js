// Entry of the console's scripts: keyboard shortcuts, menus, dialogs, preferences. Heavier modules load only where a
// page needs them.
// Without this file every page still works: links, forms and details elements carry all of it.

import { csrfToken, t, toast } from './core.js';
import { startForms } from './forms.js';
import { startTables } from './table.js';

const root = document.documentElement;

const parts = [
  ['.search[data-suggest]', './search.js'],
  ['[data-poll]', './progress.js'],
  ['[data-chart]', './charts.js'],
  ['[data-map]', './map.js'],
];

for (const [selector, path] of parts) {
  const found = document.querySelectorAll(selector);
  if (found.length > 0) {
    import(path).then((module) => module.start(found)).catch((error) => console.error(path, error));
  }
}

/** True where a key press belongs to the element and not to us. */
const FIELDS = 'input:not([type="checkbox"]):not([type="radio"]), textarea, select, [contenteditable]';
function isTyping(target) {
  return target instanceof Element && target.closest(FIELDS) !== null;
}

/** Single keys are ours: not switched off by the user, not in a field, not over a dialog. */
function keysAreOurs(event) {
  if (event.defaultPrevented || event.isComposing || event.keyCode === 229) return false;
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  if (document.body.dataset.shortcuts === 'off' || isTyping(event.target)) return false;
  return document.querySelector('dialog[open]') === null;
}

let goUntil = 0;

function shortcut(event) {
  if (event.key === 'Escape' && !event.defaultPrevented && !event.isComposing) {
    escape(event);
    return;
  }
  if (!keysAreOurs(event)) return;
  const key = event.key;
  if (performance.now() < goUntil) {
    goUntil = 0;
    const link = document.querySelector(`.rail [data-go="${CSS.escape(key)}"]`);
    if (link !== null) {
      event.preventDefault();
      link.click();
    }
    return;
  }
  // Full-width forms: what a Chinese keyboard layout sends for the same keys.
  if (key === '/' || key === '／' || key === '、') {
    const field = document.querySelector('.search input[type="search"]');
    if (field === null) return;
    event.preventDefault();
    field.focus();
    field.select();
  } else if (key === '?' || key === '？') {
    event.preventDefault();
    openDialog('shortcuts');
  } else if (key === 'g') {
    goUntil = performance.now() + 1200;
  } else if (key.length === 1) {
    const claimed = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (claimed !== null) {
      event.preventDefault();
      claimed.click();
    }
  }
}

function escape(event) {
  // A dialog closes by itself; preventing the default would hold it open.
  if (document.querySelector('dialog[open]')) return;
  const menu = document.querySelector('details.menu[open]');
  if (menu !== null) {
    menu.open = false;
    menu.querySelector('summary').focus();
    event.preventDefault();
  } else if (isTyping(event.target)) {
    event.target.blur();
  }
}

function openDialog(id) {
  const dialog = document.getElementById(id);
  if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal();
}

function click(event) {
  const target = event.target;
  if (!(target instanceof Element)) return;
  for (const menu of document.querySelectorAll('details.menu[open]')) {
    if (!menu.contains(target)) menu.open = false;
  }
  const opener = target.closest('[data-dialog]');
  if (opener !== null) openDialog(opener.dataset.dialog);
  if (target.closest('[data-close]') !== null) target.closest('dialog')?.close();
  // A click on the backdrop hits the dialog element itself; a dialog with a form stays, so that nothing typed is lost.
  if (target instanceof HTMLDialogElement && target.querySelector('form') === null) {
    const box = target.getBoundingClientRect();
    const across = event.clientX >= box.left && event.clientX <= box.right;
    const inside = across && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside) target.close();
  }
}

/** A menu that holds a form opens where the whole of it, down to its button, can be seen. */
function opened(event) {
  const menu = event.target;
  if (!(menu instanceof HTMLDetailsElement) || !menu.open || !menu.classList.contains('menu')) return;
  const form = menu.querySelector('form.menu-list');
  if (form === null) return;
  form.scrollIntoView({ block: 'nearest' });
  form.querySelector('select, input:not([type="hidden"]), textarea')?.focus({ preventScroll: true });
}

/** Theme and rail change at once; the profile is written behind. Without scripts the form posts and comes back. */
async function preference(event) {
  const form = event.target;
  const name = form.dataset?.pref;
  const value = event.submitter?.value;
  if (!name || !value || event.submitter.name !== name) return;
  event.preventDefault();
  root.dataset[name] = value;
  document.dispatchEvent(new CustomEvent('switchboard:theme'));
  // The pressed button gave way to its counterpart: keep the keyboard there.
  [...form.querySelectorAll('button')].find((button) => button.offsetParent !== null)?.focus();
  try {
    const answer = await fetch(form.action, {
      method: 'POST',
      credentials: 'same-origin',
      headers: { Accept: 'application/json', 'X-CSRF-Token': csrfToken() },
      body: new URLSearchParams(new FormData(form, event.submitter)),
    });
    if (!answer.ok) throw new Error(String(answer.status));
  } catch {
    toast(t('saveFailed'), 'bad');
  }
}

document.addEventListener('keydown', shortcut);
document.addEventListener('click', click);
// It does not bubble.
document.addEventListener('toggle', opened, true);
document.addEventListener('submit', preference);
// Errors are where the eye goes first after a failed form.
document.querySelector('.alert.bad[tabindex]')?.focus();
startForms();
startTables(keysAreOurs);

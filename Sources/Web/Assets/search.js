// Suggestions under the search box. The words go in a POST body, because they are names and numbers. Enter without a
// choice posts the form.

import { isOwnPath, make, postJSON, t } from './core.js';

const DELAY_MS = 180;

export function start(forms) {
  for (const form of forms) startSearch(form);
}

function startSearch(form) {
  const input = form.querySelector('input[type="search"]');
  const list = make('div', 'suggest');
  list.id = `${input.id}-suggest`;
  list.setAttribute('role', 'listbox');
  list.hidden = true;
  form.append(list);
  input.setAttribute('role', 'combobox');
  input.setAttribute('aria-controls', list.id);
  input.setAttribute('aria-expanded', 'false');
  input.setAttribute('aria-autocomplete', 'list');
  let options = [];
  let active = -1;
  let timer = 0;
  let request = null;

  function close() {
    list.hidden = true;
    active = -1;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  }

  function open() {
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
  }

  function choose(index) {
    options[active]?.setAttribute('aria-selected', 'false');
    active = index;
    const option = options[active];
    if (option) {
      option.setAttribute('aria-selected', 'true');
      option.scrollIntoView({ block: 'nearest' });
      input.setAttribute('aria-activedescendant', option.id);
    } else {
      input.removeAttribute('aria-activedescendant');
    }
  }

  function show(answer) {
    list.replaceChildren();
    options = [];
    active = -1;
    for (const group of answer.groups ?? []) {
      if (group.items.length === 0) continue;
      const box = make('div');
      box.setAttribute('role', 'group');
      box.setAttribute('aria-label', group.title);
      const head = make('div', 'suggest-head', group.title);
      head.setAttribute('aria-hidden', 'true');
      box.append(head);
      for (const item of group.items) {
        if (!isOwnPath(item.href)) continue;
        const option = make('a');
        option.href = item.href;
        option.setAttribute('role', 'option');
        option.id = `${list.id}-${options.length}`;
        option.tabIndex = -1;
        option.setAttribute('aria-selected', 'false');
        option.append(make('span', '', item.title), make('small', '', item.note ?? ''));
        if (item.badge) option.append(make('span', item.badge.kind, item.badge.text));
        options.push(option);
        box.append(option);
      }
      list.append(box);
    }
    if (options.length === 0) list.append(make('p', '', t('noResults')));
    else if (answer.more) list.append(make('p', '', t('allResults')));
    open();
  }

  async function ask() {
    const words = input.value.trim();
    request?.abort();
    // One Chinese character is a surname; one Latin letter or digit says too little.
    if (words.length === 0 || (words.length === 1 && words.charCodeAt(0) < 0x2e80)) {
      close();
      return;
    }
    request = new AbortController();
    try {
      const answer = await postJSON(form.dataset.suggest, { q: words }, request.signal);
      if (document.activeElement === input) show(answer);
    } catch (error) {
      if (error.name === 'AbortError') return;
      list.replaceChildren(make('p', '', t('searchFailed')));
      open();
    }
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(ask, DELAY_MS);
  }

  input.addEventListener('input', (event) => {
    if (!event.isComposing) later();
  });
  input.addEventListener('compositionend', later);
  input.addEventListener('keydown', (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      if (list.hidden) {
        ask();
      } else if (options.length > 0) {
        const step = event.key === 'ArrowDown' ? 1 : -1;
        choose((active + step + options.length + (active < 0 && step < 0 ? 1 : 0)) % options.length);
      }
      event.preventDefault();
    } else if (event.key === 'Enter' && !list.hidden && options[active]) {
      event.preventDefault();
      options[active].click();
    } else if (event.key === 'Escape' && !list.hidden) {
      close();
      event.preventDefault();
      event.stopPropagation();
    }
  });
  form.addEventListener('focusout', (event) => {
    if (!form.contains(event.relatedTarget)) close();
  });
  // Keeps the focus in the field while the mouse picks an option.
  list.addEventListener('mousedown', (event) => event.preventDefault());
  form.addEventListener('submit', () => { clearTimeout(timer); request?.abort(); });
}

// Forms: asked before dangerous posts, locked against a second submit, warned before leaving unsaved, selects that
// submit themselves.

import { formatter, make, t } from './core.js';

let leaving = false;

export function startForms() {
  document.addEventListener('submit', submitted);
  document.addEventListener('change', changed);
  document.addEventListener('focusout', left);
  for (const form of document.querySelectorAll('form[data-guard]')) {
    form.addEventListener('input', () => { form.dataset.dirty = 'yes'; });
  }
  window.addEventListener('beforeunload', (event) => {
    if (leaving || document.querySelector('form[data-guard][data-dirty]') === null) return;
    event.preventDefault();
    // What browsers before 2024 look at.
    event.returnValue = t('unsaved');
  });
  // A page that comes back from the history is usable again.
  window.addEventListener('pageshow', () => {
    leaving = false;
    for (const form of document.querySelectorAll('form[data-locked]')) unlock(form);
  });
  for (const drop of document.querySelectorAll('.drop')) startDrop(drop);
}

function submitted(event) {
  const form = event.target;
  if (event.defaultPrevented || form.method === 'dialog') return;
  if (form.dataset.locked) {
    event.preventDefault();
    return;
  }
  // Another form of the page, the language switch, takes what was typed here away: it asks as leaving does.
  const unsaved = document.querySelector('form[data-guard][data-dirty]');
  if (unsaved !== null && unsaved !== form && !('guard' in form.dataset) && !form.dataset.leaves
    && !('many' in form.dataset)) {
    event.preventDefault();
    confirmFirst(form, event.submitter, { dataset: { confirm: t('unsavedLeave'), yes: t('leave'), flag: 'leaves' } });
    return;
  }
  const asker = event.submitter?.dataset.confirm ? event.submitter : form;
  if (asker.dataset.confirm && !form.dataset.confirmed) {
    event.preventDefault();
    confirmFirst(form, event.submitter, asker);
    return;
  }
  delete form.dataset.leaves;
  delete form.dataset.confirmed;
  leaving = true;
  if (form.method === 'post' && !('many' in form.dataset)) lock(form, event.submitter);
}

function lock(form, submitter) {
  form.dataset.locked = 'yes';
  if (submitter === null || submitter === undefined) return;
  submitter.setAttribute('aria-busy', 'true');
  if (submitter.dataset.busy) {
    submitter.dataset.words = submitter.innerText;
    submitter.lastChild.textContent = submitter.dataset.busy;
  }
}

function unlock(form) {
  delete form.dataset.locked;
  for (const button of form.querySelectorAll('[aria-busy]')) {
    button.removeAttribute('aria-busy');
    if (button.dataset.words) button.lastChild.textContent = button.dataset.words;
  }
}

function confirmFirst(form, submitter, asker) {
  const dialog = make('dialog', 'dialog');
  const word = asker.dataset.confirmWord;
  const inner = make('form');
  inner.method = 'dialog';
  const body = make('div', 'dialog-body');
  const question = make('p', '', asker.dataset.confirm);
  question.id = 'confirm-question';
  dialog.setAttribute('aria-labelledby', question.id);
  body.append(make('span'), question);
  const footer = make('footer');
  const no = make('button', 'btn quiet', t('cancel'));
  no.value = 'no';
  no.formNoValidate = true;
  const dangerous = submitter?.classList.contains('danger') ?? false;
  const yes = make('button', `btn primary${dangerous ? ' danger' : ''}`, asker.dataset.yes || submitter?.innerText.trim() || t('ok'));
  yes.value = 'yes';
  if (word) {
    const field = make('label', 'field');
    field.append(make('span', 'label', t('typeToConfirm', { word })));
    const input = make('input');
    input.autocomplete = 'off';
    yes.disabled = true;
    input.addEventListener('input', () => { yes.disabled = input.value.trim() !== word; });
    field.append(input);
    body.append(field);
  }
  footer.append(no, yes);
  inner.append(body, footer);
  dialog.append(inner);
  document.body.append(dialog);
  dialog.addEventListener('close', () => {
    dialog.remove();
    if (dialog.returnValue === 'yes') {
      form.dataset[asker.dataset.flag ?? 'confirmed'] = 'yes';
      form.requestSubmit(submitter ?? undefined);
    } else {
      delete form.dataset.leaves;
      submitter?.focus();
    }
  });
  dialog.showModal();
  if (!word) (dangerous ? no : yes).focus();
}

function changed(event) {
  const target = event.target;
  if ('autosubmit' in target.dataset) target.form?.requestSubmit();
}

/** On leaving a field its own validity shows, with the server's words from data-error. */
function left(event) {
  const input = event.target;
  const field = input.closest?.('.field');
  if (!field || !input.dataset.error || typeof input.checkValidity !== 'function') return;
  const bad = !input.checkValidity();
  field.classList.toggle('invalid', bad);
  input.toggleAttribute('aria-invalid', bad);
  let note = field.querySelector('.error');
  if (bad && note === null) {
    note = make('p', 'error');
    note.id = `${input.id}-error`;
    input.setAttribute('aria-describedby', note.id);
    field.append(note);
  }
  if (note !== null) {
    note.textContent = input.dataset.error;
    note.hidden = !bad;
  }
}

function startDrop(drop) {
  const input = drop.querySelector('input[type="file"]');
  const name = drop.querySelector('[data-file-name]');
  if (input === null) return;
  const over = (on) => () => drop.classList.toggle('over', on);
  drop.addEventListener('dragover', over(true));
  drop.addEventListener('dragleave', over(false));
  drop.addEventListener('drop', over(false));
  input.addEventListener('change', () => {
    const file = input.files?.[0];
    if (file && name !== null) {
      name.textContent = `${file.name} · ${formatter({ digits: 1 })(file.size / 1e6)} MB`;
    }
  });
}

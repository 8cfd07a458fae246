// Modal dialogs that ask for something and carry it out, by the browser's own means.

import { Problem } from './api.js';
import { fill, h, newId } from './dom.js';
import { failure } from './frame.js';
import { endsAccess } from './outcomes.js';

/**
 * Asks, and carries out the answer. Stays open, with what is wrong beside the fields, until that
 * works or the person gives up. The focus goes back to where it was.
 *
 * @template T
 * @param {Question<T>} question
 * @returns {Promise<T | undefined>} undefined, if the person gave up
 */
export function ask({
  title,
  text = [],
  fields = [],
  submit,
  busy,
  isDanger = false,
  fieldOf = () => undefined,
  carryOut,
}) {
  return new Promise((resolve, reject) => {
    const [titleId, textId] = [newId(), newId()];
    const rows = fields.map(fieldRow);
    const problemArea = h('div', {});
    const cancel = h('button', { type: 'button', onclick: () => close(undefined) }, 'Cancel');
    const go = h('button', { type: 'submit', class: isDanger ? 'danger' : 'main' }, submit);
    const form = h(
      'form',
      { novalidate: true, onsubmit: onSubmit },
      h('h2', { id: titleId }, title),
      h('div', { id: textId, class: 'dialog-text' }, text),
      rows.map((row) => row.element),
      problemArea,
      h('div', { class: 'actions end' }, cancel, go),
    );
    const dialog = h(
      'dialog',
      {
        'aria-labelledby': titleId,
        'aria-describedby': text.length ? textId : undefined,
        oncancel: onCancel,
      },
      form,
    );
    let isBusy = false;

    document.body.append(dialog);
    dialog.showModal();
    // In a dialog that cannot be undone, nothing happens by pressing Enter once too often.
    if (rows.length) rows[0].input.focus();
    else if (isDanger) cancel.focus();
    else go.focus();

    /** @param {Event} event */
    function onCancel(event) {
      event.preventDefault();
      close(undefined);
    }

    /** @param {T | undefined} result */
    function close(result) {
      // What was sent is under way: the answer decides.
      if (isBusy) return;
      dialog.close();
      dialog.remove();
      resolve(result);
    }

    /** @param {Event} event */
    async function onSubmit(event) {
      event.preventDefault();
      if (isBusy) return;
      fill(problemArea);
      for (const row of rows) row.complain(row.mistake());
      if (focusMistake()) return;
      setBusy(true);
      try {
        const result = await carryOut(Object.fromEntries(rows.map((row) => [row.name, row.input.value])));
        setBusy(false);
        close(result);
      } catch (error) {
        setBusy(false);
        explain(error);
      }
    }

    /** @param {unknown} error */
    function explain(error) {
      if (!(error instanceof Problem) || endsAccess(error)) {
        dialog.remove();
        reject(error);
        return;
      }
      const field = fieldOf(error);
      const errors = field ? [{ field, message: error.detail }] : error.errors;
      const unplaced = errors.filter((wrong) => {
        const row = rows.find((row) => row.name === wrong.field);
        row?.complain(field ? wrong.message : `${row.label} ${wrong.message}.`);
        return !row;
      });
      if (!errors.length || unplaced.length) fill(problemArea, failure(error));
      if (!focusMistake()) go.focus();
    }

    function focusMistake() {
      const wrong = rows.find((row) => row.input.getAttribute('aria-invalid') === 'true');
      wrong?.input.focus();
      return wrong;
    }

    /** @param {boolean} now */
    function setBusy(now) {
      isBusy = now;
      go.setAttribute('aria-disabled', String(now));
      cancel.disabled = now;
      fill(go, now && h('span', { class: 'spinner', 'aria-hidden': 'true' }), now ? busy : submit);
    }
  });
}

/** @param {Field} field */
export function fieldRow({
  name,
  label,
  value = '',
  hint,
  type = 'text',
  autocomplete = 'off',
  mustEqual,
  doubt,
}) {
  const [inputId, hintId, mistakeId] = [newId(), newId(), newId()];
  const input = h('input', {
    id: inputId,
    name,
    type,
    autocomplete,
    value,
    maxlength: 254,
    'aria-required': 'true',
    'aria-describedby': hint ? hintId : undefined,
  });
  const mistake = h('p', { id: mistakeId, class: 'mistake' });
  /** @type {string | undefined} */
  let doubted;
  return {
    name,
    label,
    input,
    element: h(
      'div',
      { class: 'field' },
      h('label', { for: inputId }, label),
      input,
      hint && h('p', { id: hintId, class: 'muted small-text' }, hint),
      mistake,
    ),
    /** What is wrong before the API is asked. */
    mistake() {
      if (mustEqual !== undefined && input.value.trim() !== mustEqual) {
        return "This isn't the name. Type it exactly as shown.";
      }
      const question = input.value === doubted ? undefined : doubt?.(input.value);
      doubted = input.value;
      return question ?? '';
    },
    /** @param {string} message */
    complain(message) {
      mistake.textContent = message;
      if (message) input.setAttribute('aria-invalid', 'true');
      else input.removeAttribute('aria-invalid');
      const described = [hint && hintId, message && mistakeId].filter(Boolean).join(' ');
      if (described) input.setAttribute('aria-describedby', described);
      else input.removeAttribute('aria-describedby');
    },
  };
}

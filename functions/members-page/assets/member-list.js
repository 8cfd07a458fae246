// The list of people: its filter and its pages. It shows what the API said, and nothing as done before.

import { listMembers, Problem } from './api.js';
import { fill, h, newId } from './dom.js';
import { failure } from './frame.js';
import { icon } from './icons.js';
import { memberTable, placeholder } from './member-table.js';
import { endsAccess } from './outcomes.js';

const PAGE = 25;

/**
 * @param {Place} place
 * @param {(member: Member) => MenuItem[]} itemsFor what the menu of a row offers
 * @param {() => void} loaded
 */
export function memberList(place, itemsFor, loaded) {
  const filter = memberFilter(() => load());
  /** @type {Member[]} */
  let members = [];
  /** @type {string | undefined} */
  let cursor;
  /** Ends the list call under way when another one takes its place. */
  let listing = new AbortController();

  const list = h('div', { class: 'list' });
  /** For screen readers. */
  const spoken = h('p', { class: 'hidden', role: 'status' });
  const more = h('div', { class: 'more' });

  /** @param {string} [after] */
  async function load(after) {
    listing.abort();
    listing = new AbortController();
    const { signal } = listing;
    list.setAttribute('aria-busy', 'true');
    if (!members.length && !after) fill(list, placeholder());
    if (after) fill(more, h('p', { class: 'muted', role: 'status' }, 'Loading'));
    try {
      const query = { ...filter.query(), limit: PAGE, cursor: after };
      const answer = await listMembers(place.account.id, query, signal);
      const firstNew = after && answer.members[0]?.id;
      members = after ? [...members, ...answer.members] : answer.members;
      cursor = answer.cursor;
      place.account = answer.account;
      place.abilities = answer.abilities;
      place.changed();
      loaded();
      draw();
      spoken.textContent = `${members.length} ${members.length === 1 ? 'person' : 'people'}${cursor ? ', and more' : ''}`;
      if (firstNew) focusRow(firstNew);
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      list.removeAttribute('aria-busy');
      if (endsAccess(error)) return place.refused(error);
      const message = failure(error, () => load(after));
      if (after) {
        fill(more, message);
      } else {
        members = [];
        fill(list, message);
        fill(more);
      }
    }
  }

  function draw() {
    list.removeAttribute('aria-busy');
    fill(list, members.length ? memberTable(place, members, itemsFor) : nobody());
    fill(more, cursor && h('button', { type: 'button', onclick: () => load(cursor) }, 'Load more'));
    const isAlone = members.length === 1 && filter.isEmpty();
    if (isAlone && place.can('members:invite') && place.account.proLevel) {
      list.append(
        h(
          'div',
          { class: 'empty' },
          icon('people'),
          h('p', {}, h('strong', {}, 'Nobody else is here yet.')),
          h('p', { class: 'muted' }, 'Invite your team. They get an e-mail with a link.'),
        ),
      );
    }
  }

  function nobody() {
    return h(
      'div',
      { class: 'empty', role: 'status' },
      icon('search'),
      h('p', {}, h('strong', {}, 'Nobody matches this filter.')),
      h('button', { type: 'button', onclick: showAll }, 'Show everyone'),
    );
  }

  function showAll() {
    filter.clear();
    filter.focus();
    load();
  }

  /** @param {Member} member in place of what was known before */
  function replace(member) {
    members = members.map((other) => (other.id === member.id ? member : other));
    draw();
    focusRow(member.id);
  }

  /** @param {string} id */
  function drop(id) {
    const at = members.findIndex((member) => member.id === id);
    members = members.filter((member) => member.id !== id);
    draw();
    // The row is gone: on to the one that took its place.
    focusRow(members[Math.min(at, members.length - 1)]?.id);
  }

  /**
   * To the menu of a row, or to the row if it has none.
   *
   * @param {string | undefined} id
   */
  function focusRow(id) {
    /** @type {NodeListOf<HTMLElement>} */
    const rows = list.querySelectorAll('[data-member]');
    const row = [...rows].find((row) => row.dataset.member === id);
    (row?.querySelector('button') ?? row ?? filter).focus();
  }

  return {
    fields: filter.fields,
    clearFilter: filter.clear,
    parts: [spoken, list, more],
    load,
    replace,
    drop,
  };
}

/** @param {() => void} changed */
function memberFilter(changed) {
  const search = h('input', {
    id: newId(),
    type: 'search',
    placeholder: 'Name or e-mail',
    autocomplete: 'off',
    maxlength: 100,
    oninput: soon(changed),
  });
  const status = h(
    'select',
    { id: newId(), onchange: changed },
    [
      ['', 'All'],
      ['active', 'Active'],
      ['invited', 'Invited'],
      ['expired', 'Expired'],
      ['removed', 'Removed'],
    ].map(([value, label]) => h('option', { value }, label)),
  );
  return {
    fields: [
      h(
        'div',
        { class: 'field search' },
        h('label', { for: search.id }, 'Search'),
        h('div', { class: 'with-icon' }, icon('search'), search),
      ),
      h('div', { class: 'field' }, h('label', { for: status.id }, 'Status'), status),
    ],
    query: () => ({ status: status.value, q: search.value.trim() }),
    isEmpty: () => !search.value && !status.value,
    clear() {
      search.value = '';
      status.value = '';
    },
    focus: () => search.focus(),
  };
}

/**
 * Calls later, and once, however often it is asked to.
 *
 * @param {() => void} act
 */
function soon(act) {
  /** @type {number | undefined} */
  let waiting;
  return () => {
    clearTimeout(waiting);
    waiting = setTimeout(act, 250);
  };
}

// The ellipsis menu of a row: https://www.w3.org/WAI/ARIA/apg/patterns/menu-button/.

import { fill, h, newId } from './dom.js';
import { icon } from './icons.js';

/**
 * @typedef {object} Item
 * @property {string} label
 * @property {string} icon
 * @property {boolean} [isDanger]
 * @property {() => number} [secondsLeft] how long the item still has to wait
 * @property {() => void} run
 */

/**
 * @param {string} label names what the menu is about
 * @param {Item[]} items
 */
export function menuButton(label, items) {
  const id = newId();
  const menu = h('div', {
    id,
    class: 'menu',
    role: 'menu',
    popover: 'auto',
    'aria-label': label,
    onkeydown: onKey,
    onbeforetoggle: onBeforeToggle,
    ontoggle: onToggle,
  });
  const button = h(
    'button',
    {
      type: 'button',
      class: 'quiet',
      popovertarget: id,
      'aria-haspopup': 'menu',
      'aria-expanded': 'false',
      'aria-controls': id,
      'aria-label': label,
      title: label,
      onkeydown: onButtonKey,
    },
    icon('more'),
  );
  let ticking;

  function onBeforeToggle({ newState }) {
    clearInterval(ticking);
    if (newState !== 'open') return;
    fill(menu, items.map(entry));
    tick();
    ticking = setInterval(tick, 1_000);
  }

  function onToggle({ newState }) {
    const isOpen = newState === 'open';
    button.setAttribute('aria-expanded', String(isOpen));
    if (isOpen) {
      addEventListener('scroll', close, true);
      addEventListener('resize', close);
      settle(0);
    } else {
      removeEventListener('scroll', close, true);
      removeEventListener('resize', close);
      if (menu.contains(document.activeElement)) button.focus();
    }
  }

  /** Where an open menu is, and what has the focus in it. */
  function settle(index) {
    const at = button.getBoundingClientRect();
    const below = at.bottom + 4;
    const isRoomBelow = below + menu.offsetHeight <= innerHeight;
    menu.style.top = `${Math.max(8, isRoomBelow ? below : at.top - menu.offsetHeight - 4)}px`;
    menu.style.left = `${Math.max(8, at.right - menu.offsetWidth)}px`;
    if (!menu.contains(document.activeElement)) [...menu.children].at(index)?.focus();
  }

  function close() {
    menu.hidePopover();
  }

  function entry(item) {
    return h(
      'button',
      {
        type: 'button',
        role: 'menuitem',
        tabindex: '-1',
        class: item.isDanger ? 'danger-text' : undefined,
        onclick: () => choose(item),
      },
      icon(item.icon),
      h('span', {}, item.label),
    );
  }

  /** Items that have to wait say for how long. */
  function tick() {
    items.forEach((item, index) => {
      const seconds = item.secondsLeft?.() ?? 0;
      const element = menu.children[index];
      element.setAttribute('aria-disabled', String(seconds > 0));
      element.lastChild.textContent = seconds > 0 ? `${item.label} in ${seconds} s` : item.label;
    });
  }

  function choose(item) {
    if (item.secondsLeft?.() > 0) return;
    // First back to the button: what the item opens gives the focus back to where it was.
    close();
    button.focus();
    item.run();
  }

  function onButtonKey(event) {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    menu.showPopover();
    settle(event.key === 'ArrowUp' ? -1 : 0);
  }

  function onKey(event) {
    const entries = [...menu.children];
    const at = entries.indexOf(document.activeElement);
    const goTo = {
      ArrowDown: (at + 1) % entries.length,
      ArrowUp: (at - 1 + entries.length) % entries.length,
      Home: 0,
      End: entries.length - 1,
    }[event.key];
    if (goTo !== undefined) {
      event.preventDefault();
      entries[goTo].focus();
    } else if (event.key === 'Tab') {
      // The focus goes on from the button.
      close();
      button.focus();
    } else if (event.key.length === 1) {
      const letter = event.key.toLowerCase();
      const later = [...entries.slice(at + 1), ...entries.slice(0, at + 1)];
      later.find((entry) => entry.textContent.toLowerCase().startsWith(letter))?.focus();
    }
  }

  return h('div', { class: 'menu-place' }, button, menu);
}

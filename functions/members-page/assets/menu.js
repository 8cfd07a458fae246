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
  const menu = h('div', { id, class: 'menu', role: 'menu', popover: 'auto', 'aria-label': label, onkeydown: onKey, ontoggle: onToggle });
  const button = h('button', { type: 'button', class: 'quiet', popovertarget: id, 'aria-haspopup': 'menu', 'aria-expanded': 'false', 'aria-controls': id, 'aria-label': label, title: label, onkeydown: onButtonKey }, icon('more'));
  let ticking;
  let openAtEnd = false;

  function onToggle({ newState }) {
    const isOpen = newState === 'open';
    button.setAttribute('aria-expanded', String(isOpen));
    clearInterval(ticking);
    removeEventListener('scroll', close, true);
    removeEventListener('resize', close);
    if (!isOpen) {
      if (menu.contains(document.activeElement)) button.focus();
      return;
    }
    fill(menu, items.map(entry));
    tick();
    ticking = setInterval(tick, 1_000);
    place();
    const entries = [...menu.children];
    entries.at(openAtEnd ? -1 : 0)?.focus();
    openAtEnd = false;
    addEventListener('scroll', close, true);
    addEventListener('resize', close);
  }

  function close() {
    menu.hidePopover();
  }

  function entry(item) {
    return h('button', { type: 'button', role: 'menuitem', tabindex: '-1', class: item.isDanger ? 'danger-text' : undefined, onclick: () => choose(item) }, icon(item.icon), h('span', {}, item.label));
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

  /** Below the button, or above it where there is no room. */
  function place() {
    const at = button.getBoundingClientRect();
    const [width, height] = [menu.offsetWidth, menu.offsetHeight];
    const below = at.bottom + 4;
    const top = below + height > innerHeight ? at.top - height - 4 : below;
    menu.style.top = `${Math.max(8, top)}px`;
    menu.style.left = `${Math.max(8, at.right - width)}px`;
  }

  function onButtonKey(event) {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    openAtEnd = event.key === 'ArrowUp';
    menu.showPopover();
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

// The ellipsis menu of a row: https://www.w3.org/WAI/ARIA/apg/patterns/menu-button/.

import { fill, h, newId } from './dom.js';
import { icon } from './icons.js';

/**
 * @param {string} label names what the menu is about
 * @param {MenuItem[]} items
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
  /** @type {ReturnType<typeof entry>[]} */
  let entries = [];
  /** @type {number | undefined} */
  let ticking;

  /** @param {ToggleEvent} event */
  function onBeforeToggle({ newState }) {
    clearInterval(ticking);
    if (newState !== 'open') return;
    entries = items.map(entry);
    fill(
      menu,
      entries.map(({ button }) => button),
    );
    tick();
    ticking = setInterval(tick, 1_000);
  }

  /** @param {ToggleEvent} event */
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

  /** @param {number} index */
  function settle(index) {
    const at = button.getBoundingClientRect();
    const below = at.bottom + 4;
    const isRoomBelow = below + menu.offsetHeight <= innerHeight;
    menu.style.top = `${Math.max(8, isRoomBelow ? below : at.top - menu.offsetHeight - 4)}px`;
    menu.style.left = `${Math.max(8, at.right - menu.offsetWidth)}px`;
    if (!menu.contains(document.activeElement)) entries.at(index)?.button.focus();
  }

  function close() {
    menu.hidePopover();
  }

  /** @param {MenuItem} item */
  function entry(item) {
    const label = h('span', {}, item.label);
    const button = h(
      'button',
      {
        type: 'button',
        role: 'menuitem',
        tabindex: '-1',
        class: item.isDanger ? 'danger-text' : undefined,
        onclick: () => choose(item),
      },
      icon(item.icon),
      label,
    );
    return { item, button, label };
  }

  function tick() {
    for (const { item, button, label } of entries) {
      const seconds = item.secondsLeft?.() ?? 0;
      button.setAttribute('aria-disabled', String(seconds > 0));
      label.textContent = seconds > 0 ? `${item.label} in ${seconds} s` : item.label;
    }
  }

  /** @param {MenuItem} item */
  function choose(item) {
    if (item.secondsLeft && item.secondsLeft() > 0) return;
    // First back to the button: what the item opens gives the focus back to where it was.
    close();
    button.focus();
    item.run();
  }

  /** @param {KeyboardEvent} event */
  function onButtonKey(event) {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    menu.showPopover();
    settle(event.key === 'ArrowUp' ? -1 : 0);
  }

  /** @param {KeyboardEvent} event */
  function onKey(event) {
    const buttons = entries.map(({ button }) => button);
    const at = buttons.findIndex((button) => button === document.activeElement);
    /** @type {Record<string, number | undefined>} */
    const targets = {
      ArrowDown: (at + 1) % buttons.length,
      ArrowUp: (at - 1 + buttons.length) % buttons.length,
      Home: 0,
      End: buttons.length - 1,
    };
    const goTo = targets[event.key];
    if (goTo !== undefined) {
      event.preventDefault();
      buttons[goTo].focus();
    } else if (event.key === 'Tab') {
      // The focus goes on from the button.
      close();
      button.focus();
    } else if (event.key.length === 1) {
      const letter = event.key.toLowerCase();
      const later = [...buttons.slice(at + 1), ...buttons.slice(0, at + 1)];
      later.find((button) => button.textContent.toLowerCase().startsWith(letter))?.focus();
    }
  }

  return h('div', { class: 'menu-place' }, button, menu);
}

// Elements from code. Data become text nodes and attributes, never markup.

/**
 * An element. Attributes that are undefined, null or false are left out; those that begin with
 * `on` are listeners. Children that are undefined, null or false are left out, too.
 *
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {...(Node | string | number | null | undefined | false | Array)} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  fill(element, children);
  return element;
}

/** Puts children in the place of those that an element has. */
export function fill(element, ...children) {
  const isThere = (child) => child !== undefined && child !== null && child !== false;
  element.replaceChildren(...children.flat(Infinity).filter(isThere));
}

let ids = 0;

/** An id that no other element has. */
export function newId() {
  ids += 1;
  return `id-${ids}`;
}

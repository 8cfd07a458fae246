// Elements from code. Data become text nodes and attributes, never markup.

/**
 * An element. Attributes that are undefined, null or false are left out; those that begin with
 * `on` are listeners. Children that are undefined, null or false are left out, too.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  fill(element, children);
  return element;
}

/**
 * @param {Element} element
 * @param {...Child} children
 */
export function fill(element, ...children) {
  /** @type {any[]} */
  const nested = children;
  /** @param {any} child */
  const isThere = (child) => child !== undefined && child !== null && child !== false;
  element.replaceChildren(...nested.flat(Infinity).filter(isThere));
}

let ids = 0;

export function newId() {
  ids += 1;
  return `id-${ids}`;
}

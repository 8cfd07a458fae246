// Small pictures that stand beside words, never in their place.

export const SHAPES = {
  alert: ['M12 3.5 22 20.5H2Z', 'M12 10v4.5', 'M12 17.5v.1'],
  ban: ['M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z', 'M5.7 5.7l12.6 12.6'],
  bounce: ['M9 14 4 9l5-5', 'M4 9h9.5a6.5 6.5 0 0 1 0 13H11'],
  check: ['M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z', 'M8 12.3l2.8 2.7L16 9.5'],
  clock: ['M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z', 'M12 7.5V12l3 2'],
  close: ['M6 6l12 12', 'M18 6 6 18'],
  flag: ['M5 21V4', 'M5 4.5h13l-2.5 4.5 2.5 4.5H5'],
  info: ['M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z', 'M12 11v5.5', 'M12 7.6v.1'],
  key: ['M8 11a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9Z', 'M11.3 12.5 20.5 3.5', 'M16 8l3 3'],
  lock: ['M5.5 11h13v9.5h-13z', 'M8 11V7.5a4 4 0 0 1 8 0V11'],
  mail: ['M3 5.5h18v13H3z', 'M3.5 6.5 12 13l8.5-6.5'],
  more: ['M5 12h.1', 'M12 12h.1', 'M19 12h.1'],
  pen: ['M4 20l1-4.5L16.5 4 20 7.5 8.5 19Z', 'M14 6.5l3.5 3.5'],
  people: [
    'M9 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z',
    'M2 20.5c.4-4 3.2-6 7-6s6.6 2 7 6',
    'M16 4.3a4 4 0 0 1 0 7.4',
    'M18.5 14.8c2 .8 3.2 2.7 3.5 5.7',
  ],
  person: ['M12 3.5a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z', 'M4.5 20.5c.4-4 3.5-6 7.5-6s7.1 2 7.5 6'],
  plus: ['M12 5v14', 'M5 12h14'],
  reply: ['M3 5.5h18v13H11', 'M3.5 6.5 12 13l8.5-6.5', 'M7.5 15 4 18.5 7.5 22', 'M4 18.5h5'],
  search: ['M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13Z', 'M15.3 15.3 20.5 20.5'],
  send: ['M21 3 10.5 13.5', 'M21 3l-6.5 18-4-7.5L3 9.5Z'],
  star: ['M12 3.5l2.6 5.4 5.9.8-4.3 4.1 1.1 5.9-5.3-2.9-5.3 2.9 1.1-5.9L3.5 9.7l5.9-.8Z'],
  trash: ['M4 7h16', 'M9.5 7V4h5v3', 'M6.5 7l.8 13.5h9.4L17.5 7'],
};

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @param {Icon} name
 * @returns {SVGElement} a picture as high as the text, hidden from screen readers
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', `icon icon-${name}`);
  svg.setAttribute('aria-hidden', 'true');
  svg.append(
    ...SHAPES[name].map((shape) => {
      const path = document.createElementNS(SVG, 'path');
      path.setAttribute('d', shape);
      return path;
    }),
  );
  return svg;
}

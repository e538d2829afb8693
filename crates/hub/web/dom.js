// Elements of a page. Text goes in as text, never as markup, whoever wrote it.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element with attributes and children. An attribute that is a function listens; true is an empty attribute;
 * false, null and undefined are none. Children are elements or text.
 */
export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for drawings. */
export function drawing(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Characters that would turn the reading direction of what follows them are shown as what they are: strangers. */
export function harmless(text) {
  return String(text).replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

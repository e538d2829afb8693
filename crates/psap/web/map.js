// A sketch of where the caller is, without tiles: the position, how uncertain it is, and a bar that gives the scale.

import { drawing, element } from "./dom.js";

const WIDTH = 360;
const HEIGHT = 240;
const MARGIN = 26;
/** Metres of one degree of latitude (mean of WGS 84). */
const DEGREE_M = 111_195;
const STEPS = [1, 2, 5];

/** The sketch of a shape of the report, with its words below. */
export function map(shape) {
  const { at, across, spots, words } = measure(shape);
  const scale = Math.min(WIDTH, HEIGHT - 2 * MARGIN) / across;
  const bar = round(across * 0.45);
  const x = (east) => WIDTH / 2 + east * scale;
  const y = (north) => HEIGHT / 2 - north * scale;
  const picture = drawing(
    "svg",
    { class: "map", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `Sketch: ${words}` },
    grid(bar * scale),
    shape.kind === "circle" ? drawing("circle", { class: "doubt", cx: WIDTH / 2, cy: HEIGHT / 2, r: shape.radius_m * scale }) : null,
    spots.length > 0 ? drawing("polygon", { class: "doubt", points: spots.map(([east, north]) => `${x(east).toFixed(1)},${y(north).toFixed(1)}`).join(" ") }) : null,
    shape.kind === "polygon" ? null : drawing("circle", { class: "spot", cx: WIDTH / 2, cy: HEIGHT / 2, r: 6 }),
    drawing("path", { class: "ink", d: `M14 ${HEIGHT - 20}v6h${(bar * scale).toFixed(1)}v-6` }),
    drawing("text", { x: 14, y: HEIGHT - 26 }, metres(bar)),
    drawing("path", { class: "ink", d: `M${WIDTH - 22} 34V12m-6 8 6-8 6 8` }),
    drawing("text", { x: WIDTH - 27, y: 48 }, "N"),
  );
  const place = `${at[0].toFixed(5)}, ${at[1].toFixed(5)}`;
  return element("figure", {}, picture, element("figcaption", { class: "small" }, element("span", { class: "mono" }, place), ` · ${words}`));
}

function measure(shape) {
  if (shape.kind === "circle") {
    return { at: shape.at, across: Math.max(shape.radius_m * 2.4, 20), spots: [], words: `within ${metres(shape.radius_m)} of this point` };
  }
  if (shape.kind === "polygon" && shape.corners.length > 0) {
    const at = middle(shape.corners);
    const spots = shape.corners.map((corner) => away(at, corner));
    const reach = Math.max(...spots.map(([east, north]) => Math.max(Math.abs(east), Math.abs(north))), 5);
    return { at, across: reach * 2.4, spots, words: `somewhere in an area of ${metres(reach * 2)} across` };
  }
  const words = shape.kind === "other" ? `an area of the kind ${shape.name}, of which only the beginning is drawn` : "this point; how exact it is was not said";
  return { at: shape.at ?? [0, 0], across: 200, spots: [], words };
}

function middle(corners) {
  const mean = (index) => corners.reduce((sum, corner) => sum + corner[index], 0) / corners.length;
  return [mean(0), mean(1)];
}

/** East and north in metres. */
function away(from, to) {
  return [(to[1] - from[1]) * DEGREE_M * Math.cos((from[0] * Math.PI) / 180), (to[0] - from[0]) * DEGREE_M];
}

function grid(step) {
  const lines = [];
  for (let at = (WIDTH / 2) % step; at < WIDTH; at += step) lines.push(`M${at.toFixed(1)} 0V${HEIGHT}`);
  for (let at = (HEIGHT / 2) % step; at < HEIGHT; at += step) lines.push(`M0 ${at.toFixed(1)}H${WIDTH}`);
  return drawing("path", { class: "grid", d: lines.join("") });
}

/** The largest of 1, 2, 5, 10, … that is not longer. */
function round(length) {
  const power = 10 ** Math.floor(Math.log10(length));
  const step = STEPS.findLast((step) => step * power <= length) ?? 1;
  return step * power;
}

export function metres(length) {
  if (length >= 1000) return `${(length / 1000).toLocaleString("en", { maximumFractionDigits: 1 })} km`;
  return `${length.toLocaleString("en", { maximumFractionDigits: length < 10 ? 1 : 0 })} m`;
}

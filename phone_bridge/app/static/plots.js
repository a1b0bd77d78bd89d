// Small pictures of figures, made of SVG: each has a title that says in words what it shows.

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, attributes, ...inside) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...inside);
  return element;
}

// Bars from left to right; `bad` is how much of each is drawn as a failure, `least` how many there is room for.
export function bars(title, values, { bad = [], least = 10 } = {}) {
  const most = Math.max(1, ...values);
  const width = 220 / Math.max(values.length, least);
  const picture = svg("svg", { class: "plot", viewBox: "0 0 220 40", preserveAspectRatio: "none", role: "img" }, svg("title", {}, title));
  values.forEach((value, place) => {
    const height = value && Math.max(1.5, (38 * value) / most);
    const x = place * width;
    picture.append(svg("rect", { x, y: 40 - height, width: width * 0.8, height }));
    const failed = (height * (bad[place] ?? 0)) / (value || 1);
    if (failed) picture.append(svg("rect", { x, y: 40 - failed, width: width * 0.8, height: failed, class: "bad" }));
  });
  return picture;
}

// A line of values that were looked at one after the other.
export function course(title, values) {
  const most = Math.max(1, ...values);
  const drawn = values.length === 1 ? [...values, ...values] : values;
  const points = drawn.map((value, place) => `${(220 * place) / (drawn.length - 1)},${39 - (37 * value) / most}`);
  return svg("svg", { class: "plot", viewBox: "0 0 220 40", preserveAspectRatio: "none", role: "img" },
    svg("title", {}, title), svg("polyline", { points: points.join(" ") }));
}

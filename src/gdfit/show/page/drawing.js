// Elements of the page. What is said is always text, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element. */
function shape(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  set(element, attributes);
  element.append(...children);
  return element;
}

/** An HTML element. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  set(made, attributes);
  made.append(...children);
  return made;
}

/** Attributes; null takes one away. */
function set(target, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null) target.removeAttribute(name);
    else target.setAttribute(name, typeof value === "number" ? tidy(value) : value);
  }
  return target;
}

/** Text, if it has changed. */
function say(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** A coordinate: a tenth of a pixel, and not too far away for a browser to draw. */
function tidy(value) {
  if (Number.isNaN(value)) return "0"; // of what is hidden
  return String(Math.round(Math.min(Math.max(value, -1e5), 1e5) * 100) / 100);
}

/** A path through points [x, y]; it is broken where one is not finite. */
function through(points, closed = false) {
  let text = "";
  let pen = "M";
  for (const [x, y] of points) {
    if (Number.isNaN(x) || Number.isNaN(y)) {
      pen = "M";
      continue;
    }
    text += `${pen}${tidy(x)} ${tidy(y)}`;
    pen = "L";
  }
  return closed && text ? `${text}Z` : text;
}

/** A path of dots, of one element however many: its line caps are round. */
function dots(points) {
  return points.map(([x, y]) => `M${tidy(x)} ${tidy(y)}h0`).join("");
}

/** A star with five points. */
function star(x, y, radius) {
  const points = Array.from({ length: 10 }, (_, place) => {
    const [length, turn] = [place % 2 ? radius * 0.42 : radius, (place * Math.PI) / 5];
    return [x + length * Math.sin(turn), y - length * Math.cos(turn)];
  });
  return through(points, true);
}

/** How many pixels `rem` are. */
function rem(count = 1) {
  return count * parseFloat(getComputedStyle(document.documentElement).fontSize);
}

/** A figure of the page: its heading, its legend, and the holder of its chart. */
class Figure {
  constructor(id) {
    this.element = document.getElementById(id);
    this.plot = this.element.querySelector(".plot");
    this.title = this.element.querySelector("h2");
    this.legend = this.element.querySelector(".legend");
  }

  heading(text) {
    say(this.title, text);
  }

  /** The legend: pairs of what is drawn, by class, and what it is called; or of "" and a note. */
  note(...pairs) {
    const key = JSON.stringify(pairs);
    if (key === this.key) return;
    this.key = key;
    this.legend.replaceChildren(
      ...pairs.map(([kind, text]) =>
        element("span", { class: kind ? `key ${kind}` : "remark" }, text),
      ),
    );
  }
}

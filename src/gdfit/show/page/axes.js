// Axes and the frame of a chart.

/** An axis: `along` gives where a value stands on it, from 0 to 1, `back` the way back. */
function linearAxis(low, high, label, count = 5) {
  const step = niceStep((high - low) / count);
  const first = Math.ceil(low / step - 1e-9);
  const ticks = [];
  for (let place = first; place * step <= high + 1e-9 * step; place += 1) {
    ticks.push([place * step, tickText(place * step, step)]);
  }
  return {
    label,
    ticks,
    low,
    high,
    along: (value) => (value - low) / (high - low),
    back: (part) => low + part * (high - low),
  };
}

/** An axis of days since 1970-01-01, with dates at its ticks. */
function dateAxis(low, high, label) {
  const dayOf = (month) => Date.UTC(1970, month, 1) / 864e5;
  const ticks = [];
  const tick = (day, from, to) => {
    const text = new Date(day * 864e5).toISOString().slice(from, to);
    if (day >= low && day <= high) ticks.push([day, text.replace("T", " ")]);
  };
  const size = (high - low) / 4;
  if (size > 14) {
    const inMonths = size / 30;
    const months = [1, 2, 3, 6].find((each) => each >= inMonths);
    const step = months ?? 12 * Math.max(1, niceStep(inMonths / 12));
    const first = Math.floor((low * 12) / 365.25 / step) * step;
    for (let month = first; dayOf(month) <= high; month += step) tick(dayOf(month), 0, months ? 7 : 4);
  } else {
    const step = [1 / 24, 1 / 8, 1 / 4, 1 / 2, 1, 2, 7, 14].find((each) => each >= size) ?? 14;
    for (let place = Math.ceil(low / step); place * step <= high; place += 1)
      tick(place * step, step < 1 ? 5 : 0, step < 1 ? 16 : 10);
  }
  return ticks.length > 1 ? { ...linearAxis(low, high, label), ticks } : linearAxis(low, high, label);
}

/** An axis of powers of ten. */
function logAxis(low, high, label) {
  const [from, to] = [Math.log10(low), Math.log10(high)];
  const every = Math.max(1, Math.ceil((to - from) / 6));
  const multiples = to - from > 2 ? [1] : [1, 2, 5];
  const ticks = [];
  for (let power = Math.floor(from); power <= to; power += 1) {
    for (const multiple of multiples) {
      const value = multiple * 10 ** power;
      const shown = value >= low * 0.999 && value <= high * 1.001 && power % every === 0;
      if (shown) ticks.push([value, to - from > 2 ? powerOfTen(power) : brief(value)]);
    }
  }
  return {
    label,
    ticks,
    low,
    high,
    along: (value) => (Math.log10(value) - from) / (to - from),
    back: (part) => 10 ** (from + part * (to - from)),
  };
}

/** An axis of epochs from the start: even for few of them, else the more so the later they are. */
function epochAxis(first, last) {
  const count = Math.max(last - first, 1);
  if (last <= 100 * Math.max(first, 1))
    return linearAxis(first, first + count, "epoch", Math.min(count, 5));
  const [from, to] = [Math.log1p(first), Math.log1p(last)];
  const ticks = [[first, counted(first)]];
  for (let epoch = 1; epoch <= last; epoch *= 10) {
    if (epoch > first) ticks.push([epoch, epoch < 1e5 ? counted(epoch) : powerOfTen(Math.log10(epoch))]);
  }
  return {
    label: "epoch",
    ticks,
    low: first,
    high: last,
    along: (epoch) => (Math.log1p(epoch) - from) / (to - from),
    back: (part) => Math.expm1(from + part * (to - from)),
  };
}

/** An axis of numbers of both signs, large and small ones: even near 0, as far as `threshold`. */
function symmetricAxis(low, high, threshold, label) {
  const [from, to] = [Math.asinh(low / threshold), Math.asinh(high / threshold)];
  const largest = Math.max(Math.abs(low), Math.abs(high));
  const powers = Math.log10(largest) - Math.log10(threshold);
  const every = 10 ** Math.max(1, Math.ceil((powers * (to - from)) / (6 * Math.max(to, -from))));
  const sizes = [];
  for (let size = threshold; size <= largest; size *= every) sizes.push(size);
  const places = [0, ...sizes, ...sizes.map((size) => -size)]; // what is first is shown
  return {
    label,
    ticks: places.filter((place) => place >= low && place <= high).map((place) => [place, brief(place, 2)]),
    low,
    high,
    along: (value) => (Math.asinh(value / threshold) - from) / (to - from),
    back: (part) => threshold * Math.sinh(from + part * (to - from)),
  };
}

/** The next larger of 1, 2 and 5 times a power of ten. */
function niceStep(size) {
  const unit = 10 ** Math.floor(Math.log10(size));
  const multiple = [1, 2, 5, 10].find((times) => times * unit >= size * 0.999);
  return multiple * unit;
}

function tickText(value, step) {
  const largest = Math.abs(value);
  if (largest >= 1e7 || step < 1e-5) return brief(value, 3);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const text = largest.toFixed(decimals);
  const sign = value < 0 && Number(text) !== 0 ? MINUS : "";
  return sign + (decimals ? text : grouped(text));
}

/** `low` and `high` with a margin of that part of their distance; apart where they are the same. */
function widened(low, high, margin) {
  const size = high - low || Math.abs(low) || 1;
  const middle = (low + high) / 2;
  const half = (high - low || size) / 2 + margin * size;
  return [middle - half, middle + half];
}

let charts = 0;

/** An SVG chart that fills its holder: a frame with ticks, a clipped `plot` and what is `over` it. */
class Chart {
  constructor(holder, description) {
    const clip = `clip-${(charts += 1)}`;
    this.holder = holder;
    this.window = shape("rect");
    this.back = shape("rect", { class: "back" });
    this.frame = shape("g", { class: "frame", "aria-hidden": "true" });
    this.plot = shape("g", { "clip-path": `url(#${clip})` });
    this.over = shape("g");
    this.svg = shape(
      "svg",
      { role: "group", "aria-label": description },
      shape("clipPath", { id: clip }, this.window),
      this.back,
      this.frame,
      this.plot,
      this.over,
    );
    holder.append(this.svg);
  }

  /** Fit it into the holder, with room for ticks of so many characters on the left. */
  layout(characters) {
    const unit = rem(0.82); // the size of the text
    const { clientWidth: width, clientHeight: height } = this.holder;
    this.unit = unit;
    this.left = Math.max(2.2, characters * 0.56 + 0.9) * unit;
    this.top = 1.7 * unit;
    this.width = Math.max(width - this.left - 0.9 * unit, 20);
    this.height = Math.max(height - this.top - 2.9 * unit, 20);
    set(this.svg, { viewBox: `0 0 ${width} ${height}`, width, height });
    const inner = { x: this.left, y: this.top, width: this.width, height: this.height };
    set(this.window, inner);
    set(this.back, inner);
  }

  /** The same for the ticks of an axis. */
  layoutFor({ ticks }) {
    this.layout(Math.max(3, ...ticks.map(([, text]) => text.length)));
  }

  /** Draw the axes, unless they are as they were; whether they have changed. */
  axes(x, y) {
    this.x = (value) => this.left + x.along(value) * this.width;
    this.y = (value) => this.top + (1 - y.along(value)) * this.height;
    const key = JSON.stringify([
      x.ticks,
      y.ticks,
      x.low,
      x.high,
      y.low,
      y.high,
      x.label,
      y.label,
      this.left,
      this.width,
      this.height,
    ]);
    if (key === this.key) return false;
    this.key = key;
    const [bottom, right] = [this.top + this.height, this.left + this.width];
    const parts = [];
    for (const [value, text] of apart(
      x.ticks,
      (tick) => this.x(tick[0]),
      ([, t]) => (0.62 * t.length + 0.8) * this.unit,
    )) {
      const at = this.x(value);
      parts.push(shape("path", { d: `M${tidy(at)} ${tidy(this.top)}V${tidy(bottom)}` }));
      const wide = 0.31 * text.length * this.unit;
      const place = Math.min(at, right + 0.8 * this.unit - wide);
      parts.push(shape("text", { x: place, y: bottom + 1.15 * this.unit, class: "x" }, text));
    }
    for (const [value, text] of apart(
      y.ticks,
      (tick) => this.y(tick[0]),
      () => this.unit,
    )) {
      const at = this.y(value);
      parts.push(shape("path", { d: `M${tidy(this.left)} ${tidy(at)}H${tidy(right)}` }));
      parts.push(
        shape(
          "text",
          { x: this.left - 0.45 * this.unit, y: at + 0.35 * this.unit, class: "y" },
          text,
        ),
      );
    }
    parts.push(
      shape(
        "text",
        { x: this.left + this.width / 2, y: bottom + 2.5 * this.unit, class: "x label" },
        x.label,
      ),
    );
    parts.push(shape("text", { x: 0.2 * this.unit, y: 1.05 * this.unit, class: "label" }, y.label));
    this.frame.replaceChildren(...parts);
    return true;
  }

  /** Where in the frame the pointer is, from 0 to 1 along both axes. */
  partsOf(event) {
    const box = this.svg.getBoundingClientRect();
    return [
      (event.clientX - box.left - this.left) / this.width,
      1 - (event.clientY - box.top - this.top) / this.height,
    ];
  }
}

/** Those of `items` whose places are far enough from those before for their widths. */
function apart(items, placeOf, widthOf) {
  const kept = [];
  for (const item of items) {
    const isFar = (other) =>
      Math.abs(placeOf(item) - placeOf(other)) >= (widthOf(item) + widthOf(other)) / 2;
    if (kept.every(isFar)) kept.push(item);
  }
  return kept;
}

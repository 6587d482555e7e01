// Numbers as text, with a true minus sign and powers of ten as one writes them.

const MINUS = "−";
const RAISED = {
  "-": "⁻",
  0: "⁰",
  1: "¹",
  2: "²",
  3: "³",
  4: "⁴",
  5: "⁵",
  6: "⁶",
  7: "⁷",
  8: "⁸",
  9: "⁹",
};

/** A number for the table and the arithmetic: `digits` significant ones, five as in gdfit's table. */
function short(value, digits = 5) {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? "not a number" : `${value < 0 ? MINUS : ""}∞`;
  }
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e7) {
    const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
    return `${signed(mantissa)}·${powerOfTen(Number(exponent))}`;
  }
  if (size >= 10 ** (digits - 1)) return grouped(signed(value.toFixed(0)));
  return signed(value.toPrecision(digits));
}

/** As `short`, without the zeros that end it: for settings and marks. */
function brief(value, digits = 5) {
  const text = short(value, digits);
  const [number, power] = text.split("·");
  const shorter = number.includes(".") ? number.replace(/\.?0+$/, "") : number;
  if (!power) return shorter;
  return shorter === "1" ? power : `${shorter}·${power}`;
}

/** A number between brackets where it is negative, to stand behind an operator. */
function operand(value) {
  const text = short(value);
  return text.startsWith(MINUS) || text.includes("·") ? `(${text})` : text;
}

function signed(text) {
  return text.replace("-", MINUS);
}

function powerOfTen(exponent) {
  return `10${[...String(exponent)].map((digit) => RAISED[digit]).join("")}`;
}

/** Whole digits with commas, where they are many: 1000, 10,000. */
function grouped(text) {
  return text.replace(MINUS, "").length > 4 ? text.replace(/\B(?=(\d{3})+$)/g, ",") : text;
}

/** A count with commas: 1,000. */
function counted(count, unit = "") {
  const text = String(count).replace(/\B(?=(\d{3})+$)/g, ",");
  return unit ? `${text} ${count === 1 ? unit : `${unit}s`}` : text;
}

/** A part as a percentage that does not say 100 % of what is less. */
function percent(part) {
  const value = 100 * (Math.abs(part) < 1e-9 ? 0 : part); // of 1 − γλ only rounding is left
  const texts = [0, 1, 2, 3, 4, 5].map((digits) => value.toFixed(digits));
  const found = texts.find(
    (text) => Number(text) < 100 && Math.abs(Number(text) - value) < 0.05 * (100 - value),
  );
  return found ? `${found}\u00a0%` : "almost 100\u00a0%";
}

/** A number as Python's %g writes it, with six significant digits. */
function sixDigits(value) {
  const [mantissa, exponent] = value.toExponential(5).split("e");
  const isShort = exponent >= -4 && exponent < 6;
  const number = isShort ? value.toFixed(5 - exponent) : mantissa;
  const shorter = number.includes(".") ? number.replace(/\.?0+$/, "") : number;
  return isShort ? shorter : `${shorter}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}

/** A column's name for a picture: on one line, and not too long; its end tells it from others. */
function named(name, longest = 24) {
  const line = name.split(/\s+/).filter(Boolean).join(" ") || "(no name)";
  const characters = [...line];
  if (characters.length <= longest) return isolated(line);
  const end = Math.floor(longest / 3);
  return isolated(
    `${characters.slice(0, longest - end - 1).join("")}…${characters.slice(-end).join("")}`,
  );
}

/** A name that is written from right to left, so that it does not turn what stands around it. */
function isolated(name) {
  return /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u.test(name)
    ? `\u2068${name}\u2069`
    : name;
}

/** ``σ(z)``: ŷ of the linear predictor, written. */
function linked(z) {
  return LOSS.symbol ? `${LOSS.symbol}(${z})` : z;
}

/** What the params are called, as in the table: w and b, or w_NAME and b with several features. */
function paramNames({ features, intercept }) {
  const weights = features.length === 1 ? ["w"] : features.map((name) => `w_${name}`);
  return intercept ? [...weights, "b"] : weights;
}

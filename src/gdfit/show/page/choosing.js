// The scale and the learning rate that are chosen where nobody says them, as gdfit chooses them: see
// learning_rate.py. And the run that a page without data descends on, as __init__.py describes it.

const LOOKED_AT = 100; // epochs at most that are there to be looked at, and not to arrive
const AT_ONCE = 10; // epochs at most in which there is no descent to see
const DRAWN = 2000; // observations
const NAMED_COLUMNS = 3; // at most that are told of one by one

/** The scale that gradient descent arrives on, and the rate on it. */
function chosenFor(scales, start, epochs) {
  const plain = scales.standardize;
  const isRound = arrivesWithin(plain, start, Math.max(epochs, LOOKED_AT)) || !scales.whiten;
  const scale = isRound ? "standardize" : "whiten";
  return { scale, lr: rateToSee(scales[scale], start, epochs) };
}

/** The rate with the least loss after the epochs; or a smaller one that arrives as well. */
function rateToSee(shape, start, epochs) {
  const best = bestRate(shape, start, epochs);
  const soon = Math.floor(epochs / 10);
  const hasArrived = excessAfter(shape, start, 0, 1) <= shape.enough;
  if (!soon || hasArrived || !arrivesWithin(shape, start, Math.min(epochs, AT_ONCE))) return best;
  let [low, high] = [0, bestRate(shape, start, soon)];
  if (excessAfter(shape, start, high, soon) > shape.enough) return best;
  while (high - low > 1e-3 * high) {
    const middle = (low + high) / 2;
    if (excessAfter(shape, start, middle, soon) <= shape.enough) high = middle;
    else low = middle;
  }
  return high;
}

function arrivesWithin(shape, start, epochs) {
  return excessAfter(shape, start, bestRate(shape, start, epochs), epochs) <= shape.enough;
}

/** The constant rate of gradient descent with the least loss after so many epochs. */
function bestRate(shape, start, epochs) {
  const parts = excessByDirection(shape, start);
  if (!parts.length) return 2 / (shape.lambda_min + shape.lambda_max);
  const falls = (rate) => {
    const slope = ([bend, part]) =>
      part + Math.log(bend) + (2 * epochs - 1) * logFactor(rate * bend);
    const isShort = ([bend]) => rate * bend < 1;
    return (
      logSum(parts.filter(isShort).map(slope)) >
      logSum(parts.filter((part) => !isShort(part)).map(slope))
    );
  };
  const bends = parts.map(([bend]) => bend);
  let [low, high] = [1 / Math.max(...bends), 1 / Math.min(...bends)];
  for (;;) {
    const middle = Math.sqrt(low) * Math.sqrt(high);
    if (!(low < middle && middle < high)) return low;
    if (falls(middle)) low = middle;
    else high = middle;
  }
}

/** ½ Σ λd²(1 − γλ)²ᴱ. */
function excessAfter(shape, start, rate, epochs) {
  const parts = excessByDirection(shape, start);
  return Math.exp(logSum(parts.map(([bend, part]) => part + 2 * epochs * logFactor(rate * bend))));
}

/** The eigenvalues that are not 0, each with the logarithm of its part of the loss, ½λd². */
function excessByDirection({ bends, axes, minimum }, start) {
  const away = start.map((value, place) => value - minimum[place]);
  const size = Math.max(Math.hypot(...start), Math.hypot(...minimum));
  return bends
    .map((bend, place) => [bend, Math.max(Math.abs(dot(axes[place], away)), Number.EPSILON * size)])
    .filter(([bend, distance]) => bend > 0 && distance > 0)
    .map(([bend, distance]) => [bend, Math.log(bend / 2) + 2 * Math.log(distance)]);
}

function logFactor(step) {
  return Math.log1p(step < 1 ? -step : step - 2);
}

/** The logarithm of the sum of what has these logarithms. */
function logSum(logarithms) {
  const largest = Math.max(-Infinity, ...logarithms);
  if (!Number.isFinite(largest)) return largest;
  return largest + Math.log(logarithms.reduce((sum, each) => sum + Math.exp(each - largest), 0));
}

/** The run that a table comes to, with the settings that nobody has changed. */
function runFrom(
  { features, target, columns, y },
  { version, settings, beyond, loss_name: lossName },
) {
  const condensed = condensedFrom(columns, y);
  if (!Number.isFinite(condensed.square))
    throw new RangeError(
      `the squares of ${target} are too large for float64; divide that column by a power of ten`,
    );
  const zeros = [...features, 1].map(() => 0);
  const scales = scalesFrom(condensed, () => zeros);
  const every = Math.ceil(y.length / DRAWN);
  const sample = [];
  for (let row = 0; row < y.length; row += every)
    sample.push([...columns.map((column) => column[row]), y[row]]);
  return {
    version,
    features,
    target,
    answer: target,
    classes: null,
    loss_name: lossName,
    observations: y.length,
    intercept: true,
    weighted: false,
    rows: { kind: "condensed", total: condensed.total, values: condensed.rows, weights: null },
    sample,
    plane: null,
    dates: false,
    validation: null,
    scales,
    settings: { ...settings, ...chosenFor(scales, zeros, settings.epochs) },
    went_on: null,
    shuffling: null,
    rounding: EXACT * condensed.square,
    beyond,
    variance: condensed.variance,
    ended: {
      status: "completed",
      epochs: settings.epochs,
      accuracy: null,
      separable: false,
      steps: [],
    },
  };
}

/** The run, with how it ends. */
function ended(record) {
  take(record);
  const { settings, scales, variance } = record;
  const descent = descentOf({});
  descent.run(settings.epochs);
  const params = inData(descent.last.params, scales[settings.scale]);
  const loss = objectiveOn(settings.scale).at(descent.last.params);
  const r_squared = variance > 0 ? 1 - loss / variance : null;
  Object.assign(record.ended, { w: [...params.slice(0, -1)], b: params.at(-1), loss, r_squared });
  if (descent.status)
    Object.assign(record.ended, { status: descent.status, epochs: descent.last.epoch });
  return record;
}

/** Why the weights of some features stay 0. */
function weightless({ features, scales, settings }) {
  const { basis, means } = scales[settings.scale];
  const isUsed = (place) =>
    Array.isArray(basis[0]) ? basis.some((row) => row[place]) : basis[place];
  const unused = features.map((_, place) => place).filter((place) => !isUsed(place));
  const isSame = (place) => !scales.standardize.basis[place];
  const same = unused
    .filter(isSame)
    .map((place) => [
      place,
      `does not vary, but for rounding (it is ${sixDigits(means[place])})`,
    ]);
  const others = unused
    .filter((place) => !isSame(place))
    .map((place) => [place, "can be computed from the columns before it"]);
  return [same, others].flatMap((reasons) => {
    const told = reasons
      .slice(0, NAMED_COLUMNS)
      .map(([place, why]) => `column ${printable(features[place])} ${why}: its weight is 0`);
    const more = reasons.length - NAMED_COLUMNS;
    return more > 0 ? [...told, `and so for ${more} more columns`] : told;
  });
}

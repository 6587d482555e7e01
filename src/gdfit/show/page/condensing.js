// Rows condensed to R, the scales to descend on, and the bends of the squared loss on them, as gdfit
// has them (condense.py, scaling.py, curvature.py). A matrix is an array of its columns.

const ROWS_AT_ONCE = 1024;
const SAME = 1e-12; // a deviation that is this part of a column is rounding
const DEPENDENT = 1e-13; // and so is what others leave of a column
const ROUNDED = 4 * Number.EPSILON; // and that part of what it was computed from
const EXACT = 1e-28; // the part of the mean of y² that is rounding
const ARRIVES = 1e-4; // N(L − L*)/L* at which no param is a hundredth of its error from the minimum
const SWEEPS = 60;
const TINY = 1e-290; // a sum of squares that may have lost digits

/** R of columns = QR, by Householder's reflections of one block of rows after the other (TSQR). */
function triangleOf(columns) {
  const width = columns.length;
  let R = columns.map(() => new Float64Array(0));
  for (let start = 0; start < columns[0].length; start += ROWS_AT_ONCE) {
    const block = columns.map((column, place) => {
      const next = column.slice(start, start + ROWS_AT_ONCE);
      const both = new Float64Array(R[place].length + next.length);
      both.set(R[place]);
      both.set(next, R[place].length);
      return both;
    });
    reflect(block);
    R = block.map((column) => column.slice(0, width));
  }
  if (!R.every((column) => column.every(Number.isFinite)))
    throw new RangeError("the numbers are too large for float64: divide the columns by a million");
  return R;
}

/** Reflect all columns, in their place, so that nothing is left below the diagonal. */
function reflect(columns) {
  const rows = columns[0].length;
  for (let place = 0; place < Math.min(columns.length, rows); place += 1) {
    const mirror = columns[place];
    const size = lengthOf(mirror, place);
    if (!size) continue;
    const unit = 2 ** -Math.floor(Math.log2(size)); // so that no product is too large or too small
    for (let row = place; row < rows; row += 1) mirror[row] *= unit;
    const length = size * unit;
    const sign = mirror[place] < 0 ? -1 : 1;
    const head = mirror[place] + sign * length;
    for (const column of columns.slice(place + 1)) {
      let product = head * column[place];
      for (let row = place + 1; row < rows; row += 1) product += mirror[row] * column[row];
      const part = product / (length * Math.abs(head));
      column[place] -= part * head;
      for (let row = place + 1; row < rows; row += 1) column[row] -= part * mirror[row];
    }
    mirror.fill(0, place + 1);
    mirror[place] = -sign * size;
  }
}

function dot(one, other) {
  let sum = 0;
  for (let place = 0; place < one.length; place += 1) sum += one[place] * other[place];
  return sum;
}

/** The root of the sum of squares, also where these are too large or too small for float64. */
function lengthOf(column, from = 0) {
  let sum = 0;
  for (let row = from; row < column.length; row += 1) sum += column[row] * column[row];
  if (sum > TINY && sum < 1 / TINY) return Math.sqrt(sum);
  let most = 0;
  for (let row = from; row < column.length; row += 1) most = Math.max(most, Math.abs(column[row]));
  if (!most || !Number.isFinite(most)) return most;
  sum = 0;
  for (let row = from; row < column.length; row += 1) sum += (column[row] / most) ** 2;
  return most * Math.sqrt(sum);
}

/**
 * The singular values of a matrix, the largest first, with the axes that they belong to, and the
 * matrix times these (one-sided Jacobi: Demmel and Veselić, SIAM J. Matrix Anal. 13, 1992).
 */
function principalAxes(columns) {
  const images = columns.map((column) => Float64Array.from(column));
  const axes = columns.map((_, place) =>
    Float64Array.from(columns, (_, row) => Number(row === place)),
  );
  const turn = (one, other, cosine, sine) => {
    for (let row = 0; row < one.length; row += 1) {
      [one[row], other[row]] = [
        cosine * one[row] - sine * other[row],
        sine * one[row] + cosine * other[row],
      ];
    }
  };
  for (let [sweep, isDone] = [0, false]; sweep < SWEEPS && !isDone; sweep += 1) {
    isDone = true;
    for (let first = 0; first < images.length; first += 1) {
      for (let second = first + 1; second < images.length; second += 1) {
        const [one, other] = [images[first], images[second]];
        const [a, b, c] = [dot(one, one), dot(other, other), dot(one, other)];
        if (!(Math.abs(c) > Number.EPSILON * Math.sqrt(a * b))) continue;
        isDone = false;
        const slope = (b - a) / (2 * c);
        const tangent = (slope < 0 ? -1 : 1) / (Math.abs(slope) + Math.hypot(1, slope));
        const cosine = 1 / Math.hypot(1, tangent);
        turn(one, other, cosine, cosine * tangent);
        turn(axes[first], axes[second], cosine, cosine * tangent);
      }
    }
  }
  return images
    .map((image, place) => ({ value: lengthOf(image), axis: axes[place], image }))
    .sort((one, other) => other.value - one.value);
}

/** The bends of the squared loss of rows [x₁…x_p, 1, y] on a scale: see __init__.py. */
function bendsOn(rows, total, l2 = 0) {
  const size = rows[0].length - 1;
  const ridge = Array.from({ length: l2 ? size - 1 : 0 }, (_, place) =>
    Array.from({ length: size + 1 }, (_, column) => (column === place ? Math.sqrt(l2 * total) : 0)),
  );
  const all = [...rows, ...ridge];
  const columns = Array.from({ length: size + 1 }, (_, column) =>
    Float64Array.from(all, (row) => row[column]),
  );
  const [design, y] = [columns.slice(0, size), columns[size]];
  const found = principalAxes(design);
  const lengths = design.map((column) => lengthOf(column) || 1);
  const even = principalAxes(
    design.map((column, place) => column.map((value) => value / lengths[place])),
  );
  const rank = even.filter(({ value }) => value > DEPENDENT * even[0].value).length;
  const minimum = new Float64Array(size);
  for (const { axis, image, value } of even.slice(0, rank)) {
    const part = dot(image, y) / value / value;
    axis.forEach((each, place) => {
      minimum[place] += (part * each) / lengths[place];
    });
  }
  for (const { axis } of found.slice(rank)) {
    // the shortest of the many minima
    const part = dot(axis, minimum);
    axis.forEach((each, place) => {
      minimum[place] -= part * each;
    });
  }
  const residuals = y.map((value, row) =>
    design.reduce((sum, column, place) => sum + column[row] * minimum[place], -value),
  );
  const bends = found.map(({ value }, place) => (place < rank ? (2 * value * value) / total : 0));
  return {
    lambda_max: bends[0],
    lambda_min: bends[rank - 1],
    minimum: [...minimum],
    minimum_loss: dot(residuals, residuals) / total,
    is_parabola: true,
    bound: null,
    is_unique: rank === size,
    steepest: [...found[0].axis],
    bends,
    axes: found.map(({ axis }) => axis),
  };
}

/** Columns x₁…x_p and y as condensed rows, and the scales that they may be descended on. */
function condensedFrom(features, y) {
  const total = y.length;
  const centres = features.map(meanOf);
  const centred = features.map((x, place) => x.map((value) => value - centres[place]));
  const R = triangleOf([new Float64Array(total).fill(1), ...centred, y]);
  const [ones, target, inner] = [R[0], R.at(-1), R.slice(1, -1)];
  const rowsOf = (columns) =>
    Array.from(ones, (one, row) => [...columns.map((column) => column[row]), one, target[row]]);
  const shifts = inner.map((column) => column[0] / ones[0]);
  const means = shifts.map((shift, place) => centres[place] + shift);
  const rest = shifts.map((shift, place) => shift - (means[place] - centres[place]));
  const deviations = inner.map((column, place) => {
    const deviation = lengthOf(column, 1) / Math.sqrt(total);
    return deviation > SAME * Math.hypot(deviation, centres[place]) ? deviation : 0;
  });
  const basis = deviations.map((deviation) => (deviation ? 1 / deviation : 0));
  const plain = rowsOf(
    inner.map((column, place) => column.map((x, row) => x + centres[place] * ones[row])),
  );
  const zeros = features.map(() => 0);
  const standard = rowsOf(
    inner.map(
      (column, place) => column.map((x, row) => (row ? x : 0) * basis[place]), // the first row has the means alone
    ),
  );
  const scales = {
    none: { means: zeros, rest: zeros, basis: null, rows: null },
    standardize: { means, rest, basis, rows: standard },
  };
  if (features.length > 1)
    scales.whiten = { means, rest, ...whitened(R, deviations, centres, total) };
  return {
    total,
    rows: plain,
    scales,
    variance: lengthOf(target, 1) ** 2 / total,
    square: dot(target, target) / total,
  };
}

/** The basis and the rows of whitened features: see `whitening` in scaling.py. */
function whitened(R, deviations, centres, total) {
  const [p, root] = [deviations.length, Math.sqrt(total)];
  const kept = [];
  deviations.forEach((deviation, place) => {
    if (deviation && isIndependent(R, kept, place, centres, root)) kept.push(place);
  });
  const T = triangleOf([R[0], ...kept.map((place) => R[place + 1]), R.at(-1)]);
  const signs = T.map((column, place) => (column[place] < 0 ? -1 : 1));
  const at = (row, column) => (T[column][row] ?? 0) * signs[row];
  const basis = deviations.map(() => new Array(p).fill(0));
  kept.forEach((place, column) => {
    // column after column of the inverse of the triangle
    const part = new Float64Array(kept.length);
    for (let row = column; row >= 0; row -= 1) {
      let left = row === column ? root : 0;
      for (let inner = row + 1; inner <= column; inner += 1)
        left -= at(row + 1, inner + 1) * part[inner];
      part[row] = left / at(row + 1, row + 1);
      basis[kept[row]][place] = part[row];
    }
  });
  const rows = signs.map((_, row) => {
    const values = new Array(p + 2).fill(0);
    if (row > 0 && row <= kept.length) values[kept[row - 1]] = root;
    if (!row) values[p] = at(0, 0);
    values[p + 1] = at(row, T.length - 1);
    return values;
  });
  return { basis, rows };
}

/** Whether more than rounding is left of a feature's column without those kept, and without ones. */
function isIndependent(R, kept, place, centres, root) {
  const columns = [R[0], ...kept.map((each) => R[each + 1]), R[place + 1]];
  const T = triangleOf(columns);
  const last = T.at(-1);
  const left = Math.abs(last[columns.length - 1] ?? 0);
  const weights = new Float64Array(kept.length + 1);
  for (let row = kept.length; row >= 0; row -= 1) {
    let sum = last[row];
    for (let column = row + 1; column <= kept.length; column += 1)
      sum -= T[column][row] * weights[column];
    weights[row] = sum / T[row][row];
  }
  const parts = weights.reduce(
    (sum, weight, each) => sum + Math.abs(weight) * lengthOf(columns[each]),
    0,
  );
  const far = kept.reduce(
    (sum, each, at) => sum + Math.abs(weights[at + 1] * centres[each]) * root,
    0,
  );
  return left > DEPENDENT * (lengthOf(R[place + 1]) + parts) + ROUNDED * far;
}

/** The mean, to the last digit or two. */
function meanOf(column) {
  const sumOf = (origin) => column.reduce((sum, value) => sum + (value - origin), 0);
  const near = column.length ? sumOf(0) / column.length : 0;
  return near + sumOf(near) / column.length;
}

/** The scales of condensed rows, with their bends, and each with its start. */
function scalesFrom({ total, rows, scales, square }, start, { l2 = 0, l1 = 0 } = {}) {
  const pairs = Object.entries(scales).filter(([name]) => !(l1 && name === "whiten"));
  return Object.fromEntries(
    pairs.map(([name, scale]) => {
      const bends = bendsOn(scale.rows ?? rows, total, l2);
      const rounding = EXACT * square;
      const enough = Math.max((ARRIVES * bends.minimum_loss) / total, rounding);
      return [name, { ...scale, ...bends, enough, start: start(scale) }];
    }),
  );
}

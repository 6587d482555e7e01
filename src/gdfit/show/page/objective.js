// The loss of rows at the params, and its gradient.

/**
 * Rows [x₁…x_p, 1, y] on a scale: x̃ = (x − means·one − rest·one) · basis. `design` is A, row after row of p+1
 * numbers; `target` is y. A condensed row has another number than 1 in its column of ones, and so
 * has one of a fit without an intercept.
 */
function scaledRows({ values, weights }, scale) {
  const size = values[0].length - 1;
  const p = size - 1;
  const design = new Float64Array(values.length * size);
  const target = new Float64Array(values.length);
  values.forEach((row, place) => {
    const one = row[p];
    const centred = scale.means.map(
      (mean, column) => row[column] - mean * one - scale.rest[column] * one,
    );
    for (let column = 0; column < p; column += 1) {
      design[place * size + column] = onBasis(centred, scale.basis, column);
    }
    design[place * size + p] = one;
    target[place] = row[size];
  });
  return { design, target, size, weights };
}

function onBasis(x, basis, column) {
  if (!basis) return x[column];
  if (!Array.isArray(basis[0])) return x[column] * basis[column];
  return x.reduce((sum, value, row) => sum + value * basis[row][column], 0);
}

/** Params on a scale as params for the data itself: w = basis · w̃, b = b̃ − means · w − rest · w. */
function inData(params, scale) {
  const p = params.length - 1;
  const data = new Float64Array(p + 1);
  data[p] = params[p];
  for (let row = 0; row < p; row += 1) {
    if (!scale.basis) data[row] = params[row];
    else if (!Array.isArray(scale.basis[0])) data[row] = scale.basis[row] * params[row];
    else
      for (let column = 0; column < p; column += 1)
        data[row] += scale.basis[row][column] * params[column];
    data[p] -= scale.means[row] * data[row] + scale.rest[row] * data[row];
  }
  return data;
}

/** The way back from `inData`, for one feature. */
function onScale([w, b], scale) {
  const length = scale.basis?.flat()[0] || 1; // 0 for a column that does not vary
  return Float64Array.of(w / length, b + scale.means[0] * w + scale.rest[0] * w);
}

/**
 * L(θ) = Σvℓ(z, y)/total + λ‖w‖² over rows, z = Aθ, and ∇L = Aᵀ(v ∂ℓ/∂z)/total + 2λw; v are their
 * weights, 1 where there are none.
 */
class Objective {
  constructor({ design, target, size, weights }, total, settings) {
    const { l2, l1 } = settings;
    Object.assign(this, { design, target, size, weights, total, l2, l1, ...lossOf(settings) });
    this.every = Int32Array.from(target.keys());
  }

  /** The loss at `params`; where there is a `grad`, the gradient is put into it. */
  at(params, grad = null) {
    return this.ofRows(this.every, 0, this.every.length, this.total, params, grad);
  }

  /** The same for the rows that `order` has from `from` to `to`. */
  ofRows(order, from, to, total, params, grad) {
    const { design, target, size, weights, value, slope, hasKink, l2, l1 } = this;
    let loss = 0;
    if (grad) grad.fill(0);
    for (let place = from; place < to; place += 1) {
      const row = order[place];
      const start = row * size;
      const y = target[row];
      let z = 0;
      for (let column = 0; column < size; column += 1) z += design[start + column] * params[column];
      if (hasKink && this.isRounding(z - y, row, params)) z = y;
      const weight = weights ? weights[row] : 1;
      loss += weight * value(z, y);
      if (!grad) continue;
      const steepness = weight * slope(z, y);
      for (let column = 0; column < size; column += 1)
        grad[column] += steepness * design[start + column];
    }
    loss /= total;
    if (grad) for (let column = 0; column < size; column += 1) grad[column] /= total;
    for (let column = 0; l2 && column < size - 1; column += 1) {
      loss += l2 * params[column] * params[column];
      if (grad) grad[column] += 2 * l2 * params[column];
    }
    for (let column = 0; l1 && column < size - 1; column += 1)
      loss += l1 * Math.abs(params[column]); // whose slope is left to a threshold
    return loss;
  }

  /** The second derivative of the squared loss along a direction. */
  bend(direction) {
    const { design, target, size, weights, total, l2 } = this;
    let squares = 0;
    for (let row = 0; row < target.length; row += 1) {
      let along = 0;
      for (let column = 0; column < size; column += 1)
        along += design[row * size + column] * direction[column];
      squares += (weights ? weights[row] : 1) * along * along;
    }
    const features = direction.subarray(0, size - 1);
    return 2 * (squares / total + l2 * dot(features, features));
  }

  /** Whether a residual is at most `AT_KINK` times |y| + Σ|aⱼθⱼ|, which must be a number. */
  isRounding(residual, row, params) {
    let sizes = Math.abs(this.target[row]);
    for (let column = 0; column < this.size; column += 1)
      sizes += Math.abs(this.design[row * this.size + column] * params[column]);
    return sizes < Infinity && Math.abs(residual) <= AT_KINK * sizes;
  }
}

// The run that the page holds, as __init__.py describes it, and descents from it.

let run;
let LOSS; // that is descended on: see losses.js
let MEAN; // what the loss is of those of the observations
let UNSCALED;
let objectives;
let validationObjective; // without a penalty and in the data's own units
let sample; // the observations to draw, rows [x₁…x_p, y]

/** Take another run, or one whose observations have changed. */
function take(record) {
  run = record;
  LOSS = lossOf(run.settings);
  MEAN = run.weighted ? "weighted mean" : "mean";
  const zeros = run.features.map(() => 0);
  UNSCALED = { means: zeros, rest: zeros, basis: null };
  objectives = {};
  const plain = { ...run.settings, l2: 0, l1: 0 };
  validationObjective =
    run.validation &&
    new Objective(scaledRows(run.validation, UNSCALED), run.validation.total, plain);
  sample = run.sample ?? run.rows.values.map((row) => [...row.slice(0, -2), row.at(-1)]);
}

/** The objective of the run's rows on a scale. */
function objectiveOn(scale) {
  objectives[scale] ??= new Objective(rowsOn(run.scales[scale]), run.rows.total, run.settings);
  return objectives[scale];
}

/** The run's rows on a scale. */
function rowsOn(scale) {
  if (scale.rows) return scaledRows({ values: scale.rows }, UNSCALED);
  return scaledRows(run.rows, scale);
}

/** The validation loss at params on a scale. */
function validationLoss(params, scale) {
  return validationObjective.at(inData(params, run.scales[scale]));
}

/** A descent on the run's rows with the run's settings, but for those that are given. */
function descentOf({ start, ...changes }) {
  const settings = { schedule: "constant", decay: null, ...run.settings };
  for (const [name, value] of Object.entries(changes)) {
    if (!(name in settings)) throw new RangeError(`there is no setting ${name}`);
    if (value !== undefined) settings[name] = value;
  }
  const scale = run.scales[settings.scale];
  if (!scale || !rulesOf(settings)[settings.optimizer]) {
    throw new RangeError(`no scale ${settings.scale} or no optimizer ${settings.optimizer}`);
  }
  const params = start ?? scale.start;
  if (params.length !== run.features.length + 1) {
    throw new RangeError(`a start has ${run.features.length + 1} numbers`);
  }
  const { shuffling, beyond } = run;
  const before = isOwn(params, settings) ? run.went_on : null;
  const given = { shuffling, beyond, before };
  return new Descent(objectiveOn(settings.scale), settings, params, given);
}

/** Whether `params` are the run's own start, with an update rule that can go on from there. */
function isOwn(params, { scale, optimizer }) {
  const own = run.scales[scale].start;
  const isSame = scale === run.settings.scale && optimizer === run.settings.optimizer;
  return isSame && params.every((value, place) => value === own[place]);
}

/**
 * Every epoch of a descent, `[{epoch, loss, params, grad}, …]`, as a run of gdfit in Python has its
 * steps: loss and grad at the params before the epoch's update, params after it, on the scale that
 * is descended on; epochs counted on from those before the start.
 *
 * options : `lr`, `epochs`, `optimizer`, `momentum`, `betas`, `schedule`, `decay`, `scale` and `start`, the params to
 *     start from; by default those of the run.
 */
function descend(options = {}) {
  const descent = descentOf(options);
  const epochs = options.epochs ?? run.ended.epochs;
  const steps = [];
  while (descent.last.epoch - descent.first < epochs && !descent.status) {
    descent.run(descent.last.epoch + 1);
    const { epoch, loss, params, grad } = descent.last;
    steps.push({ epoch, loss, params: Array.from(params), grad: Array.from(grad) });
  }
  return steps;
}

window.gdfit = { descend, run: () => run };

// What a learning rate means on these data, and how a descent goes, in words.

/** The penalties in the loss, in symbols. */
function penaltiesOf({ l2, l1 }) {
  const [ridge, lasso] = [l2 && `${brief(l2)} · ‖w‖²`, l1 && `${brief(l1)} · ‖w‖₁`];
  return [ridge, lasso].filter(Boolean).join(" + ");
}

/** What to expect of the settings on a scale: a kind, a word that leads, and a sentence. */
function verdict(settings, shape) {
  const { lr, optimizer, schedule = "constant", epochs } = settings;
  if (LINE_SEARCHES.includes(optimizer)) return ["free", "Finds γ itself.", SEARCHES[optimizer]];
  if (schedule === "constant") return constantVerdict(settings, shape);
  const [kind, lead, text] = constantVerdict(settings, shape);
  const falls = ` That is for the first epoch: by the schedule γ falls, to ${brief(rateIn(epochs, epochs, settings), 2)} in the last.`;
  return kind === "diverges"
    ? ["zigzags", "Climbs at first.", text + falls]
    : [kind, lead, text + falls];
}

const SEARCHES = {
  steepest:
    "In each epoch γ = ‖∇L‖²/∇LᵀH∇L leads to the lowest point along the gradient. There the next gradient is at a right angle to it: in a narrow valley the way zigzags.",
  cg: "Conjugate gradients go to the lowest point along a direction that keeps what those before have reached: with p + 1 params they arrive after p + 1 epochs, but for rounding.",
};
const OWN_STEPS = {
  adam: "adam's steps are about γ = LR long in each param, however steep the loss is. Near the minimum it can't come closer than that until its steps average out.",
  rmsprop:
    "rmsprop divides each slope by its usual size of late: its steps are about γ = LR long in each param, however steep the loss is, and in the end the params hover around the minimum.",
  adagrad:
    "adagrad divides each slope by the root of the sum of all its squares so far: the first step is γ = LR long in each param, and the steps become ever shorter.",
};

/** The same for a learning rate that stays. */
function constantVerdict(settings, shape) {
  const { lr, optimizer } = settings;
  if (OWN_STEPS[optimizer])
    return ["free", "No such limit.", OWN_STEPS[optimizer].replace("LR", brief(lr, 3))];
  if (shape.lambda_max === undefined) return ["free", "No such limit.", LOSS.free];
  if (!shape.is_parabola) return bentVerdict(settings, shape);
  const limit = stableLimit(settings, shape);
  if (!limit) {
    return ["diverges", "Too large.", "The numbers are too large for float64: λmax is infinite."];
  }
  const part = lr / limit.lr;
  if (settings.l1 && part < 1)
    return [
      "converges",
      "Converges.",
      `γ is ${share(part)} of the limit of the loss without λ₁‖w‖₁. After each step a threshold takes ${brief(lr * settings.l1)} off each weight: those that are less become 0.`,
    ];
  const steep = factorAlong(settings, lr * shape.lambda_max);
  const flat = factorAlong(settings, lr * shape.lambda_min);
  if (part > 1) return tooLarge(settings, part, steep);
  if (part > 1 - 1e-9)
    return [
      "zigzags",
      "At the limit.",
      "Along the steepest direction each step lands as far away on the other side: it neither comes nearer nor leaves.",
    ];
  if (isBatched(settings))
    return [
      "free",
      "Hovers.",
      `γ is ${share(part)} of the limit for the whole loss. But the gradient of a mini-batch is not quite that of the whole, and it may be steeper: in the end the params hover around the minimum, the nearer the smaller γ is.`,
    ];
  const pace = paceOf(settings, shape);
  if (optimizer !== "gd") {
    return [
      "converges",
      "Converges.",
      `γ is ${share(part)} of the limit. The steps before it carry it on: it may run past the minimum and come back. ${pace}`,
    ];
  }
  if (steep < -1e-9) {
    return [
      "zigzags",
      "Zigzags, and converges.",
      `γ is ${share(part)} of the limit. Along the steepest direction each step overshoots the minimum, and lands ${-steep > 0.995 ? "almost" : times(-steep)} as far away on the other side. ${pace}`,
    ];
  }
  const both =
    shape.lambda_max > shape.lambda_min * 1.01
      ? `Each epoch leaves ${percent(steep)} of the way to the minimum along the steepest direction, ${percent(flat)} along the flattest.`
      : `Each epoch leaves ${percent(steep)} of the way to the minimum.`;
  return ["converges", "Converges.", `γ is ${share(part)} of the limit. ${both} ${pace}`];
}

/** The same where the loss is no parabola, and its bend at the minimum is known. */
function bentVerdict(settings, shape) {
  const { lr } = settings;
  const limit = stableLimit(settings, shape);
  const there = `At the minimum ${limit.text} is ${brief(limit.lr, 4)}`;
  const part = `and γ is ${share(lr / limit.lr)} of that`;
  if (isBatched(settings))
    return [
      "free",
      "Hovers.",
      `${there}, for the whole loss. In the end the params hover around the minimum, the nearer the smaller γ is.`,
    ];
  if (lr > limit.lr)
    return [
      "diverges",
      "Does not settle.",
      `${there}, and γ is ${brief(lr / limit.lr, 3)} times that: near the minimum each step lands farther away on the other side, so that the params swing around it, or leave.`,
    ];
  const pace = paceOf(settings, shape);
  if (settings.optimizer !== "gd" || !shape.bound)
    return [
      "converges",
      "Converges.",
      `${there}, ${part}. Far away the loss may be steeper, and the steps overshoot. ${pace}`,
    ];
  const bound = `2/λmax = ${brief(limit.calm, 4)} of the bound on the Hessian, below which gradient descent surely comes down`;
  if (lr > limit.calm)
    return [
      "zigzags",
      "Converges.",
      `γ is ${brief(lr / limit.calm, 3)} times ${bound}: on the way the steps may overshoot. ${there}, ${part}. ${pace}`,
    ];
  return [
    "converges",
    "Converges.",
    `γ is ${share(lr / limit.calm)} of ${bound}. ${there}. ${pace}`,
  ];
}

/** Whether an epoch is more than one update. */
function isBatched({ batch_size: size }) {
  return Boolean(size) && size < run.observations;
}

function tooLarge({ optimizer }, part, steep) {
  const many = `γ is ${brief(part, 3)} times the limit.`;
  if (optimizer !== "gd")
    return [
      "diverges",
      "Diverges.",
      `${many} Along the steepest direction the way becomes ${times(Math.abs(steep))} as long in each epoch.`,
    ];
  return [
    "diverges",
    "Diverges.",
    `${many} Along the steepest direction each step overshoots the minimum so far that it lands ${times(-steep)} as far away on the other side, where it is steeper still: the loss grows ${brief(steep * steep, 3)}-fold in each epoch.`,
  ];
}

function paceOf(settings, shape) {
  const epochs = epochsPerDigit(settings, shape);
  if (!Number.isFinite(epochs)) return "";
  if (epochs < 0.5) return "One step reaches the minimum.";
  const about = Number(Math.max(epochs, 1).toPrecision(2));
  return `About ${about < 1e7 ? counted(about, "epoch") : `${brief(about, 2)} epochs`} for each further digit.`;
}

function times(factor) {
  return `${brief(factor, 3)} times`;
}

/** A part, of the limit: 2.2 %. */
function share(part) {
  if (part > 0.995) return "just less than 100\u00a0%";
  return part < 0.001 ? `${brief(part, 2)} times` : `${Number((100 * part).toPrecision(2))}\u00a0%`;
}

/** How far a loss is above the least. */
function aboveMinimum(loss, least, scale) {
  if (!Number.isFinite(loss)) return "";
  if (loss - least <= Math.max(1e-9 * Math.abs(least), 1e-28 * scale)) return "the minimum";
  if (!(Math.abs(least) > 1e-28 * scale)) return "the minimum is 0";
  if (least < 0) return `${short(loss - least, 3)} above the minimum`;
  const ratio = loss / least;
  return ratio < 2
    ? `${brief(100 * (ratio - 1), 2)}\u00a0% above the minimum`
    : `${brief(ratio, 3)} times the minimum`;
}

/** What the run was and how it ended. */
function historyOf({ ended, settings, scales, went_on: model }) {
  const { optimizer, lr, scale, schedule = "constant" } = settings;
  const falling = schedule === "constant" ? "" : `, schedule ${schedule}`;
  const onScale = Object.keys(scales).length > 1 ? `, scale ${scale}` : "";
  const shown =
    ended.epochs > FIRST_EPOCHS ? `, of which the first ${counted(FIRST_EPOCHS)} are shown` : "";
  const known =
    ended.accuracy === null ? "" : `, accuracy ${brief(100 * ended.accuracy, 3)}\u00a0%`;
  const fit = ended.r_squared === null ? known : `, R² ${brief(ended.r_squared)}`;
  const end = `${ended.status} after ${counted(ended.epochs, "epoch")}`;
  const before = model ? `, going on after ${counted(model.epochs, "epoch")}` : "";
  const rate = LINE_SEARCHES.includes(optimizer) ? "" : `, lr ${brief(lr)}`;
  return `The run: ${optimizer}${rate}${falling}${onScale}${before}; ${end}${shown}${ended.status === "diverged" ? "" : fit}.`;
}

/** What the page descends on, and whether its numbers are the run's. */
function groundOf({ rows, observations, settings }) {
  const all =
    observations === 1 ? "the one observation" : `all ${counted(observations)} observations`;
  if (rows.kind !== "sample") {
    const ground =
      rows.values.length < observations
        ? `${rows.values.length} condensed rows with the loss and gradient of ${all}`
        : all;
    return [false, `The page descends on ${ground}: the same numbers.`];
  }
  const isOwn = run.scales[settings.scale].is_parabola;
  const name = run.loss_name.replace(/^./, (letter) => letter.toUpperCase());
  const why = isOwn ? "Mini-batches need" : `${name} needs`;
  return [
    true,
    `${why} the observations themselves, and this page holds a sample of ${counted(rows.values.length)} of the ${counted(observations)}; it descends on the sample, so its numbers are near those of the run, which is drawn in grey, not the same.`,
  ];
}

/** Say what the run is; `isOwn` unless its observations have been changed. */
function describe(isOwn) {
  const { features, answer, observations, settings, validation, intercept } = run;
  const name = named(answer, 40);
  const model =
    features.length === 1
      ? `${name} = ${linked(`w · ${named(features[0])}${intercept ? " + b" : ""}`)}`
      : `${name} from ${counted(features.length)} features`;
  const held = validation ? `, validated on ${counted(validation.observations)} more` : "";
  const batches = settings.batch_size ? `, in mini-batches of ${counted(settings.batch_size)}` : "";
  const penalties = penaltiesOf(settings);
  const penalty = penalties ? `, with the penalty ${penalties}` : "";
  const loss = `${run.weighted ? "weighted " : ""}${run.loss_name}`;
  const about = `${loss} of ${counted(observations, "observation")}${batches}${penalty}${held}`;
  const [isNote, ground] = groundOf(run);
  say(document.getElementById("model"), model);
  say(document.getElementById("about"), about);
  const holder = document.getElementById(isNote ? "ground" : "footing");
  holder.hidden = false;
  const history = isOwn ? historyOf(run) : "The observations have been changed.";
  say(holder, isNote ? ground : `${history} ${ground}`);
  say(document.getElementById("made"), `gdfit ${run.version}`);
}

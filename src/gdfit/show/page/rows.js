// The rows of a table, what is wrong with one, and what looks like none, as gdfit says it
// (plain_reader.py, csv_file.py, suspicions.py).

const LOOKED_THROUGH = 2000; // rows, for numbers that stand for a missing value
const TOTAL = new RegExp(`^(?:${SPELLINGS.total})`, "i");

/** The numbers of the columns that are used; the first fault is told as gdfit tells it. */
function readRows(text, { delimiter, decimal, names, header, chosen, choice, faults }) {
  const [{ places }, width] = [chosen, names.length];
  const inOrder = [...places].sort((one, other) => one - other);
  const values = places.map(() => new Float64Array(1024));
  const number = NUMBER[decimal];
  let [count, skipped, isHeader] = [0, 0, header !== null];
  let [above, last] = [null, null];
  const room = new Float64Array(width);
  for (const record of records(text, delimiter)) {
    if (isHeader) {
      isHeader = false;
      continue;
    }
    const { fields } = record;
    if (fields.length !== width || fields[width - 1].includes('"'))
      checkForm(record, width, () => broken(text, record, delimiter, width, faults));
    [above, last] = [last, record.line > 1 ? fields : null]; // as of a file's end
    let isWhole = true;
    for (const place of inOrder) {
      let said = fields[place];
      if (number.test(said)) {
        room[place] = valueOf(said, decimal);
        if (Number.isFinite(room[place])) continue;
      }
      said = contentOf(said);
      if (MISSING.has(said)) {
        if (!choice.dropMissing) throw missingField(said, record.line, names[place], chosen);
        isWhole = false;
        continue;
      }
      room[place] = number.test(said) ? valueOf(said, decimal) : NaN;
      if (!Number.isFinite(room[place]))
        throw wrongField(said, record.line, names[place], faults, faults.held[place]);
    }
    if (!isWhole) {
      skipped += 1;
      continue;
    }
    if (count === values[0].length)
      values.forEach((column, at) => {
        values[at] = new Float64Array(2 * count);
        values[at].set(column);
      });
    for (let at = 0; at < places.length; at += 1) values[at][count] = room[places[at]];
    count += 1;
  }
  if (!count)
    throw new FileError(
      skipped ? "there are no observations without a missing field" : "there are no observations",
    );
  const columns = values.map((column) => column.slice(0, count));
  const notes = skipped
    ? [`skipped ${skipped === 1 ? "1 row" : `${skipped} rows`} with a missing field`]
    : [];
  const word = (fields) => contentOf(fields?.find((field) => contentOf(field)) ?? "");
  if (
    above &&
    TOTAL.test(word(last)) &&
    !TOTAL.test(word(above)) &&
    last.some((field) => hasNumber(contentOf(field)))
  )
    notes.push(
      `${faults.name}: the last row begins with ${quoted(word(last))}: --skip-end 1 leaves it out`,
    );
  notes.push(...suspicionsOf(columns, [...chosen.features, chosen.target]));
  return { columns: columns.slice(0, -1), y: columns.at(-1), notes };
}

function checkForm({ fields, line, last }, width, hintOf) {
  const end = fields.at(-1).trimEnd();
  if (end[0] === '"' && !QUOTED.test(end)) {
    const closed = /^"(?:[^"]|"")*"(?!")/.exec(end);
    const rest = closed && quoted(end.slice(closed[0].length));
    if (end.includes('\\"'))
      throw new CommandError("has backslashes before quotes", { line: last });
    throw new FileError(
      (closed
        ? `a quote opens a field here, and after it closes there is ${rest}`
        : "a quote opens a field here that does not end") + hintOf(),
      { line: last },
    );
  }
  if (fields.length === width) return;
  const found = fields.length === 1 ? "1 field" : `${fields.length} fields`;
  const mark = /^[#%]/.exec(fields[0]);
  const hint = mark ? `; --comment ${quoted(mark[0])} leaves out comments` : "";
  throw new FileError(`has ${found}, not ${width} as the first line has${hint || hintOf()}`, {
    line,
  });
}

/** What to type to do without a row of another form: `--skip-end` where nothing but such follow. */
function broken(text, { line, fields }, delimiter, width, { isFewBroken }) {
  const rest =
    fields.length < width
      ? [...records(text, delimiter)].filter((record) => record.line >= line)
      : [];
  const isEnd = rest.length > 0 && rest.every((record) => record.fields.length < width);
  if (isEnd) return `; --skip-end ${rest.length} leaves out the end`;
  return isFewBroken ? "; --skip-broken leaves out such rows" : "";
}

/** What to say of a way to do without a column, if there is one. */
function without(column, { features, target, offered }) {
  if (column === target) {
    const others = offered.filter((name) => name !== column);
    if (others.length < 2) return "";
    const [most, shown] = [others.slice(-3).map((name) => quoted(name)), ""];
    return `; --target takes another column: ${shown}${most.length > 1 ? `${most.slice(0, -1).join(", ")} or ` : ""}${most.at(-1)}`;
  }
  return features.length > 1 ? `; --exclude ${typedColumn(column)} leaves the column out` : "";
}

function missingField(said, line, column, chosen) {
  const what = said ? `${quoted(said)} stands for a missing value` : "the field is empty";
  const isOut = column !== chosen.target && chosen.features.length > 1;
  const ways = [{ dropMissing: true }, ...(isOut ? [{ exclude: column }] : [])];
  return new FileError(`${what}; --drop-missing skips such rows${without(column, chosen)}`, {
    line,
    column,
    ways,
  });
}

function wrongField(said, line, column, { decimal, chosen, isFewBroken }, held) {
  const other = OTHER_MARK[decimal];
  const isNumber = NUMBER[decimal].test(said);
  const [isOther, isInfinite] = [NUMBER[other].test(said), INFINITE.test(said)];
  if (!isNumber && !isOther && !isInfinite && isSpelled(said))
    throw new CommandError(noNumber(said, decimal), { line, column });
  const what = isNumber
    ? `${quoted(said)} is larger than the largest float64, 1.8e308`
    : noNumber(said, decimal);
  if (isOther && !isNumber)
    return new FileError(what, { line, column, ways: [{ decimal: other }] });
  const isOut = column !== chosen.target && chosen.features.length > 1;
  const ways = isOut ? [{ exclude: column }] : [];
  if (!isNumber && !isInfinite && isMissingMark(said)) {
    const hint = `; if it stands for a missing value, --missing ${typed(said)} --drop-missing`;
    return new FileError(what + hint + without(column, chosen), { line, column, ways });
  }
  const isKey = held.isKey && /[0-9]/.test(said) && !isNumber;
  if (isFewBroken && !isKey)
    return new FileError(`${what}; --skip-broken leaves out such rows`, { line, column, ways });
  return new FileError(what + without(column, chosen), { line, column, ways });
}

/** What to say of a last row that is a total, and of numbers that stand for a missing value. */
function suspicionsOf(columns, names) {
  const notes = [];
  const above = columns[0].length - 1;
  const sums = columns.map((column) =>
    column.subarray(0, above).reduce((sum, value) => sum + value, 0),
  );
  const squares = columns.map((column) => dot(column, column));
  const every = (test) => columns.every((column, at) => test(column[above], sums[at], squares[at]));
  const isSum = every(
    (last, sum, square) => Math.abs(sum - last) <= 1e-9 * Math.sqrt(square * above),
  );
  const varies = !every((last, sum) => sum / above === last);
  const spread = (sum, square) => Math.sqrt(Math.max(square / above - (sum / above) ** 2, 0));
  const isMean = every(
    (last, sum, square) => Math.abs(sum / above - last) <= 1e-3 * spread(sum, square),
  );
  const isSpread = columns.length > 1 && columns.some((_, at) => spread(sums[at], squares[at]) > 0);
  const said = above < 5 ? "" : isSum && varies ? "sum" : isMean && isSpread ? "mean" : "";
  if (said) notes.push(`the last row is the ${said} of all above: --skip-end 1 leaves it out`);
  columns.forEach((whole, at) => {
    const every = Math.ceil(whole.length / LOOKED_THROUGH);
    const column = whole.filter((_, row) => row % every === 0);
    const [low, high] = extent(column);
    for (const [end, sign] of [
      [low, 1],
      [high, -1],
    ]) {
      const others = column.filter((value) => value !== end);
      if (column.length - others.length < 3 || new Set(others).size < 3) continue;
      const [least, most] = extent(others);
      if ((sign > 0 ? least - end : end - most) <= most - least) continue;
      const value = Number(end.toPrecision(15));
      notes.push(
        `${printable(names[at])} is ${value} in several rows, far from all others: if that stands for a missing value, --missing ${value} --drop-missing`,
      );
      break;
    }
  });
  const y = columns.at(-1);
  if (y.every((value) => value === 0 || value === 1) && y.includes(0) && y.includes(1))
    notes.push(`${printable(names.at(-1))} is 0 or 1 in all rows: --loss logistic fits how probable 1 is`);
  return notes;
}

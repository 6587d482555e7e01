// The columns of a text that a fit uses, and what is said of them, as gdfit chooses them and says it
// (held.py, columns.py, suspicions.py).

const GROUPED = /^[+-]?[0-9]{1,3}([,.][0-9]{3})+$/; // thousands, or decimals
const MOST_FEATURES = 100; // which are condensed and whitened in an instant
const ROW_NAMES = /^(?:row[._ ]?names|unnamed: \d+)$/i;
const TOTAL = new RegExp(`^(?:${SPELLINGS.total})`, "i");

/** What a column holds in the first rows. */
function heldIn(column, decimal) {
  const present = column.filter((said) => !MISSING.has(said));
  const other = OTHER_MARK[decimal];
  const strange = present.filter((said) => !saysNumber(said, decimal));
  const isMost = (test) => 2 * present.filter(test).length > present.length;
  const isDated = strange.length > 0 && isMost((said) => DATED.test(said));
  const words = strange.filter((said) => !saysNumber(said, other));
  const isDoubtful = strange.length > 0 && strange.every((said) => GROUPED.test(said));
  const isOdd = isDoubtful || !isDated && words.length > 0 && isMost((said) => isSpelled(said) && !saysNumber(said, decimal));
  const numbers = present.length - words.length;
  const keys = present.filter((said) => !words.includes(said));
  const isKey = keys.length > 1 && keys.every((said, at) => /^[0-9]+$/.test(said) && (!at || Number(said) >= Number(keys[at - 1])));
  const isNumeric = !isDated && !isOdd && (words.length < numbers || (words.length === numbers && numbers > 0) || !column.length);
  return { isNumeric: isNumeric || (!present.length && !words.length && !column.length), isDated, isOdd, isKey, words, values: new Set(present), missing: column.length - present.length, numbers };
}

/**
 * A text as a table.
 *
 * name : of the file, for a note of it.
 * choice : `target`, `exclude` (columns), `decimal`, `dropMissing`, where somebody says them.
 * Returns the `names` of all columns and those `offered` that have numbers; the `features` and the
 * `target`, their `columns` and `y`; and the `notes`.
 */
function tableOf(given, name, choice = {}) {
  const decimal = choice.decimal ?? ".";
  const text = given.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  if (text.includes("\0")) throw new CommandError("has null bytes");
  if (!text.trim()) throw new FileError("is empty");
  if (/^"?sep=.|^[#%]/i.test(text)) throw new CommandError("begins with a comment", { line: 1 });
  const { delimiter, rows: head } = sniffed(text);
  if (!text.includes('"') && areInSingleQuotes(head.slice(1)))
    throw new CommandError("has other quotes than double ones");
  const { header, rows, width } = topOf(head, decimal);
  const given_names = header ?? (width <= 2 ? ["x", "y"].slice(0, width) : [...Array.from({ length: width - 1 }, (_, place) => `x${place + 1}`), "y"]);
  const names = given_names.map((name, place) => name || `column${place + 1}`);
  if (names.length < 2)
    throw new FileError("has one column, and a fit needs two at least, x and y (is the delimiter right? see --delimiter)");
  const alike = rows.map(({ fields }) => fields).filter((fields) => fields.length === names.length);
  const held = names.map((_, place) => heldIn(alike.map((fields) => fields[place]), decimal));
  const chosen = chooseColumns(names, given_names, held, header !== null, choice);
  const faults = { name, decimal, chosen, held, isFewBroken: areFewBroken(alike, rows.length, held, decimal) };
  const read = readRows(text, { delimiter, decimal, names, header, chosen, choice, faults });
  const notes = [...chosen.notes, ...read.notes];
  return { ...chosen, ...read, names, notes };
}

/** Whether delimiters stand in single quotes, or a column, of two rows at least, is all in them. */
function areInSingleQuotes(rows) {
  const isEvery = (place) => rows.every(({ fields }) => /^'.*'$/.test(fields[place] ?? ""));
  const isCut = ({ fields }) => {
    const first = fields.findIndex((field) => /^'[^']*$/.test(field));
    return first >= 0 && fields.slice(first + 1).some((field) => /^[^']*'$/.test(field));
  };
  return rows.some(isCut) || (rows.length > 1 && rows[0].fields.some((_, place) => isEvery(place)));
}

/** Whether less than a tenth of the first rows can't be read. */
function areFewBroken(rows, count, held, decimal) {
  const isRead = (said, place) => !held[place].isNumeric || MISSING.has(said) || NUMBER[decimal].test(said);
  return 10 * (count - rows.filter((fields) => fields.every(isRead)).length) < count;
}

/** Which columns are features, and which is the target. */
function chooseColumns(names, given, held, isNamed, choice) {
  const aside = new Set(names.filter((name, place) => !given[place] || (isNamed && !place && ROW_NAMES.test(name))));
  const places = names.map((_, place) => place).filter((place) => !aside.has(names[place]));
  const notes = names
    .filter((name, place) => place && !given[place] && held[place].numbers)
    .map((name) => `a column has no name, and is left out: --features ${name} uses it`);
  const offered = places.filter((place) => held[place].isNumeric);
  const usable = offered.filter((place) => !choice.exclude?.includes(names[place]));
  const odd = places.find((place) => held[place].isOdd && !choice.exclude?.includes(names[place]));
  if (odd !== undefined)
    throw new CommandError(`numbers as ${quoted([...held[odd].values].find((said) => !saysNumber(said, ".")))} are written in a way of their own`, { column: names[odd], ways: [{ exclude: names[odd] }] });
  const named = (name) => usable.find((place) => names[place] === name);
  const target = named(choice.target) ?? named("y") ?? usable.at(-1);
  if (target === undefined || usable.length < 2) {
    if (places.some((place) => !held[place].isNumeric && place !== target))
      throw new CommandError("a fit needs a feature and a target, two columns with numbers; gdfit can take dates and words");
    throw new FileError("a fit needs a feature and a target, two columns with numbers");
  }
  const features = usable.filter((place) => place !== target);
  if (features.length > MOST_FEATURES) throw new CommandError(`has ${features.length} features, and a page takes ${MOST_FEATURES}`);
  for (const place of usable) {
    const twice = names.filter((name) => name === names[place]).length;
    if (twice > 1) throw new FileError(`${twice} columns are called ${quoted(names[place])}; name them apart in the header, or --exclude ${typedColumn(names[place])}`, { ways: [{ exclude: names[place] }] });
  }
  const left = places.filter((place) => !held[place].isNumeric && !choice.exclude?.includes(names[place]));
  const listed = (some) => some.slice(0, 8).map((place) => names[place]).join(", ") + (some.length > 8 ? `, … (${some.length} in all)` : "");
  const dated = left.filter((place) => held[place].isDated);
  const texts = left.filter((place) => !held[place].isDated);
  if (dated.length)
    notes.push(`left out columns of dates: ${listed(dated)} (--features ${typedColumn(names[dated[0]])} uses one as days since 1970-01-01)`);
  if (texts.length)
    notes.push(`left out columns without numbers in the first lines: ${listed(texts)} (--features ${typedColumn(names[texts[0]])} uses one as a category)`);
  const isInstead = !choice.target && names[target] !== "y" && left.includes(names.length - 1);
  if (isInstead)
    notes.push(`the last column of the file has no numbers: the target is ${names[target]} (see --target)`);
  return { offered: offered.map((place) => names[place]), features: features.map((place) => names[place]), target: names[target], places: [...features, target], notes };
}

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
    checkForm(record, width, () => broken(text, record, delimiter, width, faults));
    [above, last] = [last, fields];
    let isWhole = true;
    for (const place of inOrder) {
      const field = fields[place];
      const said = number.test(field) ? field : contentOf(field);
      if (MISSING.has(said)) {
        if (!choice.dropMissing) throw missingField(said, record.line, names[place], chosen);
        isWhole = false;
        continue;
      }
      room[place] = number.test(said) ? valueOf(said, decimal) : NaN;
      if (!Number.isFinite(room[place])) throw wrongField(said, record.line, names[place], faults, faults.held[place]);
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
    places.forEach((place, at) => {
      values[at][count] = room[place];
    });
    count += 1;
  }
  if (!count) throw new FileError(skipped ? "there are no observations without a missing field" : "there are no observations");
  const columns = values.map((column) => column.slice(0, count));
  const notes = skipped ? [`skipped ${skipped === 1 ? "1 row" : `${skipped} rows`} with a missing field`] : [];
  const word = (fields) => contentOf(fields?.find((field) => contentOf(field)) ?? "");
  if (above && TOTAL.test(word(last)) && !TOTAL.test(word(above)) && last.some((field) => hasNumber(contentOf(field))))
    notes.push(`${faults.name}: the last row begins with ${quoted(word(last))}: --skip-end 1 leaves it out`);
  notes.push(...suspicionsOf(columns, [...chosen.features, chosen.target]));
  return { columns: columns.slice(0, -1), y: columns.at(-1), notes };
}

function checkForm({ fields, line, last }, width, hintOf) {
  const end = fields.at(-1).trimEnd();
  if (end[0] === '"' && !QUOTED.test(end)) {
    const closed = /^"(?:[^"]|"")*"/.exec(end);
    const rest = closed && quoted(end.slice(closed[0].length));
    if (end.includes('\\"')) throw new CommandError("has backslashes before quotes", { line: last });
    throw new FileError((closed ? `a quote opens a field here, and after it closes there is ${rest}` : "a quote opens a field here that does not end") + hintOf(), { line: last });
  }
  if (fields.length === width) return;
  const found = fields.length === 1 ? "1 field" : `${fields.length} fields`;
  const mark = /^[#%]/.exec(fields[0]);
  const hint = mark ? `; --comment ${quoted(mark[0])} leaves out comments` : "";
  throw new FileError(`has ${found}, not ${width} as the first line has${hint || hintOf()}`, { line });
}

/** What to type to do without a row of another form: `--skip-end` where nothing but such follow. */
function broken(text, { line, fields }, delimiter, width, { isFewBroken }) {
  const rest = fields.length < width ? [...records(text, delimiter)].filter((record) => record.line >= line) : [];
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
  return new FileError(`${what}; --drop-missing skips such rows${without(column, chosen)}`, { line, column, ways });
}

function wrongField(said, line, column, { decimal, chosen, isFewBroken }, held) {
  const other = OTHER_MARK[decimal];
  const isNumber = NUMBER[decimal].test(said);
  const [isOther, isInfinite] = [NUMBER[other].test(said), INFINITE.test(said)];
  if (!isNumber && !isOther && !isInfinite && isSpelled(said))
    throw new CommandError(noNumber(said, decimal), { line, column });
  const what = isNumber ? `${quoted(said)} is larger than the largest float64, 1.8e308` : noNumber(said, decimal);
  if (isOther && !isNumber) return new FileError(what, { line, column, ways: [{ decimal: other }] });
  const isOut = column !== chosen.target && chosen.features.length > 1;
  const ways = isOut ? [{ exclude: column }] : [];
  if (!isNumber && !isInfinite && isMissingMark(said)) {
    const hint = `; if it stands for a missing value, --missing ${typed(said)} --drop-missing`;
    return new FileError(what + hint + without(column, chosen), { line, column, ways });
  }
  const isKey = held.isKey && /[0-9]/.test(said) && !isNumber;
  if (isFewBroken && !isKey) return new FileError(`${what}; --skip-broken leaves out such rows`, { line, column, ways });
  return new FileError(what + without(column, chosen), { line, column, ways });
}

/** What to say of a last row that is a total, and of numbers that stand for a missing value. */
function suspicionsOf(columns, names) {
  const notes = [];
  const above = columns[0].length - 1;
  const sums = columns.map((column) => column.subarray(0, above).reduce((sum, value) => sum + value, 0));
  const squares = columns.map((column) => dot(column, column));
  const every = (test) => columns.every((column, at) => test(column[above], sums[at], squares[at]));
  const isSum = every((last, sum, square) => Math.abs(sum - last) <= 1e-9 * Math.sqrt(square * above));
  const varies = !every((last, sum) => sum / above === last);
  const spread = (sum, square) => Math.sqrt(Math.max(square / above - (sum / above) ** 2, 0));
  const isMean = every((last, sum, square) => Math.abs(sum / above - last) <= 1e-3 * spread(sum, square));
  const isSpread = columns.length > 1 && columns.some((_, at) => spread(sums[at], squares[at]) > 0);
  const said = above < 5 ? "" : isSum && varies ? "sum" : isMean && isSpread ? "mean" : "";
  if (said) notes.push(`the last row is the ${said} of all above: --skip-end 1 leaves it out`);
  columns.forEach((column, at) => {
    const [low, high] = extent(column);
    for (const [end, sign] of [[low, 1], [high, -1]]) {
      const others = column.filter((value) => value !== end);
      if (column.length - others.length < 3 || new Set(others.slice(0, 1000)).size < 3) continue;
      const [least, most] = extent(others);
      if ((sign > 0 ? least - end : end - most) <= most - least) continue;
      const value = Number(end.toPrecision(15));
      notes.push(`${names[at]} is ${value} in several rows, far from all others: if that stands for a missing value, --missing ${value} --drop-missing`);
      break;
    }
  });
  const y = columns.at(-1);
  if (y.every((value) => value === 0 || value === 1) && y.includes(0) && y.includes(1))
    notes.push(`${names.at(-1)} is 0 or 1 in all rows: --loss logistic fits how probable 1 is`);
  return notes;
}

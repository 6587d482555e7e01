// The columns of a text that a fit uses, and what is said of them, as gdfit chooses them and says it
// (sniffing.py, columns.py).

const GROUPED = /^[+-]?[0-9]{1,3}([,.][0-9]{3})+$/; // thousands, or decimals
const IN_THREES = /^[+-]?[0-9]{1,3}(\.[0-9]{3})+$/;
const MOST_FEATURES = 100; // which are condensed and whitened in an instant
const BEGINNING = 4096; // of a file, where null bytes tell what it is
const RARE = 10; // of so many characters, fewer than one is null
const ROW_NAMES = /^(?:row[._ ]?names|unnamed: [\d.]+)$/i;

/**
 * What a column holds in the first rows; numbers with the other decimal mark count as such where it
 * `isEither`.
 */
function heldIn(column, decimal, isEither) {
  const present = column.filter((said) => !MISSING.has(said));
  const other = OTHER_MARK[decimal];
  const strange = present.filter((said) => !saysNumber(said, decimal));
  const isMost = (test) => 2 * present.filter(test).length > present.length;
  const isDated =
    (strange.length > 0 && isMost((said) => DATED.test(said))) ||
    (present.length > 0 && present.every((said) => MONTHLY.test(said)));
  const words = strange.filter((said) => !isEither || !saysNumber(said, other));
  const isDoubtful = strange.length > 0 && strange.every((said) => GROUPED.test(said));
  const isWritten = (said) => isSpelled(said) && !/^[+\-−] /.test(said);
  const isMixed = strange.length > 0 && present.some((said) => GROUPED.test(said));
  const units = new Set(present.filter((said) => hasNumber(said) && /[1-9]/.test(said)).map(unitOf));
  const isOdd =
    isDoubtful ||
    (!isDated && units.size === 1 && (isMixed || words.some(isWritten)) && isMost(hasNumber));
  const numbers = present.length - words.length;
  const keys = present.filter((said) => !words.includes(said));
  const isKey =
    keys.length > 1 &&
    keys.every(
      (said, at) => /^[0-9]+$/.test(said) && (!at || Number(said) >= Number(keys[at - 1])),
    );
  const isNumeric =
    !isDated &&
    !isOdd &&
    (words.length < numbers || (words.length === numbers && numbers > 0) || !column.length);
  return {
    isNumeric: isNumeric || (!present.length && !words.length && !column.length),
    isDated,
    isOdd,
    isDoubtful,
    isKey,
    words,
    values: new Set(present),
    missing: column.length - present.length,
    numbers,
  };
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
  if (RARE * (text.split("\0").length - 1) > text.length)
    throw noText(Uint8Array.from(text.slice(0, BEGINNING), (letter) => letter.charCodeAt(0)));
  if (!text.trim()) throw new FileError("is empty");
  if (/^"?sep=.|^[#%]/i.test(text)) throw new CommandError("begins with a comment", { line: 1 });
  if (/^\s*<(?:!doctype html|html)/i.test(text)) throw new FileError("is no table but a web page");
  if (/^\s*[[{<]/.test(text)) throw new CommandError("is no table, but JSON or the like");
  const { delimiter, rows: head } = sniffed(text);
  if (!text.includes('"') && areInSingleQuotes(head.slice(1)))
    throw new CommandError("has other quotes than double ones");
  const { header, rows, width } = topOf(head, decimal);
  const given_names =
    header ??
    (width <= 2
      ? ["x", "y"].slice(0, width)
      : [...Array.from({ length: width - 1 }, (_, place) => `x${place + 1}`), "y"]);
  const names = given_names.map((name, place) => name || `column${place + 1}`);
  if (names.length < 2)
    throw new FileError(
      "has one column, and a fit needs two at least, x and y (is the delimiter right? see --delimiter)",
    );
  const alike = rows.map(({ fields }) => fields).filter((fields) => fields.length === names.length);
  const isOwn = (said) => said.includes(decimal) && saysNumber(said, decimal);
  const isEither = !alike.some((fields) =>
    fields.some((said) => isOwn(said) && !IN_THREES.test(said)),
  );
  const held = names.map((_, place) =>
    heldIn(
      alike.map((fields) => fields[place]),
      decimal,
      isEither,
    ),
  );
  const chosen = chooseColumns(names, given_names, held, header !== null, choice);
  const faults = {
    name,
    decimal,
    chosen,
    held,
    isFewBroken: areFewBroken(alike, rows.length, held, decimal),
  };
  const read = readRows(text, { delimiter, decimal, names, header, chosen, choice, faults });
  const notes = [...chosen.notes, ...read.notes];
  return { ...chosen, ...read, names, notes };
}

/** What to say of a file that is no plain text in UTF-8, by its first bytes. */
function noText(bytes) {
  const start = String.fromCharCode(...bytes.subarray(0, 32));
  const nulls = [0, 1].map((odd) => bytes.filter((byte, at) => !byte && at % 2 === odd).length);
  const [least, most] = extent(nulls);
  const isWide = bytes.length > 3 && !least && 8 * most >= bytes.length; // UTF-16
  if (isWide || !most || SPELLINGS.marks.some((mark) => start.startsWith(mark)))
    return new CommandError("is not UTF-8 text");
  return new FileError("is not a text file (it has null bytes)");
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
  const isRead = (said, place) =>
    !held[place].isNumeric || MISSING.has(said) || NUMBER[decimal].test(said);
  return 10 * (count - rows.filter((fields) => fields.every(isRead)).length) < count;
}

/** What to say of a column whose numbers are not plain, or may be two. */
function oddNumbers(column, { values, isDoubtful }, decimal) {
  const said = [...values].find((value) => !saysNumber(value, decimal));
  const ways = [{ exclude: column }];
  if (!isDoubtful)
    return new CommandError(`numbers as ${quoted(said)} are written in a way of their own`, {
      column,
      ways,
    });
  const mark = OTHER_MARK[decimal];
  const [whole, part] = [said.replaceAll(mark, ""), valueOf(said, mark)];
  return new CommandError(
    `${quoted(said)} is ${whole} where '${mark}' stands for thousands, and ${part} where it is the decimal mark`,
    { column, ways: [{ decimal: mark }, ...ways], options: ` --thousands ${mark}` },
  );
}

/** Which columns are features, and which is the target. */
function chooseColumns(names, given, held, isNamed, choice) {
  const isRowName = (name) => ROW_NAMES.test(name);
  const aside = new Set(
    names.filter((_, place) => !given[place] || (isNamed && names.slice(0, place + 1).every(isRowName))),
  );
  const places = names.map((_, place) => place).filter((place) => !aside.has(names[place]));
  const notes = names
    .filter(
      (name, place) =>
        place && !given[place] && (held[place].numbers || held[place].isDated || held[place].isOdd),
    )
    .map((name) => `a column has no name, and is left out: --features ${name} uses it`);
  const offered = places.filter((place) => held[place].isNumeric);
  const usable = offered.filter((place) => !choice.exclude?.includes(names[place]));
  const odd = places.find((place) => held[place].isOdd && !choice.exclude?.includes(names[place]));
  if (odd !== undefined) throw oddNumbers(names[odd], held[odd], choice.decimal ?? ".");
  const named = (name) => usable.find((place) => names[place] === name);
  const isNone = ({ isNumeric, isDated, words }) => !isNumeric && (isDated || !words.length);
  const none = places.find((place) => names[place] === "y" && isNone(held[place]));
  if (none !== undefined && !choice.target && !choice.exclude?.includes("y")) {
    const holds = held[none].isDated ? "dates" : "nothing";
    throw new CommandError(`holds ${holds}, and is the target`, { column: "y", ways: [{ exclude: "y" }] });
  }
  const target = named(choice.target) ?? named("y") ?? usable.at(-1);
  if (target === undefined || usable.length < 2) {
    if (target !== undefined && places.some((place) => !held[place].isNumeric))
      throw new CommandError(
        "a fit needs a feature and a target, two columns with numbers; gdfit can take dates and words",
      );
    const are = target === undefined ? "there is none" : `there is ${quoted(names[target])} alone`;
    const words = places
      .filter((place) => held[place].words.length && !held[place].isNumeric && !held[place].isDated)
      .map((place) => `${names[place]} (${quoted(held[place].words[0], 20)})`);
    const more = words.length > 3 ? ", …" : "";
    const texts = words.length ? `; there is text in ${words.slice(0, 3).join(", ")}${more}` : "";
    throw new FileError(
      `a fit needs a feature and a target, two columns with numbers; ${are}${texts}`,
    );
  }
  const features = usable.filter((place) => place !== target);
  if (features.length > MOST_FEATURES)
    throw new CommandError(`has ${features.length} features, and a page takes ${MOST_FEATURES}`);
  for (const place of usable) {
    const twice = names.filter((name) => name === names[place]).length;
    if (twice > 1)
      throw new FileError(
        `${twice} columns are called ${quoted(names[place])}; name them apart in the header, or --exclude ${typedColumn(names[place])}`,
        { ways: [{ exclude: names[place] }] },
      );
  }
  const left = places.filter(
    (place) => !held[place].isNumeric && !choice.exclude?.includes(names[place]),
  );
  const listed = (some) =>
    some
      .slice(0, 8)
      .map((place) => printable(names[place]))
      .join(", ") + (some.length > 8 ? `, … (${some.length} in all)` : "");
  const dated = left.filter((place) => held[place].isDated);
  const texts = left.filter((place) => !held[place].isDated);
  if (dated.length)
    notes.push(
      `left out columns of dates: ${listed(dated)} (--features ${typedColumn(names[dated[0]])} uses one as days since 1970-01-01)`,
    );
  if (texts.length)
    notes.push(
      `left out columns without numbers in the first lines: ${listed(texts)} (--features ${typedColumn(names[texts[0]])} uses one as a category)`,
    );
  const isInstead = !choice.target && names[target] !== "y" && left.includes(names.length - 1);
  if (isInstead)
    notes.push(
      `the last column of the file has no numbers: the target is ${printable(names[target])} (see --target)`,
    );
  return {
    offered: offered.map((place) => names[place]),
    features: features.map((place) => names[place]),
    target: names[target],
    places: [...features, target],
    notes,
  };
}

// Rows of plain text: UTF-8, one delimiter, double quotes, decimal points or commas. What a field, a
// number and a header are is as gdfit has it (fields.py, sniffing.py, header.py); of all else that
// gdfit reads, one line says to type the command.

const DELIMITERS = ["\t", ";", "|", ",", " "]; // the last is white space
const SNIFFED_ROWS = 50;
const SNIFFED_CHARACTERS = 1 << 18;
const OTHER_MARK = { ".": ",", ",": "." };
const NUMBER = {
  ".": /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/,
  ",": /^[+-]?(?:[0-9]+(?:,[0-9]*)?|,[0-9]+)(?:[eE][+-]?[0-9]+)?$/,
};
const INFINITE = /^[+-]?inf(inity)?$/i;
const SPELLINGS = JSON.parse(document.getElementById("run").textContent).spellings; // as gdfit's
const MISSING = new Set(SPELLINGS.missing);
const MISSING_MARKS = new Set(
  [...MISSING, "missing", "unknown", "n.a", "n.d", "nd", "k.a", "\\n"].map((word) => word.toLowerCase()),
);
const NAMELESS = ["pasted", "dropped"];
const UNPRINTABLE = /(?! )[\p{C}\p{Z}]/gu; // what Python's repr() shows by its number
const ESCAPES = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
const QUOTED = /^"(?:[^"]|"")*"$/;

/** What is wrong with a file, where, and the choices that are a way out of it. */
class FileError extends Error {
  constructor(what, { line, column, ways = [], options = "" } = {}) {
    super(what);
    Object.assign(this, { line, column, ways, options });
  }

  /** As gdfit tells it. */
  told(name) {
    const line = this.line ? `, line ${this.line}` : "";
    const column = this.column === undefined ? "" : `, column ${quoted(this.column)}`;
    return `${name}${line}${column}: ${this.message}`;
  }
}

/** That gdfit itself reads such a file, and how. */
class CommandError extends FileError {
  told(name) {
    return `${super.told(name)}; this page reads plain tables alone: type ${commandFor(name)}${this.options}`;
  }
}

/** What makes a page of a file; of one without a name, when it has been saved as one. */
function commandFor(name) {
  return `gdfit train ${NAMELESS.includes(name) ? "FILE" : typed(name)} --page page.html`;
}

function quoted(text, longest = 40) {
  const shown = text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
  const quote = shown.includes("'") && !shown.includes('"') ? '"' : "'";
  const said = shown.replaceAll("\\", "\\\\").replace(UNPRINTABLE, escaped);
  return quote + (quote === "'" ? said.replaceAll("'", "\\'") : said) + quote;
}

/** A character as Python's repr() has it. */
function escaped(character) {
  const code = character.codePointAt(0);
  const [mark, digits] = code < 256 ? ["x", 2] : code < 65536 ? ["u", 4] : ["U", 8];
  return ESCAPES[character] ?? `\\${mark}${code.toString(16).padStart(digits, "0")}`;
}

/** A name of a file, or of a column, as it is typed in a shell. */
function typed(name) {
  return /^[\w@%+=:,./-]+$/.test(name) ? name : `'${name.replaceAll("'", `'"'"'`)}'`;
}

function typedColumn(name) {
  const whole = /[",\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name;
  return typed(whole).replace(UNPRINTABLE, escaped);
}

/** A name as it is, or in quotes where it has characters that can't be seen. */
function printable(name) {
  return name.search(UNPRINTABLE) < 0 ? name : quoted(name, Infinity);
}

/** A field without the blanks around it and, where it is in quotes, without these. */
function contentOf(field) {
  const said = field.replace(/^[ \t]+|[ \t]+$/g, "");
  if (said[0] !== '"' || !QUOTED.test(said)) return said;
  return contentOf(said.slice(1, -1).replaceAll('""', "\u0001")).replaceAll("\u0001", '"');
}

/**
 * The rows of a text, whose lines end in LF alone: their fields as they stand, and the lines that
 * they begin and end on. A line of nothing but blanks is none.
 */
function* records(text, delimiter) {
  const [blanks, ends] = [
    delimiter === "\t" ? " " : "[ \\t]",
    delimiter === " " ? "[ \\t]" : `[${delimiter}]`,
  ];
  const after = `(?=${blanks}*(?:\\n|$)|${delimiter === " " ? "" : `${blanks}*`}${ends})`;
  const rest = delimiter === " " ? "[^ \\t\\n]*" : `[^${delimiter}\\n]*`;
  const field = new RegExp(
    `${blanks}*("(?:[^"]|"")*"${after}|(?!")${rest}|"[^\\n]*)${blanks}*(?:(\\n|$)|${ends})`,
    "y",
  );
  for (let [start, line] = [0, 1]; start < text.length; line += 1) {
    const found = text.indexOf("\n", start);
    let end = found < 0 ? text.length : found;
    const whole = text.slice(start, end);
    let fields;
    const first = line;
    if (!whole.includes('"')) {
      fields = delimiter === " " ? whole.trim().split(/[ \t]+/) : whole.split(delimiter);
    } else {
      fields = [];
      field.lastIndex = start;
      for (let match = field.exec(text); match; match = field.exec(text)) {
        fields.push(match[1]);
        if (match[2] !== undefined) break;
      }
      const stop = Math.max(field.lastIndex || text.length, end);
      line += text.slice(end + 1, stop - 1).split("\n").length - (stop - 1 > end ? 0 : 1);
      end = stop > end ? stop - 1 : end;
      if (text[end] !== "\n") end = text.length;
    }
    if (fields.length > 1 || contentOf(fields[0])) yield { fields, line: first, last: line };
    start = end + 1;
  }
}

/** The delimiter: the one that cuts the most of the first rows alike, or the most numbers. */
function sniffed(text) {
  const cut = text.slice(0, SNIFFED_CHARACTERS);
  const head = cut.length < text.length ? cut.slice(0, cut.lastIndexOf("\n") + 1) : cut;
  if (text && !head) throw new FileError("is not a CSV file: its first line is longer than 256 kB");
  const found = DELIMITERS.map((delimiter) => {
    const rows = [];
    for (const { fields, line, last } of records(head, delimiter)) {
      rows.push({ fields: fields.map(contentOf), line, last });
      if (rows.length > SNIFFED_ROWS) break;
    }
    const whole = rows.filter(({ fields }) => fields.at(-1)[0] !== '"');
    const [width, alike] = mostCommon(whole.map(({ fields }) => fields.length));
    const isCut = width >= 2 && 2 * alike >= rows.length;
    const every = rows.flatMap(({ fields }) => fields);
    return {
      delimiter,
      rows,
      alike: isCut ? alike : 0,
      share: every.filter(hasNumber).length / every.length,
    };
  });
  const most = Math.max(...found.map(({ alike }) => alike));
  if (!most) return found[3]; // a single column
  return found
    .filter(({ alike }) => alike === most)
    .reduce((one, other) => (other.share > one.share ? other : one));
}

/** The most common of some values, and how often it is there. */
function mostCommon(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce((one, other) => (other[1] > one[1] ? other : one), [0, 0]);
}

function saysNumber(said, decimal) {
  return NUMBER[decimal].test(said) || INFINITE.test(said);
}

/** Whether a field has a number in it, however it is written. */
function hasNumber(said) {
  return saysNumber(said, ".") || isSpelled(said);
}

// A number with what may stand around its digits and between them, and a date: see spellings.py.
const UNIT = `%|[A-Z]{0,2}[$¢-¥֏؋৲৳฿៛₠-⃀﷼]|${SPELLINGS.codes.join("|")}`;
const BLANKS = "[ \u00a0\u202f\u2009]";
const SPELLED = new RegExp(
  `^${BLANKS}*\\(?[+\\-−]?\\(?(?:${UNIT})?${BLANKS}*[+\\-−]?\\(?${BLANKS}*[.,]?[0-9](?:[0-9.,]|['’]?${BLANKS}?[0-9]{3}(?![0-9]))*` +
    `(?:[eEdD][+-]?[0-9]+)?${BLANKS}*\\)?${BLANKS}*(?:${UNIT})?\\)?${BLANKS}*$`,
);
const MONTHLY = /^[0-9]{4}-(?:0?[1-9]|1[0-2])$/;
const [MM, DD] = ["(?:0?[1-9]|1[0-2])", "(?:0?[1-9]|[12][0-9]|3[01])"];
const DAYS = [
  `[0-9]{4}([-/.])${MM}\\1${DD}`,
  `(?:${MM}([-/.])${DD}\\2|${DD}([-/.])${MM}\\3)[0-9]{4}`,
  `(?:${MM}([/.])${DD}\\4|${DD}([/.])${MM}\\5)[0-9]{2}`,
];
const TIME =
  /(?:[Tt ] *[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?: *[AaPp][Mm])?(?: *(?:[Zz]|UTC|GMT|[+-][0-9]{2}:?(?:[0-9]{2})?))?)?/;
const DATED = new RegExp(`^(?:${DAYS.join("|")})${TIME.source}$`);

function isSpelled(said) {
  return /[0-9]/.test(said) && SPELLED.test(said);
}

/** A column's name without single quotes and blanks around it. */
function bare(name) {
  return /^'.*'$/.test(name.trim()) ? name.trim().slice(1, -1).trim() : name.trim();
}

/** The header of a table, if it has one, and its rows: of what is plain to see. */
function topOf(rows, decimal) {
  const [first, ...below] = rows;
  if (!first) return { header: [""], rows, width: 1 };
  const [common, count] = mostCommon(below.map(({ fields }) => fields.length));
  const width = 2 * count > below.length ? common : first.fields.length;
  const isAll = (mark) => {
    const present = first.fields.filter((field) => !MISSING.has(field));
    return present.length && present.every((field) => saysNumber(field, mark));
  };
  const other = OTHER_MARK[decimal];
  const alike = below
    .map(({ fields }) => fields)
    .filter((fields) => fields.length === first.fields.length);
  if (!isAll(decimal) && isAll(other)) {
    const said = first.fields.find((field) => !saysNumber(field, decimal) && !MISSING.has(field));
    throw new FileError(noNumber(said, decimal), { line: first.line, ways: [{ decimal: other }] });
  }
  const isIndexed = alike.every(({ 0: said }, at) => said === String(Number(alike[0][0]) + at));
  if (isAll(decimal) && (first.fields.length < width || (!first.fields[0] && isIndexed)))
    throw notAHeader(first, width);
  const isLike = (place) => {
    const [said, below] = [first.fields[place], alike.map((fields) => fields[place])];
    if (!hasNumber(said)) return DATED.test(said) && below.some((each) => DATED.test(each));
    return ["", ...below.filter(hasNumber).map(unitOf)].includes(unitOf(said));
  };
  const isRow = (places) => places.length > 0 && places.every(isLike);
  const [isRead, isSure] = [numberPlaces(alike, decimal), plainPlaces(alike, decimal)].map(isRow);
  if (isRead !== isSure && !isAll(decimal))
    throw new CommandError("its first line may be a row or the columns' names", { line: first.line });
  if (isAll(decimal) || isRead) {
    if (isUnlike(first.fields, alike, decimal))
      throw new CommandError("its first line may be numbers or the columns' names", {
        line: first.line,
      });
    return { header: null, rows, width: first.fields.length };
  }
  const leading = below.findIndex(({ fields }) => fields.some(hasNumber));
  if (
    leading > 0 &&
    leading <= 3 &&
    areUnits(
      below.map(({ fields }) => fields),
      leading,
      width,
      decimal,
    )
  )
    throw new CommandError("lines of words stand below its header", { line: below[0].line });
  const isNamed =
    first.fields.length === width && !(first.fields.filter(Boolean).length === 1 && width > 1);
  const more = width - first.fields.length;
  const isEmpty =
    more > 0 &&
    below.every(({ fields }) => fields.length !== width || !fields.slice(-more).some(Boolean));
  const isNext = below[0]?.fields.length === width;
  const isOfR = more === 1 && isNext && first.fields.length > 1 && !first.fields.some(hasNumber);
  if (!isNamed && !isEmpty && !isOfR) throw notAHeader(first, width);
  const blanks = new Array(Math.max(more, 0)).fill("");
  const header = isEmpty ? [...first.fields, ...blanks] : [...blanks, ...first.fields];
  return { header: header.map(bare), rows: below, width };
}

function notAHeader({ line }, width) {
  return new CommandError(`its first line is no header for the ${width} columns below it`, { line });
}

/** Whether the first of the rows below a header have words where the others have numbers. */
function areUnits(rows, leading, width, decimal) {
  const below = rows.slice(leading).filter((fields) => fields.length === width);
  const places = numericPlaces(below, decimal);
  return (
    places.length > 0 &&
    below.length > 1 &&
    rows.slice(0, leading).every((fields) => {
      const said =
        fields.length === width ? places.map((place) => fields[place]).filter(Boolean) : [];
      const isWord = (word) => word === "%" || !(isMissingMark(word) || /[0-9]/.test(word));
      return said.every(isWord) && 2 * said.length > fields.filter(Boolean).length;
    })
  );
}

/** Whether a field looks as if it stood for a missing value. */
function isMissingMark(said) {
  const bareWord = said.toLowerCase().replace(/^[ .*()-]+|[ .*()-]+$/g, "");
  return MISSING_MARKS.has(bareWord) || !/[\p{L}\p{N}]/u.test(said) || /^#\p{L}/u.test(said);
}

/** The columns that have nothing but numbers, of which some may be missing. */
function numericPlaces(rows, decimal) {
  return (rows[0] ?? [])
    .map((_, place) => place)
    .filter((place) => {
      const present = rows.map((row) => row[place]).filter((said) => !MISSING.has(said));
      return present.length && present.every((said) => saysNumber(said, decimal));
    });
}

/** The unit beside a number, if there is one. */
function unitOf(said) {
  if (saysNumber(said, ".")) return "";
  return said.replace(/[^\p{L}\p{Sc}%]|[eEdD](?=[+-]?[0-9])/gu, "");
}

/** As `numericPlaces`, with the columns of nothing but dates, or of what `isSaid` in one unit. */
function plainPlaces(rows, decimal, isSaid = () => false) {
  const numeric = numericPlaces(rows, decimal);
  return (rows[0] ?? [])
    .map((_, place) => place)
    .filter((place) => {
      const present = rows.map((row) => row[place]).filter((said) => !MISSING.has(said));
      const isEvery = (test) => present.length > 0 && present.every(test);
      const isPlain = (said) => saysNumber(said, ".") || saysNumber(said, ",");
      return (
        numeric.includes(place) ||
        isEvery((said) => saysNumber(said, OTHER_MARK[decimal])) ||
        (isEvery(isSaid) && !isEvery(isPlain) && new Set(present.map(unitOf)).size === 1) ||
        isEvery((said) => DATED.test(said))
      );
    });
}

/** As `plainPlaces`, with those of numbers that may be written in a way of their own. */
function numberPlaces(rows, decimal) {
  return plainPlaces(rows, decimal, isSpelled);
}

/** Whether whole, rising numbers on a first line may be names: years, or 0, 1, 2. */
function isUnlike(first, below, decimal) {
  const places = numericPlaces(below, decimal);
  const isRising = (row) =>
    row.every((said, at) => /^[0-9]+$/.test(said) && (!at || Number(said) > Number(row[at - 1])));
  const chosen = (row) => places.map((place) => row[place]);
  const rows = below.map(chosen).filter((row) => !row.some((said) => MISSING.has(said)));
  const said = chosen(first);
  if (said.length < 2 || below.length < 2 || !rows.length || !isRising(said)) return false;
  if (said.every((each, at) => Number(each) === Number(said[0]) + at) && Number(said[0]) <= 1)
    return said.length > 2 && !rows.some(isRising);
  const areYears = (row) =>
    row.length > 2 &&
    isRising(row) &&
    Number(row[0]) >= 1000 &&
    Number(row.at(-1)) < 3000 &&
    Number(row.at(-1)) - Number(row[0]) === row.length - 1;
  if (areYears(said) && !rows.some(areYears)) return true;
  return said.every((each, at) => {
    const [low, high] = extent(rows.map((row) => valueOf(row[at], decimal)));
    return Number(each) < 2 * low - high || Number(each) > 2 * high - low;
  });
}

function valueOf(said, decimal) {
  return Number(decimal === "," ? said.replace(",", ".") : said);
}

/** What is wrong with a field that says no number. */
function noNumber(said, decimal) {
  if (INFINITE.test(said)) return `${quoted(said)} is not a finite number`;
  const other = OTHER_MARK[decimal];
  if (NUMBER[other].test(said))
    return `${quoted(said)} is not a number (decimals with '${other}' need --decimal ${other})`;
  return `${quoted(said)} is not a number`;
}

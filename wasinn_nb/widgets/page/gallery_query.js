// Expressions over columns, as Predictions.query takes them, for pages without a kernel: comparisons,
// in, and, or, not, arithmetic, isna() and notna().

/** @typedef {(row: number) => any} Part */
/** @typedef {Record<string, (number | string | null)[]>} Columns */

const TOKEN =
  /\s*(?:(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)|'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`((?:[^`]|``)*)`|([\p{L}_][\p{L}\p{N}_]*)|(<=|>=|==|!=|\/\/|[-+*/%<>()[\],.&|~]))/uy;
/** @type {Record<string, string>} */
const INSTEAD = {
  "=>": 'compare with ">="',
  "=<": 'compare with "<="',
  "=": 'compare with "=="',
  "!": 'write "not"',
  ";": 'join comparisons with "and"',
};
const KEYWORDS = ["and", "or", "not", "in"];
const SIGNS = ["==", "!=", "<=", ">=", "<", ">"];

/**
 * @typedef {object} Token
 * @property {"number" | "text" | "column" | "word" | "sign" | "end"} kind
 * @property {string} text
 */

/**
 * @param {string} text
 * @returns {Token[]}
 */
function tokens(text) {
  const found = [];
  TOKEN.lastIndex = 0;
  while (text.slice(TOKEN.lastIndex).trim()) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) {
      const rest = text.slice(at).trim();
      const sign = Object.keys(INSTEAD).find((one) => rest.startsWith(one));
      const hint = sign ? `; ${INSTEAD[sign]}` : "";
      throw new Error(`The expression cannot be read from here: ${rest.slice(0, 30)}${hint}`);
    }
    const [, number, single, double, column, word, sign] = match;
    const plain = single ?? double;
    if (number !== undefined) found.push({ kind: "number", text: number });
    else if (plain !== undefined) {
      found.push({ kind: "text", text: plain.replace(/\\(.)/g, "$1") });
    } else if (column !== undefined) {
      found.push({ kind: "column", text: column.replaceAll("``", "`") });
    } else if (word !== undefined) found.push({ kind: "word", text: word });
    else found.push({ kind: "sign", text: sign });
  }
  return /** @type {Token[]} */ ([...found, { kind: "end", text: "" }]);
}

/** @type {Record<string, (a: any, b: any) => any>} */
const COMPARE = {
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a !== null && b !== null && a < b,
  ">": (a, b) => a !== null && b !== null && a > b,
  "<=": (a, b) => a !== null && b !== null && a <= b,
  ">=": (a, b) => a !== null && b !== null && a >= b,
};
/** @type {Record<string, (a: number, b: number) => number>} */
const COMPUTE = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "//": (a, b) => Math.floor(a / b),
  "%": (a, b) => a - b * Math.floor(a / b),
};

/** @param {string} word */
function lowerCase(word) {
  const lower = word.toLowerCase();
  return KEYWORDS.includes(lower) && lower !== word ? `Write "${lower}" in lower case` : "";
}

/**
 * Return how many letters have to be added, left out, replaced or swapped with the next one.
 *
 * @param {string} a
 * @param {string} b
 */
function editDistance(a, b) {
  /** @type {number[]} */
  let before = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const other = Number(a[i - 1] !== b[j - 1]);
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + other);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j], before[j - 2] + 1);
      }
    }
    [before, last] = [last, row];
  }
  return last[b.length];
}

/**
 * Return the name that a word is near to, in backticks where it is not a plain word; else "".
 *
 * @param {string} word
 * @param {string[]} names
 */
function nearest(word, names) {
  let [close, least] = ["", Math.max(1, Math.floor(Math.min(word.length, 100) / 3)) + 1];
  for (const name of names) {
    if (Math.abs(name.length - word.length) >= least) continue;
    const distance = editDistance(word.toLowerCase(), name.toLowerCase());
    if (distance < least) [close, least] = [name, distance];
  }
  return !close || /^[\p{L}_][\p{L}\p{N}_]*$/u.test(close)
    ? close
    : `\`${close.replaceAll("`", "``")}\``;
}

class Parser {
  /**
   * @param {string} text
   * @param {Columns} columns
   */
  constructor(text, columns) {
    this.tokens = tokens(text);
    this.columns = columns;
    this.at = 0;
  }

  /** @param {string[]} texts */
  take(...texts) {
    const { kind, text } = this.tokens[this.at];
    if ((kind !== "sign" && kind !== "word") || !texts.includes(text)) return "";
    this.at += 1;
    return text;
  }

  /** @param {string} text */
  need(text) {
    if (this.take(text)) return;
    const { kind, text: next } = this.tokens[this.at];
    throw new Error(`Expected "${text}" ${kind === "end" ? "at the end" : `before "${next}"`}`);
  }

  /** @returns {Part} */
  whole() {
    const part = this.either();
    if (this.tokens[this.at].kind !== "end") {
      const { text } = this.tokens[this.at];
      throw new Error(
        lowerCase(text) || `Expected an operator, such as ==, <, in, and, or, before "${text}"`,
      );
    }
    return part;
  }

  /** @returns {Part} */
  either() {
    let left = this.both();
    while (this.take("or", "|")) {
      const [a, b] = [left, this.both()];
      left = (row) => a(row) || b(row);
    }
    return left;
  }

  /** @returns {Part} */
  both() {
    let left = this.negated();
    while (this.take("and", "&")) {
      const [a, b] = [left, this.negated()];
      left = (row) => a(row) && b(row);
    }
    return left;
  }

  /** @returns {Part} */
  negated() {
    if (!this.take("not", "~")) return this.comparison();
    const inner = this.negated();
    return (row) => !inner(row);
  }

  /** @returns {Part} */
  comparison() {
    let left = this.sum();
    /** @type {Part[]} */
    const all = []; // of a < b < c: both
    for (;;) {
      const sign = this.take(...SIGNS, "in", "not");
      if (!sign) break;
      if (sign === "not") this.need("in");
      const a = left;
      const b = sign === "in" || sign === "not" ? this.list() : this.sum();
      if (sign === "in") all.push((row) => b(row).includes(a(row)));
      else if (sign === "not") all.push((row) => !b(row).includes(a(row)));
      else all.push((row) => COMPARE[sign](a(row), b(row)));
      left = b;
    }
    return all.length ? (row) => all.every((holds) => holds(row)) : left;
  }

  /** @returns {Part} */
  list() {
    const end = this.take("[") ? "]" : ")";
    if (end === ")") this.need("(");
    /** @type {Part[]} */
    const parts = [];
    while (!this.take(end)) {
      parts.push(this.sum());
      if (!this.take(",")) {
        this.need(end);
        break;
      }
    }
    return (row) => parts.map((part) => part(row));
  }

  /** @returns {Part} */
  sum() {
    return this.computed(["+", "-"], () => this.product());
  }

  /** @returns {Part} */
  product() {
    return this.computed(["*", "//", "/", "%"], () => this.value());
  }

  /**
   * @param {string[]} signs
   * @param {() => Part} inner
   * @returns {Part}
   */
  computed(signs, inner) {
    let left = inner();
    for (let sign = this.take(...signs); sign; sign = this.take(...signs)) {
      const [a, b, compute] = [left, inner(), COMPUTE[sign]];
      left = (row) => {
        const [x, y] = [a(row), b(row)];
        return x === null || y === null ? null : compute(x, y);
      };
    }
    return left;
  }

  /** @returns {Part} */
  value() {
    if (this.take("(")) {
      const inner = this.either();
      this.need(")");
      return inner;
    }
    if (this.take("-")) {
      const inner = this.value();
      return (row) => (inner(row) === null ? null : -inner(row));
    }
    const { kind, text } = this.tokens[this.at];
    this.at += 1;
    if (kind === "number") return () => Number(text);
    if (kind === "text") return () => text;
    if (kind !== "column" && kind !== "word") {
      const expected = "a column, a number or a text in quotes";
      throw new Error(
        kind === "end"
          ? `The expression ends where ${expected} was expected`
          : `Expected ${expected}, got "${text}"`,
      );
    }
    if (text === "True" || text === "False") return () => text === "True";
    if (!Object.hasOwn(this.columns, text)) {
      const close = nearest(text, Object.keys(this.columns));
      const hint = close && `; did you mean ${close}?`;
      throw new Error(lowerCase(text) || `There is no column "${text}" in this page${hint}`);
    }
    const values = this.columns[text];
    if (!this.take(".")) return (row) => values[row];
    const method = this.take("isna", "notna", "isnull", "notnull");
    this.need("(");
    this.need(")");
    const missing = method.startsWith("is");
    return (row) => (values[row] === null) === missing;
  }
}

/**
 * Return for which rows an expression holds: 0 or 1 for each.
 *
 * @param {string} text
 * @param {Columns} columns
 * @param {number} count
 */
export function rowsThatHold(text, columns, count) {
  const part = new Parser(text, columns).whole();
  return Uint8Array.from({ length: count }, (_, row) => {
    const holds = part(row);
    if (typeof holds !== "boolean") throw new Error("Expected a comparison, such as: road < 0.05");
    return holds ? 1 : 0;
  });
}

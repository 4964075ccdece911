// Narratives: well-formed XHTML of the few elements we write, and never empty (R4 txt-1, txt-2).
const ELEMENTS = new Set(["div", "p", "b", "i", "br"]);
const PIECE = /<(\/?)([a-zA-Z0-9]*)((?:\s[^<>]*?)?)(\/?)>|&(?:amp|lt|gt|quot);|[^<>&]+|[<>&]/gu;

function fault(div) {
  const open = [];
  let words = "";
  for (const [piece, closes, name, attributes, empty] of div.matchAll(PIECE)) {
    if (name === undefined || name === "") {
      if (/^[<>&]$/u.test(piece)) return `a bare ${piece}`;
      words += piece;
    } else if (!ELEMENTS.has(name)) return `<${name}>`;
    else if (closes) {
      if (open.pop() !== name) return `</${name}> closes nothing`;
    } else {
      const wanted = name === "div" && open.length === 0 ? ' xmlns="http://www.w3.org/1999/xhtml"' : "";
      if (attributes !== wanted) return `<${name}${attributes}>`;
      if (!empty) open.push(name);
    }
  }
  if (open.length > 0) return `<${open.pop()}> is not closed`;
  return words.trim() === "" ? "it says nothing" : undefined;
}

function* walk(value, path) {
  if (Array.isArray(value)) {
    for (const [place, one] of value.entries()) yield* walk(one, `${path}[${place}]`);
  } else if (typeof value === "object" && value !== null) {
    if (typeof value.div === "string") {
      const wrong = fault(value.div);
      if (wrong) yield `${path}.div: ${wrong}`;
    }
    for (const [name, one] of Object.entries(value)) yield* walk(one, `${path}.${name}`);
  }
}

export function* narratives(bundle) {
  yield* walk(bundle, "Bundle");
}

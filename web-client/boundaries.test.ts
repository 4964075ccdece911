/** Features do not import each other, and nothing reaches around the few places where rules live. */
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { describe, expect, it } from "vitest";

const SRC = join(import.meta.dirname, "src");
/** What a feature may import besides its own folder. */
const SHARED = ["call", "plan", "ui", "i18n"];
/** Draw the features' screens. */
const DRAWS = ["call"];

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => /\.tsx?$/.test(path))
  .map((path) => ({ path, folder: path.includes("/") ? path.split("/")[0] ?? "" : "", text: readFileSync(join(SRC, path), "utf8") }));

const imports = (text: string, from: string) =>
  [...text.matchAll(/(?:from\s+|import\(\s*|import\s+)"(\.[^"]*)"/g)].map((match) => posix.normalize(posix.join(posix.dirname(from), match[1] ?? "")));

describe("boundaries", () => {
  it("let a feature import its own folder, the shared ones and roots only", () => {
    const across = files.flatMap(({ path, folder, text }) => imports(text, path)
      .filter((target) => {
        const to = target.includes("/") ? target.split("/")[0] ?? "" : "";
        if (folder === "" || to === "" || to === folder || SHARED.includes(to) || DRAWS.includes(folder)) return false;
        // The catalogue joins the features' sentences.
        return !(folder === "i18n" && /\/(en|es)$/.test(target));
      })
      .map((target) => `${path} → ${target}`));
    expect(across).toEqual([]);
  });

  it("keep words of the domain out of ui/", () => {
    const domain = files.filter(({ folder }) => folder === "ui").flatMap(({ path, text }) => imports(text, path).filter((target) => !/^(ui|i18n)(\/|$)/.test(target)).map((target) => `${path} → ${target}`));
    expect(domain).toEqual([]);
  });

  it("parse the wire in one place", () => {
    const parsers = files.filter(({ path, text }) => !path.endsWith(".test.ts") && text.includes("JSON.parse")).map(({ path }) => path)
      .filter((path) => !path.startsWith("plan/"));
    expect(parsers).toEqual(["call/connection.ts"]);
  });

  it("write no markup from text, no inline style, no log", () => {
    const bad = files.filter(({ path, text }) => !path.endsWith(".test.ts") && /innerHTML|dangerouslySet|\sstyle=\{|console\.|\beval\(/.test(text)).map(({ path }) => path);
    expect(bad).toEqual([]);
  });

  it("write no lookbehind: Safari before 16.4 refuses the whole file", () => {
    const bad = files.filter(({ path, text }) => !path.endsWith(".test.ts") && /\(\?<[=!]/.test(text)).map(({ path }) => path);
    expect(bad).toEqual([]);
  });

  it("name yjs in the narrative text's files only", () => {
    const users = files.filter(({ text }) => /from "yjs"/.test(text)).map(({ folder }) => folder);
    expect(users.every((folder) => folder === "plan")).toBe(true);
  });

  it("load screens lazily: the entry imports none", () => {
    const entry = files.filter(({ path }) => path === "main.tsx" || path === "app.tsx").flatMap(({ text }) => [...text.matchAll(/^import .* from "(\.\/(?:join|check|lobby|call|plan|patient|takeaway|decision)\/[^"]+)"/gm)].map((match) => match[1]));
    expect(entry).toEqual([]);
  });
});

// How smooth a page is: how long its frames last, and how long its main thread works for each of them.

/** The main thread held for longer is felt as a stop (W3C Long Tasks). */
const LONG_MS = 50;

/** What the main thread does, by the names of its trace events. Style and layout that a script asks for count for it as well. */
const KINDS = {
  script: ["FunctionCall", "EvaluateScript", "TimerFire", "EventDispatch", "FireAnimationFrame", "MinorGC", "MajorGC"],
  style: ["UpdateLayoutTree"],
  layout: ["Layout"],
  paint: ["PrePaint", "Paint", "Layerize", "Commit"],
};

/**
 * Watches the page while `act` runs, in ms: `lengths` of its frames by `requestAnimationFrame`; by the browser's own trace the
 * processor time of its main thread in each of them (`work`, and `shares` of it), which other programs of the machine lengthen
 * little; and the `long` tasks by the clock, which they lengthen much. Tracing costs something itself.
 */
export async function watchFrames(page, act) {
  const session = await page.context().newCDPSession(page);
  const events = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  const ended = new Promise((done) => session.once("Tracing.tracingComplete", done));
  await session.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: { includedCategories: ["toplevel", "devtools.timeline", "blink.user_timing"], excludedCategories: ["*"] },
  });
  const lengths = await lengthsWhile(page, act);
  await session.send("Tracing.end");
  await ended;
  await session.detach();
  return { lengths, ...mainThread(events) };
}

/** Lengths of the page's frames while `act` runs, without a trace. */
export async function lengthsWhile(page, act) {
  await page.evaluate(() => {
    const lengths = [];
    let last = 0;
    let running = true;
    const next = (now) => {
      if (last > 0) lengths.push(now - last);
      last = now;
      performance.mark("mortar-frame");
      if (running) requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
    globalThis.mortarFrames = () => {
      running = false;
      return lengths;
    };
  });
  await act();
  return page.evaluate(() => globalThis.mortarFrames());
}

/** Reads a trace: the marks of `lengthsWhile` say which thread and where frames begin. */
function mainThread(events) {
  const marks = events.filter(({ name }) => name === "mortar-frame").sort((a, b) => a.ts - b.ts);
  const { pid, tid } = marks[0];
  const mine = events.filter((event) => event.pid === pid && event.tid === tid && event.ph === "X").sort((a, b) => a.ts - b.ts);
  const tasks = outermost(mine.filter(({ name }) => name === "RunTask" || name === "ThreadControllerImpl::RunTask"));
  const frames = marks.slice(1).map((mark, index) => ({ from: marks[index].ts, to: mark.ts }));
  const within = (some) => frames.map(({ from, to }) => some.reduce((sum, { ts, dur, tdur = dur }) => sum + (tdur * Math.max(0, Math.min(ts + dur, to) - Math.max(ts, from))) / Math.max(1, dur), 0) / 1_000);
  const work = within(tasks);
  const shares = Object.fromEntries(Object.entries(KINDS).map(([kind, names]) => [kind, within(outermost(mine.filter(({ name }) => names.includes(name))))]));
  const [first, last] = [marks[0].ts, marks.at(-1).ts];
  const long = tasks.filter(({ ts, dur }) => ts >= first && ts + dur <= last && dur > LONG_MS * 1_000).map(({ dur }) => dur / 1_000);
  return { work, shares, long };
}

/** Events that stand in no other of them: what is nested is counted once. */
function outermost(sorted) {
  let end = 0;
  return sorted.filter(({ ts, dur }) => {
    if (ts < end) return false;
    end = ts + (dur ?? 0);
    return true;
  });
}

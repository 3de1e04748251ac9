// SPDX-License-Identifier: Apache-2.0
// The browser's side of the test: Chromium, the wire to dashboard_test.py, what is checked everywhere, and the count of it.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";

const require = createRequire(new URL("../../../web/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

export const WAIT_MS = 15000;

// Ask the test for something outside of the browser.
export async function wish(verb, wanted = {}) {
  console.log(JSON.stringify({ do: verb, ...wanted }));
  return JSON.parse((await answers.next()).value);
}

export const count = { passed: 0, failed: 0 };

export function check(what, seen, wanted = true) {
  const holds = isDeepStrictEqual(seen, wanted);

  count[holds ? "passed" : "failed"] += 1;
  if (!holds) console.log(`FAIL ${what}: expected ${JSON.stringify(wanted)}, seen ${JSON.stringify(seen)?.slice(0, 2000)}`);
}

// A part that breaks off is one failure, and the next part goes on.
export async function part(name, run) {
  try {
    await run();
  } catch (error) {
    count.failed += 1;
    console.log(`FAIL ${name}: ${error.stack}`);
  }
}

export function launch(executablePath) {
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

// A page of its own, of which everything that it says and loads is kept in page.said and page.loaded.
export async function open(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce", ...options });
  const page = await context.newPage();

  page.setDefaultTimeout(WAIT_MS);
  page.said = [];
  page.loaded = [];
  // What the browser itself writes about a reply of 401 or 404, or a server that is away, is no fault of the page.
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && !message.text().startsWith("Failed to load resource") && page.said.push(message.text()));
  page.on("pageerror", (error) => page.said.push(error.stack));
  page.on("request", (request) => page.loaded.push(request.url()));
  await page.goto(url);
  return page;
}

export function textOf(page, selector) {
  return page.locator(selector).first().innerText();
}

// Waits until the text of a selector is what it should be, and counts that.
export async function becomes(page, selector, wanted) {
  const fits = (text) => (wanted instanceof RegExp ? wanted.test(text) : text === wanted);
  let seen = "";

  for (const end = Date.now() + WAIT_MS; Date.now() < end;) {
    seen = (await page.locator(selector).first().innerText().catch(() => "")).trim();
    if (fits(seen)) break;
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }
  check(`${selector} becomes ${wanted}`, fits(seen) ? String(wanted) : seen, String(wanted));
}

export async function accessible(page, name) {
  await page.evaluate(axe);
  const { violations, passes } = await page.evaluate(() => globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));

  check(`axe, ${name}: it has looked`, passes.length > 10);
  check(`axe, ${name}`, violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 150)} ${nodes[0].failureSummary}`), []);
}

// Nothing from elsewhere, no error, nothing that sticks out to the right.
export async function clean(page, name) {
  const origin = new URL(page.url()).origin;

  check(`${name}: errors`, page.said, []);
  check(`${name}: requests elsewhere`, page.loaded.filter((url) => !url.startsWith(`${origin}/`) && !url.startsWith(`blob:${origin}/`)), []);
  check(`${name}: wider than the screen`, await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
}

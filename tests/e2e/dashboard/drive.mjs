// SPDX-License-Identifier: Apache-2.0
// node drive.mjs URL CHROMIUM [PICTURES]: what a person sees at a line of fifteen stations. Run by dashboard_test.py.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import http from "node:http";
import { accessible, becomes, check, clean, count, launch, open, part, textOf, wish } from "./stage.mjs";
import { keyboard } from "./keyboard.mjs";
import { background, gone, hostile, refused, token } from "./trouble.mjs";

const STATIONS = 15;
const WEIGHT = 80000; // bytes, gzipped, of everything that the page loads
const [url, executable, pictures] = process.argv.slice(2);
const browser = await launch(executable);
const page = await open(browser, url);
const figure = (name) => `.line .figures div:has(dt:text-is("${name}")) dd >> nth=0`;

// The reply as it comes over the wire.
function raw(path) {
  return new Promise((resolve, reject) => {
    http.get(url + path, { headers: { "Accept-Encoding": "gzip" } }, (reply) => {
      const chunks = [];
      reply.on("data", (chunk) => chunks.push(chunk));
      reply.on("end", () => resolve({ headers: reply.headers, body: Buffer.concat(chunks) }));
    }).on("error", reject);
  });
}

async function weight() {
  const paths = [...new Set(page.loaded.map((loaded) => new URL(loaded).pathname))].filter((path) => path === "/" || path.startsWith("/assets/"));
  let total = 0;

  check("the page loads its parts", paths.length >= 10);
  for (const path of paths) {
    const { headers, body } = await raw(path);
    const policy = headers["content-security-policy"] ?? "";
    check(`${path} is gzipped`, headers["content-encoding"] === "gzip" && gunzipSync(body).length > 0);
    check(`${path} has a strict policy`, policy.startsWith("default-src 'none';") && policy.includes("frame-ancestors 'none'") && !/unsafe|data:|\*|http/.test(policy));
    total += body.length;
  }
  console.log(`the page is ${total} bytes, gzipped`);
  check(`at most ${WEIGHT} bytes, of ${total}`, total < WEIGHT);
}

async function empty() {
  await becomes(page, ".live", "Live");
  await becomes(page, figure("Units today"), "0");
  await becomes(page, "section:has(#stations)", /Each appears here with its first unit/);
  await page.evaluate(() => { globalThis.loadedOnce = true; });
  await weight();
}

// Fifteen at once, three of them with a fault; these are tried again and pass.
async function live() {
  const refused = [4, 9, 13];
  const replies = await wish("gateways", { count: STATIONS, faults: refused.map((n) => `${n}=refuse:14`) });
  check("three of fifteen fail", Object.values(replies).filter((status) => status !== 200).length, 3);
  await becomes(page, figure("Units today"), "12");
  await becomes(page, figure("First-pass yield"), "80.0 %");
  await becomes(page, figure("Failed attempts"), "3");
  await becomes(page, "section:has(#stations) .note", "3 of 15 need attention");
  check("stations", await page.locator(".station").count(), STATIONS);
  check("passed, as words", await page.locator(".station .word:has-text('Pass')").count(), 12);
  check("failed, as words", await page.locator(".station .word:has-text('Fail')").count(), 3);
  check("each has a symbol, too", await page.locator(".station .word svg path").count(), STATIONS);
  check("what to do at three", await page.locator(".attention li").count(), 3);
  check("reasons, most frequent first", await page.locator(".failures tbody tr").count(), 1);
  check("the reason", (await textOf(page, ".failures tbody tr")).startsWith("Gateway refused"));
  check("the reason says what to do", /try again/.test(await textOf(page, ".failures .advice")));
  check("last units", await page.locator(".recent tbody tr").count(), STATIONS);
  check("the reason of a refusal is told", /status 14/.test(await textOf(page, ".recent tbody tr:has-text('Fail') .reason")));
  check("the chart is drawn", await page.locator(".plot canvas").evaluate((canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((byte) => byte !== 0)));
  check("a screen reader is told", /units? today/.test(await textOf(page, "[role=status][aria-live=polite]")));
  for (const first of refused) await wish("gateways", { count: 1, first });
  await becomes(page, figure("Units today"), "15");
  await becomes(page, figure("First-pass yield"), "80.0 %");
  await becomes(page, "section:has(#stations) .note", "all 15 passed their last unit");
  check("nothing was loaded again", await page.evaluate(() => globalThis.loadedOnce));
  await page.locator("details summary").click();
  check("the hours as a table", await page.locator("details tbody tr").count(), 24);
  const sums = await page.locator("details tbody tr").evaluateAll((rows) => [1, 2].map((cell) => rows.reduce((sum, row) => sum + Number(row.cells[cell].textContent), 0)));
  check("their sums", sums, [15, 3]);
  await page.locator("details summary").click();
}

async function looks() {
  await accessible(page, "line, light");
  await clean(page, "line");
  const dark = await open(browser, url, { colorScheme: "dark" });
  await becomes(dark, figure("Units today"), "15");
  const [ground, ink] = await dark.evaluate(() => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color].map((text) => text.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0)));
  check("dark is dark", ground < 150 && ink > 600);
  await accessible(dark, "line, dark");
  await clean(dark, "dark");
  await dark.context().close();
  for (const [name, width, height] of [["phone", 390, 844], ["tablet", 820, 1180], ["wall", 2560, 1440]]) {
    await page.setViewportSize({ width, height });
    await clean(page, name);
  }
  await page.setViewportSize({ width: 1440, height: 900 });
  check("nothing moves for who does not want it", await page.evaluate(() => document.getAnimations().length), 0);
  await page.emulateMedia({ reducedMotion: "no-preference" });
  check("for others it does", await page.evaluate(() => document.getAnimations().length > 0));
  await page.emulateMedia({ reducedMotion: "reduce" });
}

// From 10 m: every letter of a station's word at least 1/30 of the screen's height.
async function andon() {
  const wall = await open(browser, `${url}/#andon`, { viewport: { width: 1920, height: 1080 } });
  await becomes(wall, ".andon .figures dd", "15");
  check("tiles", await wall.locator(".tiles li").count(), STATIONS);
  const sizes = await wall.locator(".tiles p, .tiles h3").evaluateAll((all) => all.map((one) => parseFloat(getComputedStyle(one).fontSize)));
  check("letters", Math.min(...sizes) >= 1080 / 30);
  check("no word is cut", await wall.locator(".tiles p, .tiles h3").evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth).length), 0);
  check("one screen", await wall.evaluate(() => document.documentElement.scrollHeight <= innerHeight));
  await accessible(wall, "andon");
  await wall.keyboard.press("Tab");
  await wall.keyboard.press("Tab");
  await wall.keyboard.press("Enter");
  await wall.waitForFunction(() => document.fullscreenElement !== null);
  check("full screen", true);
  await clean(wall, "andon");
  await wall.evaluate(() => document.exitFullscreen());
  await wall.setViewportSize({ width: 390, height: 844 });
  await becomes(wall, ".andon .figures dd", "15");
  await clean(wall, "andon on a phone");
  check("each tile is on it", await wall.locator(".tiles li").evaluateAll((all) => all.filter((one) => one.getBoundingClientRect().right > innerWidth || one.getBoundingClientRect().bottom > innerHeight).length), 0);
  await wall.context().close();
}

async function search() {
  await page.goto(`${url}/#line`);
  await page.locator("h1").first().waitFor({ state: "attached" });
  await page.keyboard.press("/");
  await page.keyboard.type("GW-000004");
  await page.keyboard.press("Enter");
  await becomes(page, ".find h1 .badge", "Deployed");
  const events = page.locator(".events li");
  await becomes(page, ".events li >> nth=1", /Fail/);
  check("its history", await events.count(), 2);
  check("its newest attempt is the second", /Pass\s+Attempt 2 at 127\.0\.1\.4, asked by \S+, took \d+\.\d s\s+Enrollment identity:\s+A-([0-9A-F]{2}:){31}[0-9A-F]{2}$/.test(await events.first().innerText()));
  check("its first was refused", /Fail\s+Attempt 1 at 127\.0\.1\.4, [^]*status 14/.test(await events.last().innerText()));
  check("all of it", /newest first$/.test(await textOf(page, "section:has(#history) .note")));
  check("its station", /127\.0\.1\.4/.test(await textOf(page, ".facts")));
  check("no verification key", !/verification/i.test(await textOf(page, "main")));
  await accessible(page, "search");
  await clean(page, "search");
  await page.setViewportSize({ width: 390, height: 844 });
  await clean(page, "search on a phone");
  await page.setViewportSize({ width: 1440, height: 900 });
  await page.keyboard.press("/");
  await page.waitForFunction(() => getSelection().toString() === "GW-000004");
  await page.keyboard.type("NO/BODY ?#%");
  await page.keyboard.press("Enter");
  await becomes(page, ".find", /not known here|must be|may be/);
  await page.locator("#serial").fill("GW-999999");
  await page.keyboard.press("Enter");
  await becomes(page, ".find", /not known here/);
  await page.getByRole("link", { name: "Search" }).click();
  await becomes(page, "main h1", "Search");
  check("an empty search begins in its field", await page.evaluate(() => document.activeElement.id), "serial");
}

async function exportFile() {
  await page.getByRole("link", { name: "Exports" }).click();
  await becomes(page, "main h1", "Exports");
  check("exporters", await page.locator(".exporters h2").allInnerTexts(), ["csv", "json"]);
  await accessible(page, "exports");
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download csv" }).click()]);
  const lines = readFileSync(await download.path(), "utf8").split(/\r?\n/).filter(Boolean);
  check("the file's name", download.suggestedFilename(), "identities.csv");
  check("a line for each unit, and the header", lines.length, STATIONS + 1);
  await becomes(page, ".outcome", /^identities\.csv is complete/);
  await page.locator("input[name=from]").fill("2001-01-01");
  await page.locator("input[name=to]").fill("2001-01-02");
  const [none] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download csv" }).click()]);
  check("a range without units", readFileSync(await none.path(), "utf8").split(/\r?\n/).filter(Boolean).length, 1);
  await clean(page, "exports");
}

try {
  await part("an empty server", empty);
  await part("fifteen gateways", live);
  await part("looks", looks);
  await part("andon", andon);
  await part("search", search);
  await part("exports", exportFile);
  await part("keyboard only", () => keyboard(browser, url));
  await part("hostile texts", () => hostile(browser, url));
  await part("a tab in the background", () => background(browser, url));
  await part("a server that refuses, then another version", () => refused(browser, url));
  await part("the server goes and comes", () => gone(browser, url));
  await part("a token is needed", () => token(browser));
  if (pictures) {
    const { paint } = await import("./pictures.mjs");
    await part("pictures", () => paint(browser, url, pictures));
  }
} finally {
  await browser.close();
  console.log(JSON.stringify({ do: "end", ...count }));
}
process.exit(0);

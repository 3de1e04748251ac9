// SPDX-License-Identifier: Apache-2.0
// What can go wrong: the server goes away, it asks who one is, its texts are hostile.
import { accessible, becomes, check, clean, open, textOf, wish } from "./stage.mjs";

export async function gone(browser, url) {
  const page = await open(browser, url);
  const units = ".line .figures dd >> nth=0";

  await becomes(page, units, "15");
  await page.evaluate(() => { globalThis.loadedOnce = true; });
  await wish("kill");
  await becomes(page, ".banner", /^No connection since \d\d:\d\d:\d\d, trying again\./);
  check("the last values stay", await textOf(page, units), "15");
  check("and are grey", await page.locator("main").evaluate((main) => getComputedStyle(main).filter), "grayscale(1)");
  check("it is said in the header, too", await textOf(page, ".live"), "No connection");
  await accessible(page, "no connection");
  await page.locator("#serial").fill("GW-000001");
  await page.keyboard.press("Enter");
  await becomes(page, ".find", /cannot be reached/);
  await wish("start");
  await becomes(page, ".find h1 .badge", "Deployed");
  check("that it is back is said", await textOf(page, "[role=status][aria-live=polite]"), "The connection is back.");
  await page.goto(`${url}/#line`);
  await becomes(page, ".live", "Live");
  await becomes(page, ".banner", "");
  await becomes(page, units, "15");
  await wish("gateways", { count: 1, first: 16 });
  await becomes(page, units, "16");
  check("nothing was loaded again", await page.evaluate(() => globalThis.loadedOnce));
  await clean(page, "after the gap");
  await page.context().close();
}

export async function token(browser) {
  const { url, token: secret } = await wish("guard");
  const page = await open(browser, url);

  await becomes(page, "h1", "This server asks who you are");
  await accessible(page, "token");
  check("nothing is shown", await page.locator(".figures").count(), 0);
  await page.keyboard.type("not-a-token");
  await page.keyboard.press("Enter");
  await becomes(page, ".refusal", /./);
  check("a wrong one is not kept", await page.evaluate(() => sessionStorage.length), 0);
  await page.locator("#token").fill(secret);
  await page.keyboard.press("Enter");
  await becomes(page, ".live", "Live");
  check("in no address", page.loaded.filter((loaded) => loaded.includes(secret)), []);
  check("in this tab only", await page.evaluate(() => [sessionStorage.length, localStorage.length, document.cookie]), [1, 0, ""]);
  await page.reload();
  await becomes(page, ".live", "Live");
  await page.locator("#serial").fill("GW-1");
  await page.keyboard.press("Enter");
  await becomes(page, ".find", /not known here/);
  await page.getByRole("link", { name: "Exports" }).click();
  await page.getByRole("button", { name: "Download csv" }).click();
  await becomes(page, ".outcome", /^csv: no file: ./);
  await page.getByRole("button", { name: "Forget the token" }).click();
  await becomes(page, "h1", "This server asks who you are");
  check("it can be typed again", await page.evaluate(() => document.activeElement.id), "token");
  check("nothing of the line is in the title", await page.title(), "pep");
  await clean(page, "token");
  await page.context().close();
}

// A server that has no room says so; one of another version brings its own page.
export async function refused(browser, url) {
  const page = await open(browser, url);
  const full = { status: 503, contentType: "application/problem+json", body: JSON.stringify({ title: "busy", detail: "as many watch as may" }) };

  await becomes(page, ".live", "Live");
  const known = await page.evaluate(async () => (await fetch("/v3/status")).json());
  await page.route("**/v3/events", (route) => route.fulfill(full));
  await page.evaluate(() => { globalThis.loadedOnce = true; });
  await wish("kill");
  await becomes(page, ".banner", /trying again\. What you see is from before\. The server says: as many watch as may$/);
  check("the title tells it", (await page.title()).startsWith("No connection"));
  await wish("start");
  await page.route("**/v3/events", (route) => route.fulfill({ contentType: "text/event-stream",
    body: `event: status\ndata: ${JSON.stringify({ ...known, server: { ...known.server, version: "99" } })}\n\n` }), { times: 1 });
  await page.waitForFunction(() => !globalThis.loadedOnce);
  await page.unrouteAll();
  await becomes(page, ".live", "Live");
  await page.context().close();
}

// Whatever stands in a record is a text: in the page it stays one.
export async function hostile(browser, url) {
  const evil = "<img src=x onerror=\"globalThis.pwned=1\"><script>globalThis.pwned=1</script>";
  const entry = { at_ms: Date.now(), serial: evil, station: evil, outcome: "failed", code: evil, detail: evil, advice: evil, ms: 1 };
  const status = { server: { name: evil, version: evil, started_ms: 1, now_ms: Date.now(), storage: evil, injector: evil, exporters: [evil] },
    today: { since_ms: 0, units: 1, attempts: 1, first_attempts: 1, first_pass: 0, failed: 1 }, hours: [{ start_ms: 0, units: 1, failed: 1 }], stations: [{ station: evil, units: 0, failed: 1, last: entry }],
    recent: [entry], failures: [{ code: evil, count: 1, advice: evil }], queue: null, orders: [{ name: evil, customer: evil, quantity: 1, done: 0, reserved: 0, open: true }],
    checks: [{ name: evil, ok: false, detail: evil }], authority: { not_after_ms: null } };
  const page = await open(browser, "about:blank");

  await page.route("**/v3/events", (route) => route.fulfill({ contentType: "text/event-stream", body: `event: status\ndata: ${JSON.stringify(status)}\n\n` }));
  for (const view of ["line", "andon", "exports", `find/${encodeURIComponent(evil)}`]) {
    await page.goto(`${url}/#${view}`);
    await becomes(page, view.startsWith("find") ? "h1" : view === "andon" ? ".tiles" : view === "line" ? ".recent tbody" : ".exporters", /onerror/);
    check(`${view}: no element of theirs`, await page.locator("main img, main script, header img").count(), 0);
  }
  check("no script of theirs", await page.evaluate(() => "pwned" in globalThis), false);
  await page.context().close();
}

// A tab that nobody looks at keeps no connection: a browser has only six to one server.
export async function background(browser, url) {
  const page = await open(browser, url);
  const look = (hidden) => page.evaluate((isHidden) => {
    Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
  const asked = () => page.loaded.filter((loaded) => loaded.endsWith("/v3/events")).length;

  await becomes(page, ".live", "Live");
  const [ended] = await Promise.all([page.waitForEvent("requestfailed"), look(true)]);
  check("the stream is given up", ended.url().endsWith("/v3/events"));
  check("asked once so far", asked(), 1);
  const [again] = await Promise.all([page.waitForResponse("**/v3/events"), look(false)]);
  check("and asked for again", [again.status(), asked()], [200, 2]);
  check("nothing seems to be gone", await page.locator(".banner p").count(), 0);
  await clean(page, "background");
  await page.context().close();
}

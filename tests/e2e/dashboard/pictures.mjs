// SPDX-License-Identifier: Apache-2.0
// The pictures of docs/images/: the page of the server, shown a day that is the same every time.
import { becomes, open } from "./stage.mjs";

const NOW = Date.UTC(2027, 2, 2, 14, 41, 7);
const HOUR = 3600000;
const UNITS = [0, 0, 0, 0, 0, 0, 38, 84, 91, 88, 62, 90, 93, 87, 59];
const TROUBLE = {
  5: ["failed", "gateway_refused", "the gateway refused: status 14: the name in the certificate is not its endpoint name",
    "Do what the reason says; most often wipe the gateway's storage, start its factory program again, and try again."],
  11: ["in_doubt", "in_doubt", "no whole answer to the last message of 127.0.1.11: it may have its certificate",
    "Put the unit aside: nobody knows whether it has its identity. An engineer reads it and resolves it, or it is provisioned again."],
};

function entry(i) {
  const station = 1 + ((i * 7) % 15);
  const [outcome, code, detail, advice] = (i < 15 && TROUBLE[station]) || ["deployed", "deployed", null, null];

  return { at_ms: NOW - 4000 - i * 9300, serial: `GW-${String(204181 - i)}`, station: `station-${String(station).padStart(2, "0")}`, outcome, code, detail, advice, ms: 1900 + ((i * 377) % 800) };
}

function day() {
  const recent = [...Array(50).keys()].map(entry);
  const midnight = NOW - (NOW % (24 * HOUR));
  const yesterday = [88, 85, 90, 61, 86, 92, 80, 44, 0];
  const all = [...yesterday, ...UNITS];
  const units = UNITS.reduce((sum, one) => sum + one, 0);
  const failures = [["gateway_unreachable", 9, "Look at cable and power, start the factory program on the gateway again, and try again."],
    ["gateway_refused", 6, TROUBLE[5][3]], ["exists", 2, "This serial number has its identity already: check the label; a repaired unit needs a grant."],
    ["in_doubt", 1, TROUBLE[11][3]]];

  return { server: { name: "line-3", version: "3.0.0", started_ms: midnight - 9 * 24 * HOUR, now_ms: NOW, storage: "sqlite", injector: "fcc", exporters: ["csv", "json"] },
    today: { since_ms: midnight, units, attempts: units + 18, first_attempts: units + 4, first_pass: units - 12, failed: 18 },
    hours: all.map((made, i) => ({ start_ms: midnight + (i - yesterday.length) * HOUR, units: made, failed: made ? (i * 5) % 4 : 0 })),
    stations: [...Array(15).keys()].map((i) => {
      const name = `station-${String(i + 1).padStart(2, "0")}`;
      return { station: name, units: 44 + ((i * 5) % 4), failed: [1, 0, 2, 0, 3, 1, 0, 1][i % 8], last: recent.find((one) => one.station === name) };
    }),
    recent, failures: failures.map(([code, count, advice]) => ({ code, count, advice })), queue: { running: 4, running_limit: 64, waiting: 0, waiting_limit: 128 },
    orders: [{ name: "PO-2027-031", customer: "Northern Metering", quantity: 5000, done: 3784, reserved: 4, open: true }, { name: "PO-2027-034", customer: "Harbour Lights", quantity: 1200, done: 212, reserved: 0, open: true }],
    checks: [{ name: "storage", ok: true, detail: "answers" }, { name: "spool", ok: true, detail: "0 waiting" }, { name: "audit", ok: true, detail: "written" }],
    authority: { not_after_ms: NOW + 3212 * 24 * HOUR } };
}

// In the page: the stream says one thing, and stays open.
function show(status) {
  const ask = globalThis.fetch;

  globalThis.fetch = (target, options) => target !== "/v3/events" ? ask(target, options) : Promise.resolve(new Response(new ReadableStream({
    start: (stream) => stream.enqueue(new TextEncoder().encode(`event: status\ndata: ${JSON.stringify(status)}\n\n`)),
  })));
}

export async function paint(browser, url, folder) {
  for (const [name, view, ready, options] of [
    ["dashboard-light", "line", ".live", { colorScheme: "light", viewport: { width: 1280, height: 1120 } }],
    ["dashboard-dark", "line", ".live", { colorScheme: "dark", viewport: { width: 1280, height: 1120 } }],
    ["andon", "andon", ".andon dt", { colorScheme: "dark", viewport: { width: 1280, height: 720 } }]]) {
    const page = await open(browser, "about:blank", { timezoneId: "UTC", ...options });
    await page.addInitScript(show, day());
    await page.goto(`${url}/#${view}`);
    await becomes(page, ready, /Live|Units today/);
    await page.screenshot({ path: `${folder}/${name}.png` });
    await page.context().close();
  }
}

// What every view is made of: the tag that makes elements, symbols, words for outcomes, numbers and times.
import { h, Component } from "./preact.js";
import htm from "./htm.js";

export { Component };
export const html = htm.bind(h);

// Never colour alone: each outcome has a word, a symbol and a tone.
const OUTCOMES = {
  deployed: { word: "Pass", symbol: "check", tone: "good" },
  replayed: { word: "Repeated", symbol: "repeat", tone: "good" },
  refused: { word: "Refused", symbol: "stop", tone: "warn" },
  failed: { word: "Fail", symbol: "cross", tone: "bad" },
  in_doubt: { word: "In doubt", symbol: "question", tone: "warn" },
  not_done: { word: "Not done", symbol: "minus", tone: "idle" },
};

export function outcomeOf(name) {
  return OUTCOMES[name] ?? { word: words(name ?? "unknown"), symbol: "minus", tone: "idle" };
}

// States of a record, as docs/identity-life.md names them.
const STATES = {
  deployed: { word: "Deployed", symbol: "check", tone: "good" },
  failed: { word: "Failed", symbol: "cross", tone: "bad" },
  in_doubt: { word: "In doubt", symbol: "question", tone: "warn" },
  retired: { word: "Retired", symbol: "minus", tone: "idle" },
};

export function stateOf(name) {
  return STATES[name] ?? { word: words(name ?? "unknown"), symbol: "dots", tone: "idle" };
}

const SYMBOLS = {
  check: "M5 12.5l4.5 4.5L19 7.5",
  cross: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  question: "M8.5 9a3.5 3.5 0 1 1 5.2 3c-1.1.7-1.7 1.3-1.7 2.5M12 18.2v.1",
  stop: "M6.6 6.6l10.8 10.8M12 4a8 8 0 1 0 0 16a8 8 0 1 0 0-16",
  repeat: "M5 11a7 7 0 0 1 12-4l2 2M19 5v4h-4M19 13a7 7 0 0 1-12 4l-2-2M5 19v-4h4",
  minus: "M6 12h12",
  dots: "M6 12v.1M12 12v.1M18 12v.1",
  search: "M10.5 4.5a6 6 0 1 0 0 12a6 6 0 1 0 0-12M15 15l5 5",
  down: "M12 4v11M7 10.5l5 5l5-5M5 20h14",
};

export function Glyph({ name }) {
  return html`<svg class="symbol" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${SYMBOLS[name]} /></svg>`;
}

export function Badge({ of }) {
  return html`<span class="badge ${of.tone}"><${Glyph} name=${of.symbol} />${of.word}</span>`;
}

export function Panel({ id, title, note, className = "", children }) {
  return html`<section class="panel ${className}" aria-labelledby=${id}>
    <header><h2 id=${id}>${title}</h2>${note && html`<p class="note">${note}</p>`}</header>
    ${children}
  </section>`;
}

export function Empty({ children }) {
  return html`<p class="empty">${children}</p>`;
}

// A bar that says as text what it shows; `share` is 0 to 1.
export function Bar({ share, tone = "" }) {
  const width = Math.round(1000 * Math.max(0, Math.min(1, share || 0))) / 10;

  return html`<svg class="bar ${tone}" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true" focusable="false">
    <rect class="track" width="100" height="1" /><rect class="fill" width=${width} height="1" />
  </svg>`;
}

const REASONS = { exists: "Already provisioned", quota: "Order is complete", not_expected: "In no order", injector_timeout: "Gateway too slow" };

// A code (Pep-Error) in words; those that have no better ones are their own.
export function reason(code) {
  return REASONS[code] ?? words(code ?? "unknown");
}

export function words(code) {
  const text = String(code).replaceAll("_", " ");

  return text.charAt(0).toUpperCase() + text.slice(1);
}

const whole = new Intl.NumberFormat("en");
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const minute = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("sv-SE", { year: "numeric", month: "2-digit", day: "2-digit" });

export function count(value) {
  return value === null || value === undefined ? "–" : whole.format(value);
}

export function plural(value, one, many = one + "s") {
  return `${count(value)} ${value === 1 ? one : many}`;
}

// Cut, not rounded: 100 % means that nothing failed.
export function percent(part, all) {
  return all > 0 ? `${(Math.floor((1000 * part) / all) / 10).toFixed(1)} %` : "–";
}

// First-pass yield: of the units that were tried for the first time today, how many passed at once.
export function yieldOf(today) {
  return percent(today.first_pass, today.first_attempts ?? today.attempts);
}

export function timeOfDay(ms) {
  return clock.format(ms);
}

export function hourOf(ms) {
  return minute.format(ms);
}

export function date(ms) {
  return day.format(ms);
}

export function moment(ms) {
  return ms ? `${date(ms)} ${timeOfDay(ms)}` : "–";
}

export function seconds(ms) {
  return ms === null || ms === undefined ? "–" : `${(ms / 1000).toFixed(1)} s`;
}

// "12 s ago"; coarse, so that a page that nobody touches does not flicker.
export function ago(ms) {
  const s = Math.max(0, Math.round(ms / 1000));

  if (s < 5) return "just now";
  if (s < 60) return `${s - (s % 5)} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 172800) return `${Math.floor(s / 3600)} h ago`;
  return `${Math.floor(s / 86400)} days ago`;
}

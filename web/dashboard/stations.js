// The stations, each with what happened last at it. That stays until its next unit comes.
import { html, Empty, Glyph, Panel, ago, count, outcomeOf, reason, timeOfDay, yieldOf } from "./parts.js";

const names = new Intl.Collator("en", { numeric: true });

// By name: an operator finds a station where it was yesterday.
export function inOrder(stations) {
  return [...stations].sort((a, b) => names.compare(a.station, b.station));
}

export function serialLink(serial) {
  return html`<a class="serial" href="#find/${encodeURIComponent(serial)}">${serial}</a>`;
}

function tally({ units, failed }) {
  return failed > 0 ? `${count(units)}, ${count(failed)} failed` : count(units);
}

function Station({ station, now }) {
  const { last } = station;
  const outcome = outcomeOf(last.outcome);

  return html`<li class="station ${outcome.tone}">
    <h3 title=${station.station}>${station.station}</h3>
    <p class="tally"><span class="hidden">Units today: </span>${tally(station)}</p>
    <p class="word"><${Glyph} name=${outcome.symbol} />${outcome.word}</p>
    <p class="unit">${serialLink(last.serial)} <time title=${timeOfDay(last.at_ms)}>${ago(now - last.at_ms)}</time></p>
    ${outcome.tone !== "good" && reason(last.code) !== outcome.word && html`<p class="reason">${reason(last.code)}</p>`}
  </li>`;
}

function Attention({ station: { station, last } }) {
  const outcome = outcomeOf(last.outcome);

  return html`<li class=${outcome.tone}><${Glyph} name=${outcome.symbol} /><div>
    <p><strong>${station}</strong> ${serialLink(last.serial)} <span class="muted">${last.detail ?? reason(last.code)}</span></p>
    <p>${last.advice ?? "Show the reason to an engineer."}</p></div></li>`;
}

export function Stations({ status, now }) {
  const stations = inOrder(status.stations);
  const trouble = stations.filter(({ last }) => outcomeOf(last.outcome).tone !== "good");
  const note = stations.length === 0 ? "" : trouble.length === 0 ? `all ${count(stations.length)} passed their last unit` : `${count(trouble.length)} of ${count(stations.length)} need attention`;

  return html`<${Panel} id="stations" title="Stations" note=${note} className="wide">
    ${stations.length === 0 ? html`<${Empty}>No station has asked for an identity yet. Each appears here with its first unit.<//>`
      : html`<ul class="stations">${stations.map((station) => html`<${Station} key=${station.station} station=${station} now=${now} />`)}</ul>`}
    ${trouble.length > 0 && html`<h3 class="todo">What to do</h3><ul class="attention">${trouble.map((station) => html`<${Attention} key=${station.station} station=${station} />`)}</ul>`}
  <//>`;
}

// How many tiles stand side by side where they are largest, on the screen that there is.
function columnsFor(tiles) {
  let columns = 1, size = 0;

  for (let n = 1; n <= tiles; n++) {
    const each = Math.min(innerWidth / n / 1.35, (0.78 * innerHeight) / Math.ceil(tiles / n));
    if (each > size) [columns, size] = [n, each];
  }
  return columns;
}

// Seen from the other end of the hall: one tile for each station, as large as they come.
export function Andon({ status, now }) {
  const stations = inOrder(status.stations);
  const { today } = status;
  const columns = columnsFor(stations.length);
  // As many letters as the longest name has; over 20 they take a second line.
  const letters = Math.min(20, Math.max(...stations.map(({ station }) => station.length)));

  return html`<main id="main" class="andon" tabindex="-1">
    <h1 class="hidden">Andon: ${status.server.name}</h1>
    <dl class="figures">
      <div><dt>Units today</dt><dd>${count(today.units)}</dd></div>
      <div><dt>First-pass yield</dt><dd>${yieldOf(today)}</dd></div>
      <div class=${today.failed > 0 ? "bad" : ""}><dt>Failed</dt><dd>${count(today.failed)}</dd></div>
      <div><dt>Time</dt><dd>${timeOfDay(now).slice(0, 5)}</dd></div>
    </dl>
    <h2 class="hidden">Stations</h2>
    ${stations.length === 0 ? html`<${Empty}>No station has asked for an identity today.<//>`
      : html`<ul class="tiles" style=${{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`, gap: `${Math.min(1.5, 12 / columns)}vmin`, "--letters": letters }}>${stations.map(({ station, last }) => {
        const outcome = outcomeOf(last.outcome);
        return html`<li key=${station} class=${outcome.tone}><div><h3>${station}</h3><${Glyph} name=${outcome.symbol} /><p>${outcome.word}</p></div></li>`;
      })}</ul>`}
  </main>`;
}

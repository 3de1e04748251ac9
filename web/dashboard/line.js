// The line as it is now: figures of the day, stations, the last 24 hours, what went wrong and what to do about it.
import { html, Badge, Bar, Empty, Glyph, Panel, count, date, hourOf, outcomeOf, percent, plural, reason, seconds, timeOfDay, words, yieldOf } from "./parts.js";
import { HourChart } from "./chart.js";
import { Stations, serialLink } from "./stations.js";

const DAY_MS = 86400000;
const CA_WARN_DAYS = 90;
const CA_BAD_DAYS = 14;
const CHECKS = { ca: "Certificate authority", tls: "TLS certificate" };

function Figure({ name, value, note, tone = "" }) {
  return html`<div class="figure ${tone}"><dt>${name}</dt><dd>${value}</dd><dd class="note">${note}</dd></div>`;
}

function Figures({ status: { today, hours, queue } }) {
  const now = hours[hours.length - 1] ?? { units: 0 };
  const before = hours[hours.length - 2] ?? { units: 0 };
  const waiting = queue?.waiting ?? 0;

  return html`<section aria-labelledby="figures"><h2 id="figures" class="hidden">Figures of the day</h2><dl class="figures">
    <${Figure} name="Units today" value=${count(today.units)} note="since ${hourOf(today.since_ms)}" />
    <${Figure} name="First-pass yield" value=${yieldOf(today)} note="${count(today.first_pass)} at the first attempt" />
    <${Figure} name="This hour" value=${count(now.units)} note="${count(before.units)} in the hour before" />
    <${Figure} name="Failed attempts" value=${count(today.failed)} note="of ${count(today.attempts)} today" tone=${today.failed > 0 ? "bad" : ""} />
    ${queue && html`<${Figure} name="In work" value=${count(queue.running)} note=${waiting ? `${count(waiting)} waiting for their turn` : "nobody waits"}
      tone=${waiting > 0 ? "warn" : ""} />`}
  </dl></section>`;
}

// Pareto: the most frequent reason first, each with its share of all.
function Failures({ failures }) {
  const all = failures.reduce((sum, failure) => sum + failure.count, 0);
  const most = failures[0]?.count ?? 0;

  return html`<${Panel} id="failures" title="Failures by reason" note=${all ? `${count(all)} today` : ""}>
    ${all === 0 ? html`<${Empty}>Nothing has failed today.<//>` : html`<table class="failures">
      <caption class="hidden">Failures of today by reason, the most frequent first, with what to do</caption>
      <thead class="hidden"><tr><th scope="col">Reason, and what to do</th><th scope="col">Share</th><th scope="col">Count</th></tr></thead>
      <tbody>${failures.map((failure) => html`<tr key=${failure.code}>
        <th scope="row">${reason(failure.code)}<${Bar} share=${failure.count / most} tone="bad" /><span class="advice">${failure.advice ?? "Show the reason to an engineer."}</span></th>
        <td class="number muted">${percent(failure.count, all)}</td><td class="number strong">${count(failure.count)}</td></tr>`)}</tbody>
    </table>`}
  <//>`;
}

function Recent({ recent }) {
  return html`<${Panel} id="recent" title="Last units" className="wide">
    ${recent.length === 0 ? html`<${Empty}>No unit has come yet.<//>` : html`<div class="scroll" role="group" aria-label="Table of the last units" tabindex="0"><table class="recent">
      <caption class="hidden">The last ${count(recent.length)} attempts, newest first</caption>
      <thead><tr><th scope="col">Time</th><th scope="col">Result</th><th scope="col">Serial number</th><th scope="col">Station</th>
        <th scope="col" class="number">Took</th><th scope="col">Reason</th></tr></thead>
      <tbody>${recent.map((entry) => html`<tr key=${entry.at_ms + entry.serial + entry.station}>
        <td class="time">${timeOfDay(entry.at_ms)}</td><td><${Badge} of=${outcomeOf(entry.outcome)} /></td><td>${serialLink(entry.serial)}</td>
        <td class="muted where" title=${entry.station}>${entry.station}</td><td class="number muted">${seconds(entry.ms)}</td>
        <td class="reason">${outcomeOf(entry.outcome).tone === "good" ? "" : entry.detail ?? reason(entry.code)}</td></tr>`)}</tbody>
    </table></div>`}
  <//>`;
}

function Orders({ orders }) {
  return html`<${Panel} id="orders" title="Orders">
    ${orders.length === 0 ? html`<${Empty}>No order is open.<//>` : html`<ul class="orders">${orders.map((order) => html`<li key=${order.name}>
      <p><strong>${order.name}</strong>${order.customer && html` <span class="muted">${order.customer}</span>`}<span class="end">${count(order.done)} of ${count(order.quantity)}</span></p>
      <${Bar} share=${order.done / order.quantity} tone=${order.done >= order.quantity ? "good" : ""} />
      <p class="note">${order.open === false ? "closed" : order.done >= order.quantity ? "complete" : `${count(order.quantity - order.done)} to go`}${order.reserved > 0 ? `, ${count(order.reserved)} in work` : ""}</p>
    </li>`)}</ul>`}
  <//>`;
}

function Check({ ok, name, children }) {
  const tone = ok === true ? "good" : ok === false ? "bad" : "warn";

  return html`<li class=${tone}><${Glyph} name=${ok === true ? "check" : ok === false ? "cross" : "question"} />
    <span class="name">${name}<span class="hidden">${ok === true ? ": well" : ok === false ? ": failed" : ": look at it"}</span></span><span class="end">${children}</span></li>`;
}

function authorityOf(notAfterMs, now) {
  const days = Math.floor((notAfterMs - now) / DAY_MS);

  return { ok: days < CA_BAD_DAYS ? false : days < CA_WARN_DAYS ? null : true, text: days < 0 ? `ended ${date(notAfterMs)}` : `${plural(days, "day")} left, to ${date(notAfterMs)}` };
}

function Health({ status, now }) {
  const { server, checks, authority, queue } = status;
  const ca = authority?.not_after_ms ? authorityOf(authority.not_after_ms, now) : null;

  return html`<${Panel} id="health" title="Health">
    <ul class="checks">
      ${checks.filter(({ name }) => !(ca && name === "ca")).map((check) => html`<${Check} key=${check.name} ok=${check.ok} name=${CHECKS[check.name] ?? words(check.name)}>${check.detail}<//>`)}
      ${ca && html`<${Check} ok=${ca.ok} name="Certificate authority">${ca.text}<//>`}
      ${queue && html`<${Check} ok=${queue.waiting >= queue.waiting_limit ? false : true} name="Queue">
        ${count(queue.running)} of ${count(queue.running_limit)} in work, ${count(queue.waiting)} of ${count(queue.waiting_limit)} waiting<//>`}
    </ul>
    <p class="note">${server.name}, pep ${server.version}, storage ${server.storage}, injector ${server.injector}, up since ${date(server.started_ms)} ${timeOfDay(server.started_ms)}</p>
  <//>`;
}

export function Line({ status, now }) {
  return html`<main id="main" class="line" tabindex="-1">
    <h1 class="hidden">The line now</h1>
    <${Figures} status=${status} />
    <${Stations} status=${status} now=${now} />
    <${Panel} id="hours" title="Units per hour" note="the last 24 hours"><${HourChart} hours=${status.hours} /><//>
    <${Failures} failures=${status.failures} />
    <${Recent} recent=${status.recent} />
    <${Orders} orders=${status.orders} />
    <${Health} status=${status} now=${now} />
  </main>`;
}

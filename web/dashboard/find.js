// One serial number: what is known of it, and everything that has happened to it.
import { html, Component, Badge, Empty, Panel, moment, outcomeOf, reason, seconds, stateOf, words } from "./parts.js";
import { authorized, reasonOf } from "./feed.js";

// What a person asks for first; whatever else the server tells comes behind, under its own name.
const FIRST = ["enrollment_id", "reason", "station", "deployed_ms", "created_ms", "category", "attempt"];
const APART = ["serial", "serialNumber", "state", "history"];

function label(name) {
  return words(name.replace(/_ms$/, "").replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase().replace(/(?<![a-z])(id|ip|led|api|ca)(?![a-z])/g, (short) => short.toUpperCase()));
}

function shown(name, value) {
  if (value === null || value === undefined || value === "") return "–";
  if (name.endsWith("_ms")) return moment(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function Facts({ record }) {
  const rest = Object.keys(record).filter((name) => !FIRST.includes(name) && !APART.includes(name));
  const names = [...FIRST.filter((name) => name in record), ...rest];

  return html`<dl class="facts">${names.map((name) => html`<div key=${name} class=${shown(name, record[name]).length > 40 ? "long" : undefined}><dt>${label(name)}</dt><dd>${shown(name, record[name])}</dd></div>`)}</dl>`;
}

const NOT_KNOWN = "This serial number is not known here. Check the label: no station has asked for it, or another server's store has it.";
const BUSY_MS = 1000;
const DECISIONS = { grant: { word: "Granted", symbol: "repeat", tone: "idle" }, retire: stateOf("retired") };

function attempt(number) {
  return number > 0 ? `Attempt ${number}` : "Turned away";
}

// What was done, in words; where and by whom stands behind it.
function deed({ event, attempt: number }) {
  if (event === "provision") return attempt(number);
  if (event === "settled") return `${attempt(number)} came to its end when nobody waited any more`;
  if (event === "resolve") return `${attempt(number)} was resolved`;
  return { grant: "May have another identity, once", retire: "Taken out of service" }[event] ?? words(event ?? "unknown");
}

function why(event, tone) {
  return event.detail ?? event.reason ?? (tone === "good" || !event.code ? "" : reason(event.code));
}

function Event({ event }) {
  const badge = DECISIONS[event.event] ?? outcomeOf(event.outcome);
  const text = why(event, badge.tone);

  return html`<li>
    <time datetime=${new Date(event.at_ms).toISOString()}>${moment(event.at_ms)}</time>
    <div class="how"><${Badge} of=${badge} /></div>
    <div class="what">
      <p><span class="strong">${deed(event)}</span>${event.station && ` at ${event.station}`}<span class="muted">${event.actor && `, ${event.event === "provision" ? "asked " : ""}by ${event.actor}`}${event.ms !== undefined && `, took ${seconds(event.ms)}`}</span></p>
      ${text && html`<p>${text}</p>`}
      ${event.enrollment_id && html`<p class="note"><span class="hidden">Enrollment identity: </span>${event.event === "grant" && "instead of "}${event.enrollment_id}</p>`}
    </div></li>`;
}

function History({ seen }) {
  return html`<ol class="events">${[...seen.events].reverse().map((event, i) => html`<${Event} key=${seen.events.length - i} event=${event} />`)}</ol>`;
}

// What the record itself keeps: attempts before the last one that may have left an identity, whichever server made them.
function Earlier({ entries }) {
  const names = [...new Set(entries.flatMap(Object.keys))];

  return html`<div class="scroll" role="group" aria-label="Table of earlier identities" tabindex="0"><table>
    <caption class="hidden">Earlier attempts that may have left an identity, the first one first</caption>
    <thead><tr>${names.map((name) => html`<th scope="col" key=${name}>${label(name)}</th>`)}</tr></thead>
    <tbody>${entries.map((entry, i) => html`<tr key=${i}>${names.map((name) => html`<td key=${name}>${shown(name, entry[name])}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}

export class Find extends Component {
  constructor(props) {
    super(props);
    this.state = { record: null, seen: null, trouble: "", blind: "" };
  }

  componentDidMount() {
    if (this.props.serial) this.ask();
    else document.getElementById("serial").focus();
  }

  // What is shown is as old as the unit's last attempt, and what failed for want of a connection is asked again with the next one.
  componentDidUpdate({ latest, live }) {
    if (this.props.serial && (latest !== this.props.latest || (!live && this.props.live))) this.ask();
  }

  componentWillUnmount() {
    this.stop();
  }

  stop() {
    clearTimeout(this.timer);
    this.request?.abort();
  }

  get(part) {
    return fetch(`/v3/identities/${encodeURIComponent(this.props.serial)}${part}`, { headers: authorized(), signal: this.request.signal, cache: "no-store" });
  }

  async ask() {
    this.stop();
    this.request = new AbortController();
    try {
      const [record, events] = await Promise.all([this.get(""), this.get("/events")]);
      if (events.ok) this.setState({ seen: await events.json(), blind: "" });
      else if (events.headers.get("Pep-Error") === "busy") this.timer = setTimeout(() => this.ask(), BUSY_MS);
      else this.setState({ blind: events.status === 404 ? "" : await reasonOf(events) });
      if (record.ok) this.setState({ record: await record.json(), trouble: "" });
      else if (record.status !== 404) this.setState({ trouble: await reasonOf(record) });
      else this.setState({ trouble: events.ok ? "There is no record of this serial number: what was tried never came to a gateway." : NOT_KNOWN });
    } catch (error) {
      if (error.name !== "AbortError") this.setState({ trouble: "The server cannot be reached. Try again when the connection is back." });
    }
  }

  render({ serial }, { record, seen, trouble, blind }) {
    if (!serial) return html`<main id="main" class="find" tabindex="-1"><h1>Search</h1><${Empty}>Type or scan a serial number into the field at the top. The key / leads there.<//></main>`;
    return html`<main id="main" class="find" tabindex="-1">
      <h1><span class="hidden">Serial number </span>${serial} ${record && html`<${Badge} of=${stateOf(record.state)} />`}</h1>
      <div role="status">${trouble && html`<${Empty}>${trouble}<//>`}${!trouble && !record && html`<${Empty}>Asking the server…<//>`}</div>
      ${record && html`<${Panel} id="record" title="Record"><${Facts} record=${record} /><//>`}
      ${(seen || blind) && html`<${Panel} id="history" title="History" note="what this server has seen, newest first${seen && !seen.complete ? "; older events may be missing" : ""}">
        ${blind && html`<${Empty}>${blind}<//>`}${seen && html`<${History} seen=${seen} />`}<//>`}
      ${record?.history?.length > 0 && html`<${Panel} id="earlier" title="Earlier identities" note="attempts before the last that may have left one"><${Earlier} entries=${record.history} /><//>`}
    </main>`;
  }
}

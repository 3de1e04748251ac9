// One serial number: what is known of it, and everything that has happened to it.
import { html, Component, Badge, Empty, Panel, moment, stateOf, words } from "./parts.js";
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

// The attempts before, and the last one, which the record itself tells of.
function History({ record }) {
  const now = { attempt: record.attempt, ended: record.state, enrollment_id: record.enrollment_id, deployed_ms: record.deployed_ms, reason: record.reason };
  const entries = [...(record.history ?? []), now];
  const names = [...new Set([...Object.keys(now), ...entries.flatMap(Object.keys)])];

  return html`<div class="scroll" role="group" aria-label="Table of the history" tabindex="0"><table>
    <caption class="hidden">Every attempt for this serial number, the first one first</caption>
    <thead><tr>${names.map((name) => html`<th scope="col" key=${name}>${label(name)}</th>`)}</tr></thead>
    <tbody>${entries.map((entry, i) => html`<tr key=${i}>${names.map((name) => html`<td key=${name}>${shown(name, entry[name])}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}

export class Find extends Component {
  constructor(props) {
    super(props);
    this.state = { record: null, trouble: "" };
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
    this.request?.abort();
  }

  async ask() {
    this.request?.abort();
    this.request = new AbortController();
    try {
      const response = await fetch(`/v3/identities/${encodeURIComponent(this.props.serial)}`, { headers: authorized(), signal: this.request.signal, cache: "no-store" });
      if (response.ok) this.setState({ record: await response.json(), trouble: "" });
      else if (response.status === 404) this.setState({ trouble: "This serial number is not known here. Check the label: no station has asked for it, or another server's store has it." });
      else this.setState({ trouble: await reasonOf(response) });
    } catch (error) {
      if (error.name !== "AbortError") this.setState({ trouble: "The server cannot be reached. Try again when the connection is back." });
    }
  }

  render({ serial }, { record, trouble }) {
    if (!serial) return html`<main id="main" class="find" tabindex="-1"><h1>Search</h1><${Empty}>Type or scan a serial number into the field at the top. The key / leads there.<//></main>`;
    return html`<main id="main" class="find" tabindex="-1">
      <h1><span class="hidden">Serial number </span>${serial} ${record && html`<${Badge} of=${stateOf(record.state)} />`}</h1>
      <div role="status">${trouble && html`<${Empty}>${trouble}<//>`}${!trouble && !record && html`<${Empty}>Asking the server…<//>`}</div>
      ${record && html`<${Panel} id="record" title="Record"><${Facts} record=${record} /><//>
        <${Panel} id="history" title="History"><${History} record=${record} /><//>`}
    </main>`;
  }
}

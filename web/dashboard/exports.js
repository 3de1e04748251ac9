// Files to take away: one for each exporter of the server, for a range of days.
import { html, Component, Empty, Glyph, count } from "./parts.js";
import { authorized, reasonOf } from "./feed.js";

const KINDS = {
  csv: "For the device management portal: the enrollment identities, as CSV",
  json: "Everything, as one JSON document",
  jsonl: "Everything, one JSON object a line",
};

function fileNameOf(response, exporter) {
  const given = /filename="([^"\\/]+)"/.exec(response.headers.get("Content-Disposition") ?? "");

  return given ? given[1] : `pep-${exporter}`;
}

function save(blob, name) {
  const link = document.createElement("a");

  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

function mega(size) {
  return size < 1e6 ? `${count(Math.ceil(size / 1000))} kB` : `${(size / 1e6).toFixed(1)} MB`;
}

// The first moment of a day here, or of the day after it, as the server takes it.
function dayStart(value, daysLater) {
  const [year, month, day] = value.split("-").map(Number);

  return String(new Date(year, month - 1, day + daysLater).getTime());
}

export class Exports extends Component {
  constructor(props) {
    super(props);
    this.state = { busy: "", said: "", bad: false };
  }

  componentWillUnmount() {
    this.request?.abort();
  }

  async take(exporter) {
    const query = new URLSearchParams();
    const { from, to, all } = this.form;

    if (from.value) query.set("from", dayStart(from.value, 0));
    if (to.value) query.set("to", dayStart(to.value, 1));
    if (all.checked) query.set("state", "all");
    this.request = new AbortController();
    this.setState({ busy: exporter, said: `Asking for ${exporter}…`, bad: false });
    try {
      const response = await fetch(`/v3/export/${encodeURIComponent(exporter)}?${query}`, { headers: authorized(), signal: this.request.signal, cache: "no-store" });
      if (!response.ok) throw new Error(await reasonOf(response));
      const chunks = [], reader = response.body.getReader();
      let size = 0, told = 0;
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        chunks.push(part.value);
        size += part.value.length;
        if (size - told > 1e6) this.setState({ said: `${exporter}: ${mega((told = size))} so far` });
      }
      const name = fileNameOf(response, exporter);
      save(new Blob(chunks, { type: response.headers.get("Content-Type") ?? "" }), name);
      this.setState({ busy: "", said: `${name} is complete: ${mega(size)}.` });
    } catch (error) {
      // A file that broke off is not saved: half a list looks like a whole one.
      const why = error instanceof TypeError ? "the connection broke" : error.message;
      if (error.name !== "AbortError") this.setState({ busy: "", said: `${exporter}: no file: ${why}`, bad: true });
    }
  }

  render({ names }, { busy, said, bad }) {
    return html`<main id="main" class="exports" tabindex="-1">
      <h1>Exports</h1>
      <form class="range" ref=${(form) => { this.form = form ?? this.form; }} onSubmit=${(event) => event.preventDefault()}>
        <fieldset><legend>Which identities</legend>
          <label>Deployed from <input type="date" name="from" /></label>
          <label>up to and including <input type="date" name="to" /></label>
          <label class="check"><input type="checkbox" name="all" /> Also those that are not deployed</label>
        </fieldset>
      </form>
      <p class="outcome ${bad ? "bad" : ""}" role="status">${said}</p>
      ${names.length === 0 ? html`<${Empty}>This server has no exporters. Whoever runs it lists them in pep.yaml, under exporters.<//>`
        : html`<ul class="exporters">${names.map((name) => html`<li key=${name}><div><h2>${name}</h2><p class="note">${KINDS[name] ?? "In the format of this exporter"}</p></div>
          <button type="button" class="main" disabled=${busy !== ""} onClick=${() => this.take(name)}><${Glyph} name="down" />${busy === name ? "Asking…" : "Download"}<span class="hidden"> ${name}</span></button></li>`)}</ul>`}
    </main>`;
  }
}

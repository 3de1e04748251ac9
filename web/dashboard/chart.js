// Units an hour over the last 24 hours, by uPlot (a classic script: it puts itself into the page's globals). Those who cannot see or
// point get the same figures as a table.
import { html, Component, count, hourOf, plural } from "./parts.js";

const { uPlot } = globalThis;
const dark = matchMedia("(prefers-color-scheme: dark)");

// The hour that begins at `ms`: "13:00–14:00".
function span(ms) {
  return `${hourOf(ms)}–${hourOf(ms + 3600000)}`;
}

export function sentence(hour) {
  return `${span(hour.start_ms)}: ${plural(hour.units, "unit")}, ${count(hour.failed)} failed`;
}

// Failures stand on top of the units: behind them, from zero to the sum.
function columns(hours) {
  return [hours.map((_, i) => i), hours.map((hour) => hour.units + hour.failed), hours.map((hour) => hour.units)];
}

function bars(label, colour) {
  return { label, fill: colour, width: 0, points: { show: false }, paths: uPlot.paths.bars({ size: [0.72, 40], radius: 0.08 }) };
}

export class HourChart extends Component {
  constructor(props) {
    super(props);
    this.state = { at: null };
    this.rebuild = () => this.build();
  }

  componentDidMount() {
    this.build();
    this.observer = new ResizeObserver(() => this.plot.setSize(this.size()));
    this.observer.observe(this.box);
    dark.addEventListener("change", this.rebuild);
  }

  componentDidUpdate(before) {
    if (before.hours !== this.props.hours) this.plot.setData(columns(this.props.hours));
  }

  componentWillUnmount() {
    this.observer.disconnect();
    dark.removeEventListener("change", this.rebuild);
    this.plot.destroy();
  }

  size() {
    return { width: this.box.clientWidth, height: this.box.clientHeight };
  }

  build() {
    const style = getComputedStyle(this.box);
    const colour = (name) => style.getPropertyValue(name).trim();
    const font = `12px ${style.fontFamily}`;
    const axis = { stroke: colour("--muted"), font, ticks: { show: false } };

    this.plot?.destroy();
    this.plot = new uPlot({
      ...this.size(),
      padding: [12, 14, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: { x: { time: false, range: () => [-0.6, this.props.hours.length - 0.4] }, y: { range: (_, low, high) => [0, Math.max(4, high * 1.08)] } },
      axes: [
        { ...axis, grid: { show: false }, size: 28, gap: 6, splits: () => this.labelled(), values: (_, at) => at.map((i) => hourOf(this.props.hours[i].start_ms)) },
        { ...axis, grid: { stroke: colour("--rule"), width: 1 }, size: 44, gap: 8, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000], space: 44 },
      ],
      series: [{}, bars("failed", colour("--bad-fill")), bars("units", colour("--accent"))],
      hooks: { setCursor: [(plot) => this.point(plot.cursor.idx)] },
    }, columns(this.props.hours), this.box);
  }

  labelled() {
    const { hours } = this.props;
    const apart = this.box.clientWidth < 480 ? 6 : 4;

    return hours.map((_, i) => i).filter((i) => (hours.length - 1 - i) % apart === 0);
  }

  point(at) {
    if (at !== this.state.at) this.setState({ at });
  }

  render({ hours }, { at }) {
    const shown = hours[at] ?? hours[hours.length - 1];

    return html`<figure class="chart">
      <figcaption><span class="key units">Units</span><span class="key failed">Failed</span><span class="at">${shown && sentence(shown)}</span></figcaption>
      <div class="plot" aria-hidden="true" ref=${(box) => { this.box = box ?? this.box; }}></div>
      <details>
        <summary>As a table</summary>
        <div class="scroll" role="group" aria-label="Units per hour, as a table" tabindex="0">
          <table>
            <caption>Units and failures of each of the last 24 hours</caption>
            <thead><tr><th scope="col">Hour</th><th scope="col" class="number">Units</th><th scope="col" class="number">Failed</th></tr></thead>
            <tbody>${hours.map((hour) => html`<tr key=${hour.start_ms}><th scope="row">${span(hour.start_ms)}</th>
              <td class="number">${count(hour.units)}</td><td class="number">${count(hour.failed)}</td></tr>`)}</tbody>
          </table>
        </div>
      </details>
    </figure>`;
  }
}

// The dashboard: which view is shown, and what stands around it. What it shows is in the other modules.
import { render } from "./preact.js";
import { html, Component, Empty, Glyph, outcomeOf, plural, timeOfDay } from "./parts.js";
import { Feed, hasToken } from "./feed.js";
import { Line } from "./line.js";
import { Andon } from "./stations.js";
import { Find } from "./find.js";
import { Exports } from "./exports.js";

const SAY_EVERY_MS = 10000; // a screen reader shall be able to finish
const VIEWS = { line: "Line", find: "Search", exports: "Exports", andon: "Andon" };

function route() {
  const [name, argument = ""] = location.hash.slice(1).split(/\/(.*)/s);
  let text = argument;

  try {
    text = decodeURIComponent(argument);
  } catch {
    // A per cent sign that somebody typed: it is what it is.
  }
  return { name: name in VIEWS ? name : "line", argument: text };
}

function focus(element) {
  element?.focus();
}

function TokenForm({ feed }) {
  const use = (event) => {
    const token = new FormData(event.target).get("token").trim();

    event.preventDefault();
    if (token) feed.useToken(token);
  };

  return html`<main id="main" class="gate" tabindex="-1"><form onSubmit=${use}>
    <h1>This server asks who you are</h1>
    <p>Give a token that may read. Whoever runs the server makes one with <code>pep-server token add</code>. It is kept in this tab only.</p>
    ${feed.refusal && html`<p class="refusal" role="alert"><${Glyph} name="cross" />${feed.refusal}</p>`}
    <label for="token">Token</label>
    <input id="token" name="token" type="password" autocomplete="off" spellcheck="false" required ref=${focus} />
    <button type="submit" class="main">Show the dashboard</button>
  </form></main>`;
}

function Header({ feed, view, find }) {
  const search = (event) => {
    const serial = new FormData(event.target).get("serial").trim();

    event.preventDefault();
    if (serial) find(serial);
  };
  // A scanner types over what stands there, at once; a first click would put the caret into it again.
  const select = (event) => event.target.select();
  const press = (event) => {
    if (event.target === document.activeElement) return;
    event.preventDefault();
    event.target.focus();
  };
  const state = feed.live ? "Live" : feed.goneSince ? "No connection" : "Connecting";

  return html`<header class="top">
    <a class="brand" href="#line"><span class="logo">pep</span> <span class="server">${feed.status.server.name}</span></a>
    <nav aria-label="Views"><ul>${Object.entries(VIEWS).map(([name, text]) => html`<li key=${name}>
      <a href="#${name}" aria-current=${view.name === name ? "page" : undefined}>${text}</a></li>`)}</ul></nav>
    <form role="search" onSubmit=${search}>
      <label for="serial" class="hidden">Serial number</label><${Glyph} name="search" />
      <input id="serial" name="serial" type="search" placeholder="Serial number" autocomplete="off" spellcheck="false" maxlength="64" aria-keyshortcuts="/" onFocus=${select} onMouseDown=${press} />
    </form>
    <p class="live ${feed.live ? "good" : "bad"}"><span class="dot" aria-hidden="true"></span>${state}</p>
    ${hasToken() && html`<button type="button" class="quiet" onClick=${() => feed.forgetToken()}>Forget the token</button>`}
  </header>`;
}

function AndonBar() {
  return html`<nav class="andon-bar" aria-label="Andon"><button type="button" class="quiet" onClick=${() => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen())}>Full screen</button>
    <a href="#line">Back to the line</a></nav>`;
}

class App extends Component {
  constructor(props) {
    super(props);
    this.feed = new Feed(() => this.changed());
    this.said = { at: -Infinity, key: "", text: "" };
    this.wasGone = false;
    this.state = { view: route(), searches: 0 };
  }

  componentDidMount() {
    addEventListener("hashchange", () => this.setState({ view: route() }, () => this.arrive()));
    addEventListener("keydown", (event) => this.key(event));
    addEventListener("resize", () => this.setState({}));
    // Ages ("12 s ago") grow also when nothing happens.
    setInterval(() => this.changed(), 5000);
    this.feed.start();
  }

  changed() {
    this.say();
    this.setState({});
  }

  // The same serial number again is asked for again.
  find(serial) {
    const { view, searches } = this.state;

    if (view.name === "find" && view.argument === serial) this.setState({ searches: searches + 1 }, () => this.arrive());
    else location.hash = `find/${encodeURIComponent(serial)}`;
  }

  // Where a link led to is where reading goes on; an empty search begins in its field.
  arrive() {
    const { name, argument } = this.state.view;

    document.getElementById(name === "find" && !argument ? "serial" : "main")?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }

  key(event) {
    const typing = /^(input|select|textarea)$/i.test(event.target.tagName);

    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    document.getElementById("serial")?.focus();
  }

  // What a screen reader is told: the newest unit, not every one, and that the connection is back. That it is gone is an alert.
  say() {
    const { feed } = this;
    const newest = feed.status?.recent[0];
    const key = newest && `${newest.at_ms} ${newest.serial}`;

    if (feed.live && this.wasGone) this.said = { ...this.said, at: performance.now(), text: "The connection is back." };
    this.wasGone = !feed.live && feed.goneSince !== null;
    if (!newest || key === this.said.key || performance.now() - this.said.at < SAY_EVERY_MS) return;
    this.said = { at: performance.now(), key,
      text: `${newest.serial} at ${newest.station}: ${outcomeOf(newest.outcome).word}. ${plural(feed.status.today.units, "unit")} today.` };
  }

  view() {
    const { feed, state: { view, searches } } = this;
    const { status } = feed;

    if (feed.needsToken) return html`<${TokenForm} feed=${feed} />`;
    if (!status) return html`<main id="main" class="gate" tabindex="-1"><h1 class="hidden">pep</h1><${Empty}>Asking the server…<//></main>`;
    if (view.name === "andon") return html`<${AndonBar} /><${Andon} status=${status} now=${feed.now()} />`;
    return html`<${Header} feed=${feed} view=${view} find=${(serial) => this.find(serial)} />
      ${view.name === "find" ? html`<${Find} key=${`${searches} ${view.argument}`} serial=${view.argument} live=${feed.live}
          latest=${status.recent.find(({ serial }) => serial === view.argument)?.at_ms} />`
        : view.name === "exports" ? html`<${Exports} names=${status.server.exporters ?? []} />`
          : html`<${Line} status=${status} now=${feed.now()} />`}`;
  }

  render() {
    const { feed } = this;
    const gone = feed.goneSince && !feed.needsToken;

    document.title = feed.status ? `${gone ? "No connection · " : ""}${feed.status.today.units} today · ${feed.status.server.name} · pep` : "pep";
    return html`<div class="page ${gone ? "stale" : ""}">
      <a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); this.arrive(); }}>Skip to the content</a>
      <div class="banner" role="alert">${gone && html`<p><${Glyph} name="cross" />No connection since ${timeOfDay(feed.goneSince)}, trying again.${feed.status ? " What you see is from before." : ""}${feed.trouble ? ` The server says: ${feed.trouble}` : ""}</p>`}</div>
      <p class="hidden" role="status" aria-live="polite">${feed.needsToken ? "" : this.said.text}</p>
      ${this.view()}
    </div>`;
  }
}

render(html`<${App} />`, document.getElementById("app"));

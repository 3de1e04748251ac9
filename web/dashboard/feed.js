// What the server says, kept up to date: one request to /v3/events that goes on for ever. Read by fetch, not by EventSource, which
// cannot send a token. When it breaks, it is asked again, less and less often, and what was known stays.
const TOKEN = "pep.token";
const SILENCE_MS = 25000; // the server writes something every 10 s
const RETRY_FIRST_MS = 500;
const RETRY_LAST_MS = 10000;

export function authorized(headers = {}) {
  const token = sessionStorage.getItem(TOKEN);

  return token ? { ...headers, Authorization: `Bearer ${token}` } : headers;
}

export function hasToken() {
  return sessionStorage.getItem(TOKEN) !== null;
}

// The sentence of a refusal: problem documents have one.
export async function reasonOf(response) {
  const text = await response.text().catch(() => "");

  if ((response.headers.get("Content-Type") ?? "").startsWith("application/problem+json")) {
    try {
      const problem = JSON.parse(text);
      return problem.detail ?? problem.title;
    } catch {
      return `The server answered ${response.status}.`;
    }
  }
  return text.trim().slice(0, 300) || `The server answered ${response.status}.`;
}

// Calls take(event, data) for every event of a stream of the HTML standard's kind (one field a line, an empty line ends an event), and
// alive() for everything that arrives. Returns when the stream ends.
async function readEvents(body, alive, take) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "", event = "", data = [];

  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    alive();
    const lines = (rest + value).split(/\r?\n/);
    rest = lines.pop();
    for (const line of lines) {
      if (line === "") {
        if (data.length) take(event, data.join("\n"));
        event = "";
        data = [];
      } else if (line.startsWith("event:")) {
        event = line.slice(6).trim();
      } else if (line.startsWith("data:")) {
        data.push(line.slice(5).trimStart());
      }
    }
  }
}

export class Feed {
  // `changed` is called after each change of: status (null: none yet), goneSince (the last word of the server, by its clock; null:
  // connected, or not tried yet), trouble (its reason, if it told one), live, needsToken, refusal.
  constructor(changed) {
    Object.assign(this, { changed, status: null, receivedMs: 0, heardMs: 0, goneSince: null, trouble: "", live: false, needsToken: false, refusal: "" });
    this.retryMs = RETRY_FIRST_MS;
    this.timer = 0;
    this.request = null;
    // A page in the background keeps no connection: a browser has only six for each server, and the server not many for each browser.
    document.addEventListener("visibilitychange", () => (document.hidden ? this.pause() : this.start()));
    window.addEventListener("online", () => this.start());
  }

  start() {
    if (this.request || this.needsToken || document.hidden) return;
    clearTimeout(this.timer);
    this.connect();
  }

  pause() {
    clearTimeout(this.timer);
    this.request?.abort();
    this.request = null;
    this.live = false;
  }

  useToken(token) {
    sessionStorage.setItem(TOKEN, token);
    this.again();
  }

  forgetToken() {
    sessionStorage.removeItem(TOKEN);
    this.status = null;
    this.again();
  }

  again() {
    this.pause();
    this.needsToken = false;
    this.refusal = "";
    this.goneSince = null;
    this.changed();
    this.start();
  }

  // The server's time now, in milliseconds since 1970: stations and dashboard may disagree about it.
  now() {
    return this.status ? this.status.server.now_ms + (performance.now() - this.receivedMs) : Date.now();
  }

  async connect() {
    const request = new AbortController();
    let silence = 0;
    const listen = () => {
      clearTimeout(silence);
      silence = setTimeout(() => request.abort(), SILENCE_MS);
    };
    const alive = () => {
      this.heardMs = performance.now();
      listen();
    };

    this.request = request;
    this.trouble = "";
    try {
      listen();
      const response = await fetch("/v3/events", { headers: authorized({ Accept: "text/event-stream" }), signal: request.signal, cache: "no-store" });
      if (response.status === 401 || response.status === 403) await this.askForToken(response);
      else if (response.ok) await readEvents(response.body, alive, (event, data) => event === "status" && this.take(data));
      else this.trouble = await reasonOf(response);
    } catch {
      // The network's own words are of no use to an operator; that there is no connection is.
    } finally {
      clearTimeout(silence);
      request.abort();
      if (this.request === request) this.lost();
    }
  }

  async askForToken(response) {
    this.refusal = hasToken() || response.status === 403 ? await reasonOf(response) : "";
    this.needsToken = true;
    this.status = null;
    sessionStorage.removeItem(TOKEN);
  }

  take(data) {
    const status = JSON.parse(data);

    // A screen stays on for months: another version of the server has another page.
    if (this.status && status.server.version !== this.status.server.version) location.reload();
    this.status = status;
    this.receivedMs = performance.now();
    this.retryMs = RETRY_FIRST_MS;
    this.live = true;
    this.goneSince = null;
    this.changed();
  }

  lost() {
    this.request = null;
    this.live = false;
    if (!this.needsToken) {
      this.goneSince ??= this.status ? this.now() - (performance.now() - this.heardMs) : Date.now();
      this.timer = setTimeout(() => this.start(), this.retryMs);
      this.retryMs = Math.min(2 * this.retryMs, RETRY_LAST_MS);
    }
    this.changed();
  }
}

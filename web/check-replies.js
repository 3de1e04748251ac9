// node check-replies.js OPENAPI URL: does a running server (empty store, mock injector) answer as the API document says? Asks for every
// operation, good and bad, and holds status, headers, media type and body against the document. One line per defect; the last line
// is "N passed, N failed". tests/e2e/openapi_test.py starts the server.
import { readFileSync } from "node:fs";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { parse } from "yaml";

const [documentFile, server] = process.argv.slice(2);
if (!server) {
  console.error("usage: node check-replies.js OPENAPI URL");
  process.exit(2);
}
const document = parse(readFileSync(documentFile, "utf8"));
const ajv = addFormats(new Ajv2020({ strict: false, allErrors: true }));
ajv.addSchema({ $id: "pep", components: document.components });
const json = { "Content-Type": "application/json" };
const examples = Object.values(document.paths["/identity"].post.requestBody.content["application/json"].examples).map((e) => e.value);
const long = "x".repeat(70000);

function post(fields, headers = {}) {
  return { headers: { ...json, ...headers }, body: JSON.stringify(fields) };
}

// [status, method, path of the document, what the path is asked with, options of fetch, Pep-Error]
const requests = [
  ...examples.map((fields) => [200, "POST", "/identity", "/identity", post(fields)]),
  [200, "GET", "/identity", "/identity?serialNumber=G-1&ip=10.0.0.1&port=&ethernetMAC=1,2,3,4,5,6&sixBMAC=&OU=x&verificationKey=k-1"],
  [200, "POST", "/identity", "/identity", post({ serialNumber: "G-2", sixBMAC: [1, 2, 3, 4, 5, 6, 7, 8] }, { "Idempotency-Key": "k2" })],
  [200, "POST", "/identity", "/identity", post({ serialNumber: "G-2", sixBMAC: [1, 2, 3, 4, 5, 6, 7, 8] }, { "Idempotency-Key": "k2" })],
  [422, "POST", "/identity", "/identity", post({ serialNumber: "G-2", category: "other" }, { "Idempotency-Key": "k2" }), "idempotency_mismatch"],
  [409, "GET", "/identity", "/identity?serialNumber=G-1", {}, "exists"],
  [409, "POST", "/identity", "/identity", post({ serialNumber: "G-2" }), "exists"],
  [500, "GET", "/identity", "/identity?serialNumber=MOCK-REFUSE-1", {}, "gateway_refused"],
  [500, "POST", "/identity", "/identity", post({ serialNumber: "MOCK-UNREACHABLE-1" }), "gateway_unreachable"],
  [500, "POST", "/identity", "/identity", post({ serialNumber: "MOCK-INDOUBT-1" }), "in_doubt"],
  [500, "GET", "/identity", "/identity?serialNumber=MOCK-FAIL-1", {}, "injector_failed"],
  [400, "GET", "/identity", "/identity", {}, "bad_argument"],
  [400, "GET", "/identity", "/identity?serialNumber=G-3&colour=red", {}, "bad_argument"],
  [400, "GET", "/identity", "/identity?serialNumber=%zz", {}, "bad_request"],
  [400, "POST", "/identity", "/identity", post({ serialNumber: "G-3", port: 0 }), "bad_argument"],
  [400, "POST", "/identity", "/identity", post({ serialNumber: "G-3" }, { "Idempotency-Key": "a b" }), "bad_argument"],
  [400, "POST", "/identity", "/identity?serialNumber=G-3", post({ serialNumber: "G-3" }), "bad_request"],
  [400, "POST", "/identity", "/identity", { headers: json, body: "{" }, "bad_request"],
  [413, "POST", "/identity", "/identity", post({ serialNumber: long }), "too_large"],
  [415, "POST", "/identity", "/identity", { headers: { "Content-Type": "text/csv" }, body: "a,b" }, "unsupported_media_type"],
  [405, "HEAD", "/identity", "/identity?serialNumber=G-4", {}, "method_not_allowed"],
  [204, "OPTIONS", "/identity", "/identity"],
  ...["GET", "HEAD"].flatMap((method) => [
    [200, method, "/enrollment-id", "/enrollment-id?serialNumber=G-1"],
    [404, method, "/enrollment-id", "/enrollment-id?serialNumber=G-9", {}, "not_found"],
    [400, method, "/enrollment-id", "/enrollment-id", {}, "bad_argument"],
    [200, method, "/verification-key", "/verification-key?serialNumber=G-1"],
    [200, method, "/verification-key", "/verification-key?serialNumber=G-2"],
    [404, method, "/verification-key", "/verification-key?serialNumber=G-9", {}, "not_found"],
    [400, method, "/verification-key", "/verification-key?serial=G-9", {}, "bad_argument"],
    [200, method, "/enrollment-ids", "/enrollment-ids"],
    [200, method, "/enrollment-ids", "/enrollment-ids?limit=1&order=asc&last="],
    [400, method, "/enrollment-ids", "/enrollment-ids?limit=0", {}, "bad_argument"],
    [200, method, "/export/{name}", "/export/csv"],
    [200, method, "/export/{name}", "/export/json?state=all&limit=2&from=&to="],
    [200, method, "/export/{name}", "/export/json?from=2020-01-01&to=2020-01-02"],
    [404, method, "/export/{name}", "/export/nothing", {}, "not_found"],
    [200, method, "/export/{name}", "/export/csv?profile=portal&since=&category=production&station=127.0.0.1"],
    [200, method, "/export/{name}", "/export/csv?profile=inventory&limit=1"],
    [200, method, "/export/{name}", "/export/jsonl?last=000000000000000000000000&since=000000000000000000000000"],
    [400, method, "/export/{name}", "/export/csv?state=lost", {}, "bad_argument"],
    [400, method, "/export/{name}", "/export/csv?profile=none", {}, "bad_argument"],
    [200, method, "/identities/{serial}", "/identities/G-1"],
    [404, method, "/identities/{serial}", "/identities/G-9", {}, "not_found"],
    [404, method, "/orders/{name}", "/orders/PO-9", {}, "not_found"],
    [200, method, "/identities/{serial}/events", "/identities/G-1/events"],
    [404, method, "/identities/{serial}/events", "/identities/G-9/events", {}, "not_found"],
    [400, method, "/identities/{serial}/events", "/identities/G-1/events?a=1", {}, "bad_argument"],
    [200, method, "/healthz", "/healthz"],
    [400, method, "/healthz", "/healthz?x=1", {}, "bad_argument"],
    [200, method, "/readyz", "/readyz"],
    [200, method, "/version", "/version"],
    [200, method, "/metrics", "/metrics"],
    [200, method, "/status", "/status"],
    [400, method, "/status", "/status?a=1", {}, "bad_argument"],
    [400, method, "/events", "/events?a=1", {}, "bad_argument"],
    [301, method, "/docs", "/docs"],
    [200, method, "/docs/{file}", "/docs/"],
    [200, method, "/docs/{file}", "/docs/openapi.yaml"],
    [304, method, "/docs/{file}", "/docs/openapi.yaml", { headers: { "If-None-Match": "*" } }],
    [404, method, "/docs/{file}", "/docs/nothing", {}, "no_such_path"],
  ]),
  // MOCK-FAIL-1 is in the store, and was never deployed.
  [422, "GET", "/export/{name}", "/export/csv?profile=portal&state=all", {}, "not_exportable"],
  ...["/enrollment-id", "/verification-key", "/enrollment-ids", "/healthz", "/readyz", "/version", "/metrics", "/status", "/events", "/docs"].map((path) => [204, "OPTIONS", path, path]),
  [204, "OPTIONS", "/export/{name}", "/export/csv"],
  [204, "OPTIONS", "/identities/{serial}/events", "/identities/G-1/events"],
  [204, "OPTIONS", "/docs/{file}", "/docs/openapi.yaml"],
];

function resolve(node) {
  return node?.$ref ? resolve(node.$ref.slice(2).split("/").reduce((at, key) => at[key], document)) : node;
}

function misfit(schema, value) {
  const validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll("\"$ref\":\"#/", "\"$ref\":\"pep#/")));
  return validate(value) ? null : `${JSON.stringify(value).slice(0, 200)}: ${ajv.errorsText(validate.errors)}`;
}

function bodyDefect(content, reply, text) {
  const type = reply.headers.get("content-type");
  const entry = content?.[type];
  if (!content) return text === "" ? null : "a body that the document does not know";
  if (!entry) return `media type ${type}`;
  return misfit(entry.schema, /\bjson$/.test(type) ? JSON.parse(text) : text);
}

// What is wrong with a reply, or null.
function defect(reply, text, [status, method, path, , , code]) {
  const response = resolve(document.paths[path][method.toLowerCase()].responses[reply.status]);
  if (reply.status !== status) return `status ${reply.status}, ${text.slice(0, 200)}`;
  if (!response) return `status ${status} is not in the document`;
  if ((reply.headers.get("pep-error") ?? undefined) !== code) return `Pep-Error ${reply.headers.get("pep-error")}`;
  for (const [name, header] of Object.entries(response.headers ?? {})) {
    const value = reply.headers.get(name);
    const wrong = value !== null && misfit(resolve(header).schema, value);
    if (wrong) return `${name} ${wrong}`;
  }
  for (const name of reply.headers.keys())
    if (/^(pep-|retry-after|allow$|location$|etag$|content-disposition$)/.test(name) && method !== "HEAD" &&
        !Object.keys(response.headers ?? {}).some((known) => known.toLowerCase() === name))
      return `header ${name} is not in the document`;
  return method === "HEAD" ? null : bodyDefect(response.content, reply, text);
}

let passed = 0;
let failed = 0;
let turn = 0;
for (const request of requests) {
  const [status, method, path, target, options] = request;
  turn += 1;
  // With and without the prefix, by turns; a serial number is provisioned once only.
  const prefix = path.startsWith("/docs") || turn % 2 ? "" : "/v3";
  let wrong;
  try {
    const reply = await fetch(server + prefix + target, { method, redirect: "manual", ...options });
    wrong = defect(reply, await reply.text(), request);
  } catch (error) {
    wrong = `${error} ${error.cause ?? ""}`;
  }
  if (wrong) console.log(`${method} ${prefix}${target.slice(0, 80)} (${status}): ${wrong}`);
  if (wrong) failed += 1;
  else passed += 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);

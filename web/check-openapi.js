// node check-openapi.js OPENAPI CASES: is the API document valid, consistent, and does it know everything that the contract's cases
// expect? One line per defect; the last line is "N passed, N failed". Exit 1 on any defect.
import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { parse } from "yaml";

const METHODS = ["get", "head", "post", "put", "patch", "delete", "options", "trace"];
const [documentFile, casesFile] = process.argv.slice(2);
if (!casesFile) {
  console.error("usage: node check-openapi.js OPENAPI CASES");
  process.exit(2);
}
const document = parse(readFileSync(documentFile, "utf8"));
const cases = readFileSync(casesFile, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
let passed = 0;
const defects = new Set();

function check(good, message) {
  if (good) passed += 1;
  else defects.add(message);
}

function at(reference) {
  return reference.slice(2).split("/").reduce((node, key) => node?.[key.replaceAll("~1", "/").replaceAll("~0", "~")], document);
}

function resolve(node) {
  return node?.$ref ? resolve(at(node.$ref)) : node;
}

// Calls visit(node, path) for every object in the document.
function walk(node, visit, path = "#") {
  if (node === null || typeof node !== "object") return;
  visit(node, path);
  for (const [key, value] of Object.entries(node)) walk(value, visit, `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`);
}

function operations() {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ path, method, item, operation: item[method] })));
}

async function checkStructure() {
  const result = await new Validator().validate(structuredClone(document));
  check(result.valid, `not a valid OpenAPI document: ${JSON.stringify(result.errors)?.slice(0, 1000)}`);
  const used = new Set();
  walk(document, (node, path) => {
    if (typeof node.$ref !== "string") return;
    used.add(node.$ref);
    check(at(node.$ref) !== undefined, `${path}: there is no ${node.$ref}`);
  });
  // Schemes are named, not referred to; an operation that says nothing would be open to everybody.
  for (const { path, method, operation } of operations()) {
    check(Array.isArray(operation.security), `${method} ${path}: does not say who may ask`);
    for (const scheme of (operation.security ?? []).flatMap(Object.keys)) {
      const reference = `#/components/securitySchemes/${scheme}`;
      used.add(reference);
      check(at(reference) !== undefined, `${method} ${path}: there is no ${reference}`);
    }
  }
  for (const [kind, entries] of Object.entries(document.components))
    for (const name of Object.keys(entries)) check(used.has(`#/components/${kind}/${name}`), `components/${kind}/${name} is not used`);
}

function checkExamples() {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats(ajv);
  ajv.addSchema({ $id: "pep", components: document.components });
  walk(document, (node, path) => {
    if (!node.schema) return;
    const examples = Object.values(node.examples ?? {}).map((example) => example.value);
    if ("example" in node) examples.push(node.example);
    const schema = JSON.parse(JSON.stringify(node.schema).replaceAll("\"$ref\":\"#/", "\"$ref\":\"pep#/"));
    const validate = ajv.compile(schema);
    for (const example of examples)
      check(validate(example), `${path}: its example does not fit: ${ajv.errorsText(validate.errors)}`);
  });
}

// What every operation must say.
function checkOperations() {
  const ids = new Set();
  for (const { path, method, item, operation } of operations()) {
    const name = `${method.toUpperCase()} ${path}`;
    check(operation.operationId && !ids.has(operation.operationId), `${name}: no operationId of its own`);
    ids.add(operation.operationId);
    check(item.options && item.head, `${path}: HEAD or OPTIONS is missing`);
    for (const [status, reference] of Object.entries(operation.responses)) {
      const response = resolve(reference);
      if (method === "head" || status === "204") check(!response.content, `${name} ${status}: there is no body`);
      if (Number(status) < 400 || response.content?.["application/json"]) continue;
      check(response.headers?.["Pep-Error"], `${name} ${status}: Pep-Error is missing`);
      if (method === "head" || status === "405") continue;
      for (const type of Object.keys(response.content))
        check(/^(text\/plain; charset=utf-8|application\/problem\+json)$/.test(type), `${name} ${status}: no error is ${type}`);
    }
  }
  const words = JSON.stringify([document.info, document.components.responses]);
  for (const code of document.components.schemas.Code.enum)
    check(words.includes(`\`${code}\``), `code ${code} is explained nowhere`);
}

// The path of the document that a target belongs to, or undefined.
function documented(target) {
  const path = target.replace(/^https?:\/\/[^/]+/, "").split("?")[0];
  if (path === "/docs") return "/docs";
  if (path.startsWith("/docs/")) return /^[a-z.-]*$/.test(path.slice(6)) ? "/docs/{file}" : undefined;
  const bare = path.replace(/^\/v3(?=\/)/, "").replace(/(?<=.)\/$/, "");
  if (document.paths[bare]) return bare;
  return /^\/export\/[^/]+$/.test(bare) ? "/export/{name}" : undefined;
}

function checkExpectation(name, request, expect) {
  const statuses = [expect.status ?? []].flat().map(String);
  const codes = [expect.error_code ?? []].flat().filter((code) => code !== "<any>");
  const method = (request.method ?? "GET").toLowerCase();
  const path = request.target && documented(request.target);
  const known = document.components.schemas.Code.enum;

  if (codes.length) check(codes.some((code) => known.includes(code)), `${name}: none of ${codes} is among the codes`);
  if (!statuses.length || !request.target || expect.everywhere === false) return;
  const operation = document.paths[path]?.[method];
  if (operation) {
    const found = statuses.find((status) => operation.responses[status]);
    check(found, `${name}: ${method.toUpperCase()} ${path} does not have ${statuses}`);
    const response = found && resolve(operation.responses[found]);
    if (codes.length && response && !["head", "options"].includes(method))
      check(codes.some((code) => response.description.includes(`\`${code}\``)),
        `${name}: ${method.toUpperCase()} ${path} ${found} does not name ${codes}`);
  } else if (path) {
    check(statuses.includes("405"), `${name}: ${method.toUpperCase()} ${path} is missing`);
  } else {
    check(statuses.some((status) => ["404", "400"].includes(status)), `${name}: ${request.target} is missing`);
  }
}

// Every request of the cases, wherever it stands in them, with everything that may come back.
function checkCases(node, name) {
  if (node === null || typeof node !== "object") return;
  if (node.target && node.status) checkExpectation(name, node, node);
  if (node.request) {
    const expectations = node.counts ? Object.values(node.expect ?? {}).flat() : [node.expect ?? []].flat();
    for (const status of Object.keys(node.counts ?? {})) checkExpectation(name, node.request, { status });
    for (const expectation of expectations) checkExpectation(name, node.request, expectation);
  }
  for (const child of Object.values(node)) checkCases(child, name);
}

await checkStructure();
checkExamples();
checkOperations();
for (const entry of cases) checkCases(entry, entry.name);
for (const defect of defects) console.log(defect);
console.log(`${passed} passed, ${defects.size} failed`);
process.exit(defects.size ? 1 : 0);

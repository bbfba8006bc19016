// Shows the API document and sends requests. Plain DOM; nothing of an answer is
// ever read as HTML.

const make = (name, properties = {}, ...children) => {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
};

// prose makes text of a description: what stands between back quotes is code.
const prose = (text) => text.split("`").map((piece, at) => (at % 2 ? make("code", { textContent: piece }) : piece));

const api = await (await fetch("/api/v1/openapi.json")).json();
const resolve = (thing) => {
  while (thing && thing.$ref) {
    thing = thing.$ref.slice(2).split("/").reduce((at, key) => at[key], api);
  }
  return thing;
};

const headers = () => {
  const token = document.getElementById("token").value.trim();
  return token ? { Authorization: `Bearer ${token}` } : {};
};

const example = (schema, depth = 0) => {
  schema = resolve(schema);
  if (schema.default !== undefined) return schema.default;
  if (schema.examples) return schema.examples[0];
  if (schema.enum) return schema.enum[0];
  switch (schema.type) {
    case "object": {
      const wanted = depth === 0 ? schema.required ?? [] : Object.keys(schema.properties ?? {});
      return Object.fromEntries(wanted.map((key) => [key, example(schema.properties[key], depth + 1)]));
    }
    case "array": return [example(schema.items, depth + 1)];
    case "integer": return schema.minimum ?? 0;
    case "number": return schema.minimum ?? 0.5;
    case "boolean": return false;
    default: return "";
  }
};

const control = (schema) => {
  schema = resolve(schema);
  const choices = schema.type === "boolean" ? ["true", "false"] : schema.enum;
  if (!choices) return make("input", { type: "text", placeholder: schema.default ?? "" });
  return make("select", {}, make("option", { value: "", textContent: "" }), ...choices.map((choice) => make("option", { value: choice, textContent: choice })));
};

const field = (label, input, note) => {
  const row = make("label", { className: "field" }, make("span", { textContent: label }), input);
  if (note) row.append(make("small", {}, ...prose(note)));
  return row;
};

const showAnswer = async (response, output) => {
  const kind = response.headers.get("Content-Type") ?? "";
  output.append(make("p", { textContent: `${response.status} ${response.statusText} · ${kind}` }));
  if (kind.startsWith("image/")) {
    output.append(make("img", { className: "answer", alt: "The image answered", src: URL.createObjectURL(await response.blob()) }));
    return;
  }
  const text = make("pre");
  output.append(text);
  if (!kind.startsWith("text/event-stream")) {
    const body = await response.text();
    try { text.textContent = JSON.stringify(JSON.parse(body), null, 2); } catch { text.textContent = body; }
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text.append(value);
  }
};

const operationView = (method, path, operation) => {
  const inputs = [];
  const form = make("form");
  for (const parameter of (operation.parameters ?? []).map(resolve)) {
    const input = control(parameter.schema);
    input.required = Boolean(parameter.required);
    inputs.push({ parameter, input });
    form.append(field(`${parameter.name}${parameter.required ? " *" : ""}`, input, parameter.description));
  }
  const content = operation.requestBody?.content ?? {};
  const json = content["application/json"];
  const multipart = content["multipart/form-data"];
  let text, file;
  if (json || multipart?.schema.properties.request) {
    const schema = json ? json.schema : multipart.schema.properties.request;
    text = make("textarea", { spellcheck: false, value: JSON.stringify(example(schema), null, 2) });
    form.append(field("body", text, Object.keys(resolve(schema).properties ?? {}).join(", ")));
  }
  if (multipart) {
    file = make("input", { type: "file", accept: "image/*" });
    form.append(field("image", file));
  }
  const streams = Object.values(operation.responses).some((answer) => resolve(answer).content?.["text/event-stream"]);
  const onlyStreams = streams && !operation.responses["200"].content["application/json"];
  const stream = make("input", { type: "checkbox", checked: onlyStreams });
  if (streams && !onlyStreams) form.append(field("as events", stream));
  const output = make("div", { ariaLive: "polite" });
  form.append(make("button", { type: "submit", textContent: "Send" }), output);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    output.replaceChildren(make("p", { textContent: "…" }));
    let address = path;
    const query = new URLSearchParams();
    for (const { parameter, input } of inputs) {
      if (input.value === "") continue;
      if (parameter.in === "path") address = address.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
      else if (resolve(parameter.schema).type === "array") input.value.split(";").forEach((value) => query.append(parameter.name, value.trim()));
      else query.set(parameter.name, input.value);
    }
    const request = { method, headers: headers() };
    if (stream.checked) request.headers.Accept = "text/event-stream";
    if (file?.files.length || (multipart && !json)) {
      request.body = new FormData();
      if (text) request.body.append("request", new Blob([text.value], { type: "application/json" }));
      if (file.files.length) request.body.append("image", file.files[0]);
    } else if (text) {
      request.headers["Content-Type"] = "application/json";
      request.body = text.value;
    }
    try {
      const response = await fetch(address + (query.size ? `?${query}` : ""), request);
      output.replaceChildren();
      await showAnswer(response, output);
    } catch (error) {
      output.replaceChildren(make("p", { textContent: String(error) }));
    }
  });
  const view = make("details", { id: operation.operationId },
    make("summary", {}, make("span", { className: "method", textContent: method }), make("span", { className: "path", textContent: path }), " ", operation.summary, " ",
      make("span", { className: "scope", textContent: operation["x-scope"] })));
  const inner = make("div");
  if (operation.description) inner.append(make("p", {}, ...prose(operation.description)));
  inner.append(form);
  view.append(inner);
  return view;
};

const showSession = async () => {
  const output = document.getElementById("session");
  const response = await fetch("/api/v1/session", { headers: headers() });
  const session = await response.json();
  if (!response.ok) output.textContent = session.title;
  else output.textContent = session.authentication === "none" ? "no token needed here" : `may: ${session.scopes.join(", ") || "nothing yet"}`;
};

document.getElementById("about").replaceChildren(...prose(api.info.description));
const operations = document.getElementById("operations");
operations.replaceChildren();
for (const { name } of api.tags) {
  operations.append(make("h2", { textContent: name }));
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      if (operation.tags[0] === name) operations.append(operationView(method.toUpperCase(), path, operation));
    }
  }
}
const problems = document.getElementById("problems");
for (const { code, status, title } of api["x-problems"]) {
  problems.append(make("tr", { id: `problem-${code}` },
    make("td", {}, make("code", { textContent: code })), make("td", { textContent: status }), make("td", { textContent: title })));
}
if (location.hash) {
  const target = document.getElementById(location.hash.slice(1));
  if (target) { target.open = true; target.scrollIntoView(); location.replace(location.hash); }
}
document.getElementById("token").addEventListener("change", showSession);
document.getElementById("sign-in").addEventListener("submit", (event) => { event.preventDefault(); showSession(); });
await showSession();

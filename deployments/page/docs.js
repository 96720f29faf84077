// Shows openapi.json as a page on which every route can be tried. Made for this API: one body per route, JSON or a file.

const $ = (id) => document.getElementById(id);
const described = await (await fetch("openapi.json")).json();

function resolve(schema) {
  if (schema?.$ref) return described.components.schemas[schema.$ref.split("/").pop()] ?? {};
  return schema ?? {};
}

function typeOf(schema) {
  if (schema?.$ref) return schema.$ref.split("/").pop();
  if (schema?.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema?.anyOf) return schema.anyOf.map(typeOf).join(" | ");
  if (schema?.type === "array") return `list of ${typeOf(schema.items)}`;
  return schema?.type ?? "any";
}

function bounds(schema) {
  const words = [];
  if (schema.minimum !== undefined) words.push(`from ${schema.minimum}`);
  if (schema.maximum !== undefined) words.push(`to ${schema.maximum}`);
  if (schema.maxItems !== undefined) words.push(`at most ${schema.maxItems}`);
  if (schema.default !== undefined && schema.default !== null) words.push(`default ${JSON.stringify(schema.default)}`);
  return words.join(", ");
}

const meaning = (description, schema) => [description?.replace(/\.$/, ""), bounds(schema)].filter(Boolean).join("; ");

function row(table, ...cells) {
  const line = table.tBodies[0].insertRow();
  cells.forEach((text, place) => {
    const cell = line.insertCell();
    if (place === 0) cell.append(Object.assign(document.createElement("code"), { textContent: text }));
    else cell.textContent = text;
  });
}

function fillParameters(table, operation, body) {
  for (const p of operation.parameters ?? []) {
    row(table, p.name, `${p.in}, ${typeOf(p.schema)}`, meaning(p.description, p.schema));
  }
  for (const [name, schema] of Object.entries(body.properties ?? {})) {
    row(table, name, `body, ${typeOf(schema)}`, meaning(schema.description, schema));
  }
  table.hidden = table.tBodies[0].rows.length === 0;
}

async function send(form, method, isUpload, hasBody) {
  const output = form.querySelector("output");
  const options = { method };
  if (isUpload) {
    options.body = new FormData();
    options.body.append("file", form.querySelector("input[type=file]").files[0] ?? new Blob());
  } else if (hasBody) {
    options.body = form.querySelector("textarea").value;
    options.headers = { "Content-Type": "application/json" };
  }
  const started = performance.now();
  const response = await fetch(form.querySelector(".address input").value.replace(/^\//, ""), options);
  const isPicture = response.headers.get("content-type")?.startsWith("image/");
  const shown = document.createElement(isPicture ? "img" : "pre");
  if (isPicture) shown.src = URL.createObjectURL(await response.blob());
  else {
    const text = await response.text();
    try {
      shown.textContent = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      shown.textContent = text;
    }
  }
  const status = document.createElement("p");
  status.textContent = `${response.status} ${response.statusText} in ${Math.round(performance.now() - started)} ms`;
  output.replaceChildren(status, shown);
}

function route(path, method, operation, itemId) {
  const node = $("route").content.firstElementChild.cloneNode(true);
  const content = operation.requestBody?.content ?? {};
  const isUpload = "multipart/form-data" in content;
  const body = resolve(Object.values(content)[0]?.schema);
  const find = (selector) => node.querySelector(selector);
  find(".method").textContent = method.toUpperCase();
  find(".method").classList.add(method);
  find(".path").textContent = path;
  find(".summary").textContent = operation.description ?? operation.summary;
  fillParameters(find(".parameters"), operation, body);
  for (const [status, answer] of Object.entries(operation.responses)) {
    const media = Object.entries(answer.content ?? {})[0];
    row(find(".answers"), status, answer.description, media ? `${media[0]}: ${typeOf(media[1].schema)}` : "");
  }
  const form = find("form");
  find(".address input").value = path.replace("{item_id}", encodeURIComponent(itemId));
  find(".body textarea").value = body.examples ? JSON.stringify(body.examples[0], null, 2) : "";
  find(".body").hidden = isUpload || !operation.requestBody;
  find(".upload").hidden = !isUpload;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form, method.toUpperCase(), isUpload, Boolean(operation.requestBody));
  });
  return node;
}

const some = await (await fetch("v1/items?limit=1")).json();
$("title").textContent = `${described.info.title} API ${described.info.version}`;
$("description").textContent = described.info.description;
for (const [path, methods] of Object.entries(described.paths)) {
  for (const [method, operation] of Object.entries(methods)) {
    $("routes").append(route(path, method, operation, some.items[0]?.id ?? "item"));
  }
}

// Renders /openapi.json. Text is only ever set as text, never as markup.
"use strict";

const el = (tag, text, ...children) => {
  const e = document.createElement(tag);
  if (text) e.textContent = text;
  e.append(...children);
  return e;
};

// nameOf says in one line what a schema is, with a link where it has a name.
const nameOf = (s) => {
  if (!s) return el("span", "none");
  if (s.$ref) {
    const name = s.$ref.split("/").pop();
    const a = el("a", name);
    a.href = "#schema-" + name;
    return a;
  }
  const any = s.oneOf || s.anyOf;
  if (any) return el("span", "", ...any.flatMap((o, i) => (i ? [" or ", nameOf(o)] : [nameOf(o)])));
  if (s.enum) return el("span", s.enum.join(" | "));
  if (s.items) return el("span", "list of ", nameOf(s.items));
  if (s.additionalProperties && typeof s.additionalProperties === "object") {
    return el("span", "map of ", nameOf(s.additionalProperties));
  }
  return el("span", [].concat(s.type || "any").join(" or ") + (s.format ? " (" + s.format + ")" : ""));
};

const table = (head, rows) => {
  const t = el("table", "", el("tr", "", ...head.map((h) => el("th", h))));
  for (const r of rows) t.append(el("tr", "", ...r.map((c) => el("td", "", c || ""))));
  return t;
};

const operation = (method, path, op) => {
  const d = el("details", "", el("summary", ""));
  const m = el("span", method.toUpperCase());
  m.className = "method";
  d.firstChild.append(m, el("code", path), " ", op.operationId);
  d.append(table(["parameter", "in", "type", ""], (op.parameters || []).map((p) =>
    [el("code", p.name), p.in, nameOf(p.schema), p.description])));
  const body = op.requestBody && op.requestBody.content["application/json"];
  if (body) d.append(el("p", "Body: ", nameOf(body.schema)));
  d.append(table(["status", "", "body"], Object.entries(op.responses).map(([s, r]) =>
    [s, r.description, r.content ? nameOf(Object.values(r.content)[0].schema) : ""])));
  return d;
};

const schema = (name, s) => {
  const h = el("h3", name);
  h.id = "schema-" + name;
  const rows = Object.entries(s.properties || {}).map(([k, p]) => [el("code", k), nameOf(p), p.description]);
  return [h, table(["field", "type", ""], rows)];
};

const render = (doc) => {
  const byTag = new Map();
  for (const [path, item] of Object.entries(doc.paths)) {
    for (const [method, op] of Object.entries(item)) {
      const tag = (op.tags || ["other"])[0];
      byTag.set(tag, (byTag.get(tag) || []).concat(operation(method, path, op)));
    }
  }
  const main = document.getElementById("operations");
  main.replaceChildren();
  for (const tag of [...byTag.keys()].sort()) main.append(el("h2", tag), ...byTag.get(tag));
  main.append(el("h2", "Shapes"), ...Object.entries(doc.components.schemas).flatMap(([n, s]) => schema(n, s)));
};

fetch("/openapi.json").then((r) => r.json()).then(render).catch((e) => {
  document.getElementById("operations").textContent = "openapi.json cannot be read: " + e;
});

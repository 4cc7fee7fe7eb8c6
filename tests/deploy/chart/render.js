// render.js CHART_DIR [VALUES_FILE...] - the chart's manifests on standard output, as
// `helm template hearsay CHART_DIR -n default` would print them; each is held to the
// schema of its kind. Exit status 1 if one does not fit.
//
// The schemas know types and what is required, but let a misspelt name pass. So the
// objects are also given to TypeScript, as values of their kinds: that does not.
//
// Helm runs Go's template engine, and so does this: the engine itself, as
// WebAssembly. Helm's own functions are not here, so the chart uses none; one that
// crept in ends with "function not defined".
import fs from "node:fs";
import path from "node:path";
import ts from "typescript";
import { parse } from "@evertdespiegeleer/go-template";
import yaml from "js-yaml";

const [chart, ...overlays] = process.argv.slice(2);
const read = (...file) => fs.readFileSync(path.join(...file), "utf8");

function merge(into, from) {
  for (const [key, value] of Object.entries(from ?? {})) {
    const both = value && into[key] && typeof value === "object" && typeof into[key] === "object";
    into[key] = both && !Array.isArray(value) ? merge({ ...into[key] }, value) : value;
  }
  return into;
}

async function schemaOf({ apiVersion, kind }) {
  const Model = (await import(`kubernetes-models/${apiVersion}`))[kind];
  if (!Model) throw new Error(`${apiVersion} has no ${kind}`);
  return Model;
}

const data = {
  Release: { Name: "hearsay", Namespace: "default", Service: "Helm" },
  Chart: yaml.load(read(chart, "Chart.yaml")),
  Values: overlays.reduce((all, file) => merge(all, yaml.load(read(file))),
    yaml.load(read(chart, "values.yaml"))),
};
const HERE = path.dirname(new URL(import.meta.url).pathname);
let bad = 0;
let typed = "";

function complain(text) {
  bad += 1;
  process.stderr.write(`${text}\n`);
}

function typeCheck() {
  const file = path.join(HERE, "objects.ts");
  fs.writeFileSync(file, typed);
  const program = ts.createProgram([file], {
    noEmit: true, strict: true, skipLibCheck: true, module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  });
  for (const found of ts.getPreEmitDiagnostics(program))
    complain(ts.flattenDiagnosticMessageText(found.messageText, "\n"));
}

for (const name of fs.readdirSync(path.join(chart, "templates")).sort()) {
  const text = await parse(read(chart, "templates", name), data);
  process.stdout.write(`---\n# Source: hearsay/templates/${name}\n${text.trimEnd()}\n`);
  for (const object of yaml.loadAll(text)) {
    try {
      const Model = await schemaOf(object);
      new Model(object).validate();
    } catch (error) {
      complain(`${name}: ${object.kind}: ${error.message}`);
    }
    const { apiVersion, kind } = object;
    typed += `export const n${typed.length}: import("kubernetes-models/${apiVersion}").I${kind} =
      ${JSON.stringify(object)};\n`;
  }
}
typeCheck();
process.exit(bad ? 1 : 0);

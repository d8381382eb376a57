// Says what Medplum's validator and npm's fhir have against each resource of a package: one JSON object on standard
// output, from the name of a judge to file names to complaints.
// Run in the folder that has node_modules: node judge.js PACKAGE RELEASE DEFINITIONS
// DEFINITIONS is a folder with FHIR's own definitions of the release, as files.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "package.json"));
const medplum = require("@medplum/core");
const { Fhir, ParseConformance } = require("fhir");
const fhirpath = require("fhirpath");

const [folder, release, definitions] = process.argv.slice(2);
const load = (path) => JSON.parse(readFileSync(path, "utf8"));
const isFile = (name) => /^[A-Za-z].*\.json$/.test(name) && name !== "package.json";
const bundle = (entries) => ({ resourceType: "Bundle", type: "collection", entry: entries.map((resource) => ({ resource })) });
const inside = (part) => readdirSync(join(folder, part)).filter(isFile).map((name) => join(part, name));

const known = readdirSync(definitions).filter(isFile).map((name) => load(join(definitions, name)));
const structures = known.filter((one) => one.resourceType === "StructureDefinition" && one.snapshot && one.kind !== "logical"
  && (one.derivation !== "constraint" || one.type === "Extension"));
medplum.indexStructureDefinitionBundle(bundle(structures));
const resources = Object.fromEntries(["", "example", join("other", "examples-bad")].flatMap(inside).map((name) => [name, load(join(folder, name))]));
const ours = Object.values(resources).filter((one) => one.resourceType === "StructureDefinition");
medplum.indexStructureDefinitionBundle(bundle(ours));

function ofMedplum(resource) {
  const meant = ours.filter((one) => one.type === resource.resourceType && one.kind === "resource");
  return [undefined, ...meant].flatMap((profile) => {
    try {
      medplum.validateResource(resource, profile && { profile });
      return [];
    } catch (error) {
      const issues = error.outcome?.issue ?? [{ severity: "error", details: { text: String(error) } }];
      return issues.map((issue) => `${profile?.id ?? "base"} ${issue.severity} ${issue.details?.text} ${issue.expression ?? ""}`);
    }
  });
}

// npm's fhir brings R4 along; for the other releases it learns from the definitions.
const parser = new ParseConformance(release === "R4", release === "R4B" ? "R4" : release);
if (release !== "R4") parser.parseBundle(bundle(structures.filter((one) => one.derivation !== "constraint")));
const fhir = new Fhir(parser);

function ofFhir(resource) {
  const { messages } = fhir.validate(resource);
  return messages.filter((one) => ["fatal", "error"].includes(one.severity)).map((one) => `${one.severity} ${one.message} ${one.location ?? ""}`);
}

// The invariants of our definitions, each at the places that its definition is for.
const rules = ours.flatMap((definition) => definition.differential.element.flatMap((element) => (element.constraint ?? []).flatMap((rule) => {
  if (definition.kind === "resource") return [{ rule, path: element.path }];
  const below = element.id.split(".").slice(1).map((step) => (step.startsWith("extension:") ? `extension('${step.split(":")[1]}')` : "value"));
  const places = definition.context.map((context) => context.expression).filter((on) => on !== "Extension");
  return places.map((on) => ({ rule, path: [on, `extension('${definition.url}')`, ...below].join(".") }));
})));
const model = require(`fhirpath/fhir-context/${release.toLowerCase().replace("b", "")}`);
const compiled = rules.map(({ rule, path }) => ({ rule, path, holds: fhirpath.compile(`${path}.select(${rule.expression})`, model) }));

function ofRules(resource) {
  return compiled.filter(({ path }) => path.split(".")[0] === resource.resourceType).flatMap(({ rule, holds }) =>
    holds(resource).filter((held) => held !== true).map(() => rule.key));
}

const judged = (judge) => Object.fromEntries(Object.entries(resources).map(([name, resource]) => [name, judge(resource)]));
process.stdout.write(JSON.stringify({ medplum: judged(ofMedplum), fhir: judged(ofFhir), fhirpath: judged(ofRules), rules: [...new Set(rules.map(({ rule }) => rule.key))] }));

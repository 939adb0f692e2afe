// Lists the complaints of Redocly and Spectral about descriptions of an API.
//
// In, as JSON on stdin: [path]. Out, on stdout: for each path a list of {tool, rule, at, message}.

"use strict";

const fs = require("fs");
const redocly = require("@redocly/openapi-core");
const { Document, Spectral } = require("@stoplight/spectral-core");
const { Yaml } = require("@stoplight/spectral-parsers");
const { oas } = require("@stoplight/spectral-rulesets");

async function main() {
  const config = await redocly.createConfig({ extends: ["recommended-strict"], rules: { "operation-description": "error" } });
  const spectral = new Spectral();
  spectral.setRuleset({ extends: [[oas, "all"]] });
  const told = [];
  for (const path of JSON.parse(fs.readFileSync(0, "utf8"))) {
    const ours = await redocly.lint({ ref: path, config });
    const theirs = await spectral.run(new Document(fs.readFileSync(path, "utf8"), Yaml, path));
    told.push([
      ...ours.map((each) => ({ tool: "Redocly", rule: each.ruleId, at: each.location[0].pointer, message: each.message })),
      ...theirs.map((each) => ({ tool: "Spectral", rule: each.code, at: each.path.join("/"), message: each.message })),
    ]);
  }
  process.stdout.write(JSON.stringify(told));
}

main();

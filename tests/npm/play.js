// Plays the Postman collection as Postman's runner would, and returns the result of each request.
//
// In, as JSON on stdin: {collection, values: {name: value}, runs: [{folder, values}]}; a folder of "" is all of them,
// and each run begins with the collection's own values. Out, on stdout: for each run a list of
// {name, sent, url, status, body, logged: [text], passed: [name], failed: [text]}, in the order of the run.

"use strict";

const fs = require("fs");
const newman = require("newman");

function play(collection, values, folder) {
  return new Promise((resolve, reject) => {
    const told = [];
    const now = () => told[told.length - 1];
    const environment = { values: Object.entries(values).map(([key, value]) => ({ key, value })) };
    newman
      .run({ collection, environment, folder: folder || undefined, reporters: [], timeoutRequest: 20000 }, (error) =>
        error ? reject(error) : resolve(told),
      )
      .on("beforeItem", (_, { item }) =>
        told.push({ name: item.name, sent: false, url: "", status: 0, body: "", logged: [], passed: [], failed: [] }),
      )
      .on("console", (_, { messages }) => now().logged.push(messages.join(" ")))
      .on("request", (error, { request, response }) => {
        Object.assign(now(), { sent: true, url: request.url.toString() });
        if (error) now().failed.push(error.message);
        else Object.assign(now(), { status: response.code, body: response.text() });
      })
      .on("assertion", (error, { assertion }) =>
        error ? now().failed.push(`${assertion}: ${error.message}`) : now().passed.push(assertion),
      )
      .on("script", (error) => error && now().failed.push(`a script threw: ${error.message}`));
  });
}

async function main() {
  const { collection, values, runs } = JSON.parse(fs.readFileSync(0, "utf8"));
  const told = [];
  for (const run of runs) told.push(await play(collection, { ...values, ...run.values }, run.folder));
  process.stdout.write(JSON.stringify(told));
}

main();

// Asks Microsoft's language service what it says of queries: JSON from names to queries comes in, to lists of complaints
// goes out. https://github.com/microsoft/Kusto-Query-Language
const fs = require("fs");
const path = require("path");
const vm = require("vm");

// The files put their names into the global scope of a browser, and are no modules.
const folder = path.dirname(require.resolve("@kusto/language-service-next"));
for (const file of ["bridge.min.js", "Kusto.Language.Bridge.min.js"]) {
  vm.runInThisContext(fs.readFileSync(path.join(folder, file), "utf8"));
}
const { GlobalState, KustoCode, Symbols } = Kusto.Language;

// The columns that queries may use: https://learn.microsoft.com/azure/azure-monitor/app/data-model-complete
const tables = Object.entries({
  traces: "(timestamp: datetime, message: string, severityLevel: int)",
  requests: "(timestamp: datetime, name: string, resultCode: string, duration: real)",
  availabilityResults: "(timestamp: datetime, location: string, success: string)",
}).map(([name, columns]) => Symbols.TableSymbol.From(columns).WithName(name));
const globals = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor("logs", tables));

const complaints = {};
for (const [name, query] of Object.entries(JSON.parse(fs.readFileSync(0, "utf8")))) {
  const found = KustoCode.ParseAndAnalyze(query, globals).GetDiagnostics();
  complaints[name] = Array.from({ length: found.Count }, (_, at) => {
    const { Code, Message } = found.getItem(at);
    return `${Code} ${Message}`;
  });
}
process.stdout.write(JSON.stringify(complaints));

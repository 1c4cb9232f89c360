import * as fs from "node:fs";
import * as path from "node:path";
import * as ts from "typescript";

/** Turns every TypeScript file of a folder into JavaScript, in place; types were checked with the project's. */
export function transpileFolder(folder: string): void {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
    const source = path.join(entry.parentPath, entry.name);
    const { outputText } = ts.transpileModule(fs.readFileSync(source, "utf8"), {
      fileName: entry.name,
      compilerOptions: {
        module: ts.ModuleKind.CommonJS,
        target: ts.ScriptTarget.ES2022,
        esModuleInterop: true,
      },
    });
    fs.writeFileSync(source.replace(/\.ts$/, ".js"), outputText);
    fs.rmSync(source);
  }
}

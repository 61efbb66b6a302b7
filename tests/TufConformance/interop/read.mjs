// Reads a repository with tuf-js: node read.mjs URL INITIAL-ROOT DIRECTORY TARGET...
// Prints, a line a target, the content, or "missing".
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import tuf from 'tuf-js';

const [url, root, directory, ...names] = process.argv.slice(2);
const [metadataDir, targetDir] = ['metadata', 'targets'].map((name) => join(directory, name));
mkdirSync(metadataDir, { recursive: true });
mkdirSync(targetDir, { recursive: true });
copyFileSync(root, join(metadataDir, 'root.json'));

const updater = new tuf.Updater({ metadataDir, metadataBaseUrl: `${url}/metadata`, targetDir, targetBaseUrl: `${url}/targets` });
await updater.refresh();
for (const name of names) {
  const target = await updater.getTargetInfo(name);
  console.log(target ? readFileSync(await updater.downloadTarget(target), 'utf8') : 'missing');
}

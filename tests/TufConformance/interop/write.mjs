// Writes a repository with @tufjs/models: node write.mjs DIRECTORY
// Roots 1 and 2 (all keys rotated), one key of each scheme, a delegation by path and one by hash prefix, and custom data that canonical JSON must bear.
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { canonicalize } from '@tufjs/canonical-json';
import models from '@tufjs/models';
import delegations from '@tufjs/models/dist/delegations.js';
import role from '@tufjs/models/dist/role.js';

const { Key, MetaFile, Metadata, Root, Signature, Snapshot, TargetFile, Targets, Timestamp } = models;
const directory = process.argv[2];
const header = { specVersion: '1.0.34', expires: new Date(Date.now() + 86_400_000).toISOString().replace(/\.\d+/, '') };
const schemes = ['ed25519', 'ecdsa', 'rsa'];

function newKey(type) {
  const pem = { type: 'spki', format: 'pem' };
  const pair = type === 'ed25519' ? generateKeyPairSync('ed25519')
    : type === 'ecdsa' ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  const publicText = type === 'ed25519' ? pair.publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('hex') : pair.publicKey.export(pem);
  const scheme = { ed25519: 'ed25519', ecdsa: 'ecdsa-sha2-nistp256', rsa: 'rsassa-pss-sha256' }[type];
  const keyVal = { public: publicText };
  const keyID = createHash('sha256').update(canonicalize({ keytype: type, keyval: keyVal, scheme })).digest('hex');
  const options = type === 'rsa' ? { key: pair.privateKey, padding: 6, saltLength: 32 } : pair.privateKey;
  const signer = (data) => new Signature({ keyID, sig: sign(type === 'ed25519' ? null : 'sha256', data, options).toString('hex') });
  return { public: new Key({ keyID, keyType: type, scheme, keyVal }), keyID, signer };
}

function write(path, content) {
  const file = join(directory, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return Buffer.from(content);
}

function publish(name, signed, ...keys) {
  const metadata = new Metadata(signed);
  keys.forEach((key) => metadata.sign(key.signer));
  const content = write(`metadata/${name}`, JSON.stringify(metadata.toJSON(), null, 1));
  return new MetaFile({ version: signed.version, length: content.length, hashes: { sha256: createHash('sha256').update(content).digest('hex') } });
}

function target(path, content, custom) {
  const sha256 = createHash('sha256').update(content).digest('hex');
  const sha512 = createHash('sha512').update(content).digest('hex');
  const slash = path.lastIndexOf('/') + 1;
  write(`targets/${path.slice(0, slash)}${sha256}.${path.slice(slash)}`, content);
  return new TargetFile({ path, length: Buffer.byteLength(content), hashes: { sha256, sha512 }, unrecognizedFields: custom ? { custom } : {} });
}

function rootOf(version, keys) {
  const ids = Object.fromEntries(keys.map((key) => [key.keyID, key.public]));
  const by = (threshold) => new role.Role({ keyIDs: Object.keys(ids), threshold });
  return new Root({ ...header, version, keys: ids, roles: { root: by(2), timestamp: by(1), snapshot: by(1), targets: by(3) }, consistentSnapshot: true });
}

const [first, keys, team, bin] = [schemes.map(newKey), schemes.map(newKey), newKey('ecdsa'), newKey('ed25519')];
publish('1.root.json', rootOf(1, first), ...first);
publish('2.root.json', rootOf(2, keys), ...first, ...keys);

const custom = { name: 'Kasse "Süd" \\ 😀', ranks: [1, -2, 9007199254740991], ﬁ: null, z: { nested: true } };
const prefix = createHash('sha256').update('by-hash').digest('hex').slice(0, 4);
const roles = {
  team: new role.DelegatedRole({ name: 'team', keyIDs: [team.keyID], threshold: 1, terminating: true, paths: ['team/*'] }),
  bin: new role.DelegatedRole({ name: 'bin', keyIDs: [bin.keyID], threshold: 1, terminating: false, pathHashPrefixes: [prefix] }),
};
const meta = {
  'targets.json': publish('1.targets.json', new Targets({ ...header, version: 1, targets: { 'app.bin': target('app.bin', 'app of tuf-js', custom) },
    delegations: new delegations.Delegations({ keys: { [team.keyID]: team.public, [bin.keyID]: bin.public }, roles }) }), ...keys),
  'team.json': publish('1.team.json', new Targets({ ...header, version: 1, targets: { 'team/tool': target('team/tool', 'tool of tuf-js') } }), team),
  'bin.json': publish('1.bin.json', new Targets({ ...header, version: 1, targets: { 'by-hash': target('by-hash', 'bin of tuf-js') } }), bin),
};
const snapshot = publish('1.snapshot.json', new Snapshot({ ...header, version: 1, meta }), keys[2]);
publish('timestamp.json', new Timestamp({ ...header, version: 1, snapshotMeta: snapshot }), keys[1]);

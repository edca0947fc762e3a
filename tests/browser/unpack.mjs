// Unpacks the browser of @sparticuz/chromium, its libraries and its fonts into the folder given.
import { createReadStream, createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";

const require = createRequire(import.meta.url);
const packed = join(dirname(require.resolve("@sparticuz/chromium")), "..", "..", "bin");
const folder = process.argv[2];

async function unpack(name, to) {
  await pipeline(createReadStream(join(packed, name)), createBrotliDecompress(), to);
}

await unpack("al2023.tar.br", require("tar-fs").extract(folder));
await unpack("fonts.tar.br", require("tar-fs").extract(folder));
await unpack("chromium.br", createWriteStream(join(folder, "unfinished"), { mode: 0o755 }));
await rename(join(folder, "unfinished"), join(folder, "chromium"));

// The page's calls to `dcign explore`. backend_static.js has the same functions without a server.

export const MOST_UPLOAD = 32 * 1024 * 1024; // bytes, as the server

async function asked(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("expected an answer of dcign explore, found none: start the command again and reload the page.");
  }
  if (answer.ok) return answer;
  const found = await answer.json().catch(() => ({}));
  throw new Error(found.error ?? `expected an answer of dcign explore, found error ${answer.status}: reload the page.`);
}

const json = async (path, options) => (await asked(path, options)).json();
const bytes = async (path, body) =>
  new Uint8Array(await (await asked(path, { method: "POST", body })).arrayBuffer());

export async function describe() {
  return json("api/description");
}

/** Codes (lists of Z numbers) -> pictures, Uint8Array (N * S * S * C). */
export async function decode(codes, sharp = false) {
  const latents = codes[0].length;
  const sent = new Float32Array(codes.length * latents);
  codes.forEach((code, place) => sent.set(code, place * latents));
  return bytes(`api/decode?sharp=${sharp ? 1 : 0}`, sent);
}

/** A picture file -> {code, image, psnr_db, warning, name}. */
export async function encode(file) {
  if (file.size > MOST_UPLOAD) {
    const found = Math.round(file.size / 1024 / 1024);
    throw new Error(`expected a picture of 32 MB or less, found ${found} MB in ${file.name}: make the file smaller.`);
  }
  return json(`api/encode?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
}

/** An image of the data set -> {code, image, labels, origin}. */
export async function image(origin) {
  return json(`api/image/${origin}`);
}

/** The renderer's picture, Uint8Array (S * S * C). */
export async function truth(origin, values, partsFrom) {
  return bytes("api/truth", JSON.stringify({ origin, values, parts_from: partsFrom }));
}

function query(filter, first) {
  const asked = new URLSearchParams({ split: filter.split, kind: filter.kind });
  if (first !== undefined) asked.set("first", first);
  for (const [name, [low, high]] of Object.entries(filter.ranges)) asked.set(name, `${low}:${high}`);
  return asked;
}

export const batches = (filter, first) => json(`api/batches?${query(filter, first)}`);
export const histograms = (filter) => json(`api/histograms?${query(filter)}`);
export const stripUrl = (split, batch, layer) => `api/strip/${split}/${batch}/${layer}.png`;
export const personUrl = (origin) => `api/person/${origin}.glb`;

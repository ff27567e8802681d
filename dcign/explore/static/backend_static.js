// The page without a server: files beside it, and the network in onnxruntime-web, on one thread.
// The same functions as backend_live.js, as far as they need neither the renderer nor the data set.

import { fitted } from "./fit_picture.js";
import * as ort from "./vendor/onnxruntime-web/ort.js";

const AT_ONCE = 4; // codes per pass: the page answers between passes
const MOST_UPLOAD = 32 * 1024 * 1024; // bytes, as the server
const [FAR_DECIBELS, LEAST_DECIBELS] = [6, 3]; // as dcign/infer/edit.py

ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = { wasm: new URL("./vendor/onnxruntime-web/ort.wasm", import.meta.url).href };

const sessions = {};
let about = null;
let queue = Promise.resolve(); // a session runs one pass at a time

function inTurn(action) {
  const result = queue.then(action);
  queue = result.catch(() => {});
  return result;
}

export async function describe() {
  const answer = await fetch("data/description.json");
  if (!answer.ok) throw new Error("expected data/description.json beside the page, found none: export the page again.");
  about = await answer.json();
  for (const name of ["encoder", "decoder"]) {
    sessions[name] = await ort.InferenceSession.create(`data/${name}.onnx`, { executionProviders: ["wasm"] });
  }
  return about;
}

/** Codes -> pictures, Uint8Array (N * S * S * C). */
export async function decode(codes) {
  const { size, channels } = about.run;
  const pixels = size * size * channels;
  const bytes = new Uint8Array(codes.length * pixels);
  for (let first = 0; first < codes.length; first += AT_ONCE) {
    const some = codes.slice(first, first + AT_ONCE);
    const code = new ort.Tensor("float32", Float32Array.from(some.flat()), [some.length, some[0].length]);
    const { images } = await inTurn(() => sessions.decoder.run({ code }));
    for (let image = 0; image < some.length; image++) {
      for (let channel = 0; channel < channels; channel++) {
        for (let pixel = 0; pixel < size * size; pixel++) {
          const level = images.data[(image * channels + channel) * size * size + pixel];
          bytes[(first + image) * pixels + pixel * channels + channel] = Math.round(255 * Math.min(1, Math.max(0, level)));
        }
      }
    }
    if (first + AT_ONCE < codes.length) await new Promise((done) => setTimeout(done));
  }
  return bytes;
}

/** A picture file -> {code, image, psnr_db, warning, name}. */
export async function encode(file) {
  if (file.size > MOST_UPLOAD) {
    const found = Math.round(file.size / 1024 / 1024);
    throw new Error(`expected a picture of 32 MB or less, found ${found} MB in ${file.name}: make the file smaller.`);
  }
  const { size, channels } = about.run;
  const picture = await fitted(file, size, channels);
  const planes = new Float32Array(channels * size * size);
  for (let pixel = 0; pixel < size * size; pixel++) {
    for (let channel = 0; channel < channels; channel++) {
      planes[channel * size * size + pixel] = picture[pixel * channels + channel] / 255;
    }
  }
  const images = new ort.Tensor("float32", planes, [1, channels, size, size]);
  const { mu } = await inTurn(() => sessions.encoder.run({ images }));
  const code = Array.from(mu.data);
  const decibels = psnr(picture, await decode([code]));
  return { code, name: file.name, image: urlOf(picture, size, channels), psnr_db: decibels,
    warning: warning(decibels, psnr(picture, flat(picture, channels))) };
}

function psnr(first, second) {
  const squares = first.reduce((sum, each, place) => sum + ((each - second[place]) / 255) ** 2, 0) / first.length;
  return -10 * Math.log10(Math.max(squares, 1e-10));
}

/** The mean colour as a whole picture. */
function flat(picture, channels) {
  const mean = new Float64Array(channels);
  picture.forEach((each, place) => (mean[place % channels] += (each * channels) / picture.length));
  return picture.map((_, place) => mean[place % channels]);
}

function warning(decibels, flatDecibels) {
  if (about.run.draws_clean) return ""; // it leaves the background out, so its reconstruction says nothing
  if (decibels < flatDecibels + LEAST_DECIBELS) {
    return `Its reconstruction has ${decibels.toFixed(1)} dB, a constant colour ${flatDecibels.toFixed(1)} dB: the network sees little or nothing in it, so do not trust these values and pictures.`;
  }
  if (about.run.usual_db === null || decibels >= about.run.usual_db - FAR_DECIBELS) return "";
  return `Its reconstruction has ${decibels.toFixed(1)} dB, pictures of the test split ${about.run.usual_db.toFixed(1)} dB: it is far from what the network was trained on, so do not trust these values and pictures.`;
}

function urlOf(picture, size, channels) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const data = new ImageData(size, size);
  for (let pixel = 0; pixel < size * size; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      data.data[4 * pixel + channel] = picture[pixel * channels + (channels === 3 ? channel : 0)];
    }
    data.data[4 * pixel + 3] = 255;
  }
  canvas.getContext("2d").putImageData(data, 0, 0);
  return canvas.toDataURL();
}

// Pictures as bytes: drawing them on a canvas, their difference, and saving them as PNG or GIF.

import { GIFEncoder, applyPalette, quantize } from "./vendor/gifenc/gifenc.js";

/** Bytes (S * S * C), C = 1 or 3, -> ImageData. */
export function toImageData(bytes, size, channels) {
  const data = new ImageData(size, size);
  for (let pixel = 0; pixel < size * size; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      data.data[4 * pixel + channel] = bytes[channels * pixel + (channels === 3 ? channel : 0)];
    }
    data.data[4 * pixel + 3] = 255;
  }
  return data;
}

// Pixels are put there, not drawn, so the browser need not keep these small canvases on the graphics card.
const inMemory = (canvas) => canvas.getContext("2d", { willReadFrequently: true });

/** Draw bytes on a canvas, whose own size becomes that of the picture; the style sheet enlarges it. */
export function draw(canvas, bytes, size, channels) {
  if (canvas.width !== size) canvas.width = canvas.height = size;
  inMemory(canvas).putImageData(toImageData(bytes, size, channels), 0, 0);
}

/** Draw how far two pictures differ, three times enlarged, and return the mean absolute difference, 0 to 1. */
export function drawDifference(canvas, first, second, size, channels) {
  const amounts = difference(first, second, size, channels);
  drawHeat(canvas, amounts, size, 3);
  return amounts.reduce((sum, each) => sum + each, 0) / amounts.length;
}

/** The mean absolute difference of each pixel, 0 to 1: (S * S). */
export function difference(first, second, size, channels) {
  const amounts = new Float32Array(size * size);
  for (let pixel = 0; pixel < amounts.length; pixel++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) {
      sum += Math.abs(first[channels * pixel + channel] - second[channels * pixel + channel]);
    }
    amounts[pixel] = sum / channels / 255;
  }
  return amounts;
}

/** Draw amounts from black over orange to white. */
export function drawHeat(canvas, amounts, size, gain) {
  if (canvas.width !== size) canvas.width = canvas.height = size;
  const data = new ImageData(size, size);
  amounts.forEach((amount, pixel) => {
    const level = Math.min(1, gain * amount);
    data.data.set([255 * Math.min(1, 1.8 * level), 255 * level ** 1.3, 255 * level ** 3, 255], 4 * pixel);
  });
  inMemory(canvas).putImageData(data, 0, 0);
}

/** Pictures (list of bytes) -> one canvas, side by side, each enlarged `scale` times. */
export function strip(pictures, size, channels, scale) {
  const side = size * scale;
  const sheet = document.createElement("canvas");
  sheet.width = side * pictures.length;
  sheet.height = side;
  const context = sheet.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  const one = document.createElement("canvas");
  pictures.forEach((bytes, place) => {
    draw(one, bytes, size, channels);
    context.drawImage(one, place * side, 0, side, side);
  });
  return sheet;
}

export function pngOf(canvas) {
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/** Pictures -> an endless GIF, there and back. */
export function gifOf(pictures, size, channels, scale, delay = 80) {
  const side = size * scale;
  const sheet = strip(pictures, size, channels, scale).getContext("2d");
  const encoder = GIFEncoder();
  const whole = strip(pictures, size, channels, 1);
  const palette = quantize(whole.getContext("2d").getImageData(0, 0, whole.width, whole.height).data, 256);
  const there = pictures.map((_, place) => place);
  for (const place of [...there, ...there.slice(1, -1).reverse()]) {
    const { data } = sheet.getImageData(place * side, 0, side, side);
    encoder.writeFrame(applyPalette(data, palette), side, side, { palette, delay });
  }
  encoder.finish();
  return new Blob([encoder.bytes()], { type: "image/gif" });
}

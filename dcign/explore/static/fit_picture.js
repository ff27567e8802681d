// A picture file as the network's input: its middle square, averaged in linear light, as dcign/infer/read_picture.py.

const GRAY_WEIGHTS = [0.21, 0.72, 0.07];
const MOST_PIXELS = 89_000_000;
const LEAST_SIDE = 8;
const DECODED = Float32Array.from({ length: 256 }, (_, level) => {
  const encoded = level / 255;
  return encoded <= 0.04045 ? encoded / 12.92 : ((encoded + 0.055) / 1.055) ** 2.4;
});
const encoded = (linear) => (linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055);

/** Uint8Array (S * S * C). Throws a sentence if the file is no picture that the browser reads. */
export async function fitted(file, size, channels) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error(`expected a picture in ${file.name}, found a file that the browser cannot read: choose another file, or save it as PNG or JPEG.`);
  }
  const side = Math.min(bitmap.width, bitmap.height);
  if (bitmap.width * bitmap.height > MOST_PIXELS || side < LEAST_SIDE) {
    const found = `${bitmap.width} x ${bitmap.height} px`;
    throw new Error(`expected a picture of ${LEAST_SIDE} px or more on each side and 89 million pixels or fewer, found ${found}: choose another one.`);
  }
  const inner = side < size ? size : side; // a small picture is enlarged by the browser
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = inner;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  const [left, top] = [Math.floor((bitmap.width - side) / 2), Math.floor((bitmap.height - side) / 2)];
  context.drawImage(bitmap, left, top, side, side, 0, 0, inner, inner);
  return averaged(context.getImageData(0, 0, inner, inner).data, inner, size, channels);
}

/** RGBA (side * side) -> the mean of the pixels under each of S * S pixels, in linear light, over black. */
function averaged(rgba, side, size, channels) {
  const spans = Array.from({ length: size }, (_, place) => {
    const [centre, half] = [((place + 0.5) * side) / size, side / size / 2];
    return [Math.ceil(centre - half - 0.5 + 1e-9), Math.floor(centre + half - 0.5 + 1e-9)];
  });
  const picture = new Uint8Array(size * size * channels);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const linear = meanOf(rgba, side, spans[row], spans[column]);
      const gray = GRAY_WEIGHTS.reduce((sum, weight, channel) => sum + weight * linear[channel], 0);
      for (let channel = 0; channel < channels; channel++) {
        const level = encoded(channels === 1 ? gray : linear[channel]);
        picture[(row * size + column) * channels + channel] = Math.round(255 * Math.min(1, level));
      }
    }
  }
  return picture;
}

function meanOf(rgba, side, [top, bottom], [left, right]) {
  const sum = [0, 0, 0];
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const at = 4 * (y * side + x);
      const opacity = rgba[at + 3] / 255;
      for (let channel = 0; channel < 3; channel++) sum[channel] += DECODED[rgba[at + channel]] * opacity;
    }
  }
  const count = (bottom - top + 1) * (right - left + 1);
  return sum.map((each) => each / count);
}

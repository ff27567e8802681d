// Codes: reading factors from them, setting factors, exchanging blocks, moving along directions.
// The same sums as dcign/trained/calibration.py, dcign/metrics/circular.py and dcign/metrics/categorical.py, which the
// tests compare with these.

const TURN = 360;

/** Piecewise linear through knots with ascending inputs, constant beyond them. */
export function interpolate(value, inputs, outputs) {
  const last = inputs.length - 1;
  if (value <= inputs[0]) return outputs[0];
  if (value >= inputs[last]) return outputs[last];
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (inputs[middle] <= value) low = middle;
    else high = middle;
  }
  const share = (value - inputs[low]) / (inputs[high] - inputs[low]);
  return outputs[low] + share * (outputs[high] - outputs[low]);
}

/** An angle from -180 to below 180. */
export function wrapped(angle) {
  return ((((angle + TURN / 2) % TURN) + TURN) % TURN) - TURN / 2;
}

/** The angle of the nearest point of a closed curve (K points, evenly spaced from -180 on). */
export function angleOnCurve([x, y], points) {
  let best = Infinity;
  let passed = 0;
  points.forEach(([px, py], index) => {
    const [qx, qy] = points[(index + 1) % points.length];
    const [sx, sy] = [qx - px, qy - py];
    const length = sx * sx + sy * sy;
    const along = length > 0 ? Math.min(1, Math.max(0, ((x - px) * sx + (y - py) * sy) / length)) : 0;
    const distance = (x - px - along * sx) ** 2 + (y - py - along * sy) ** 2;
    if (distance < best) [best, passed] = [distance, index + along];
  });
  return wrapped((TURN / points.length) * passed - TURN / 2);
}

/** The point of a closed curve at an angle. */
export function pointOnCurve(angle, points) {
  const place = ((wrapped(angle) + TURN / 2) / TURN) * points.length;
  const index = Math.min(points.length - 1, Math.floor(place));
  const [px, py] = points[index];
  const [qx, qy] = points[(index + 1) % points.length];
  return [px + (place - index) * (qx - px), py + (place - index) * (qy - py)];
}

/** The index of the most probable class: the largest of weights (K, k) x + offsets (K). */
export function classOf(coordinates, { weights, offsets }) {
  const logs = weights.map((row, place) => row.reduce((sum, each, axis) => sum + each * coordinates[axis], offsets[place]));
  return logs.indexOf(Math.max(...logs));
}

/** Read a factor from a code, in its unit; of a factor of classes, the index of the class. */
export function readFactor(code, factor) {
  const { calibration, circular, own } = factor;
  if (calibration.discriminant) return classOf(own.map((latent) => code[latent]), calibration.discriminant);
  if (circular) return angleOnCurve(own.map((latent) => code[latent]), calibration.curve.points);
  return interpolate(code[own[0]], calibration.value.inputs, calibration.value.outputs);
}

/** Set a factor in a code, which is changed; a class is set as its mean. */
export function writeFactor(code, factor, value) {
  const coordinates = coordinatesOf(value, factor);
  factor.own.forEach((latent, place) => (code[latent] = coordinates[place]));
}

function coordinatesOf(value, { calibration, circular }) {
  if (calibration.discriminant) {
    const { means } = calibration.discriminant;
    return means[Math.min(means.length - 1, Math.max(0, Math.round(value)))];
  }
  if (circular) return pointOnCurve(value, calibration.curve.points);
  return [interpolate(value, calibration.code.inputs, calibration.code.outputs)];
}

/** Take latents of another code. */
export function takeLatents(code, other, latents) {
  for (const latent of latents) code[latent] = other[latent];
}

/** Move a code along a direction of a block. */
export function moveAlong(code, latents, direction, distance) {
  latents.forEach((latent, place) => (code[latent] += distance * direction[place]));
}

/** Write a code as text for a link: float32, base64url. */
export function toText(code) {
  const bytes = new Uint8Array(Float32Array.from(code).buffer);
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Read what `toText` wrote; null for anything else. */
export function fromText(text, latents) {
  try {
    const letters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
    if (bytes.length !== 4 * latents) return null;
    const code = Array.from(new Float32Array(bytes.buffer));
    return code.every((value) => Number.isFinite(value) && Math.abs(value) < 1e3) ? code : null;
  } catch {
    return null;
  }
}

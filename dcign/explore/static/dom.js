// Small helpers to build the page: elements, messages, and timers that run only the last of many calls.

/** Return an element. Properties that start with "on" are listeners, "class" and "aria-..." are attributes. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, each] of Object.entries(value)) element.style.setProperty(key, each);
    else if (name in element && !name.startsWith("aria") && name !== "list" && name !== "role") element[name] = value;
    else element.setAttribute(name === "className" ? "class" : name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Return an SVG element. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Return a name without underscores, with a capital letter if asked. */
export function words(name, capital = false) {
  const text = name.replaceAll("_", " ");
  return capital ? text[0].toUpperCase() + text.slice(1) : text;
}

/** Show one sentence above the page; an empty one hides it. */
export function tell(sentence) {
  const place = document.getElementById("message");
  place.textContent = sentence;
  place.hidden = !sentence;
}

/** Say something to screen readers only. */
export function speak(sentence) {
  document.getElementById("spoken").textContent = sentence;
}

/** Return a function that calls another one when it was not called for so many milliseconds. */
export function settled(milliseconds, action) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...values), milliseconds);
  };
}

/** Return a function that runs an asynchronous action, at most so many times at once; of calls that have to wait, only
 * the last one is kept. */
export function latestOnly(action, atOnce = 1) {
  let running = 0;
  let waiting = null;
  return async function call(value) {
    waiting = { value };
    if (running >= atOnce) return;
    running++;
    while (waiting) {
      const { value: next } = waiting;
      waiting = null;
      try {
        await action(next);
      } catch (error) {
        tell(error.message);
      }
    }
    running--;
  };
}

/** Let the browser save bytes as a file. */
export function save(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

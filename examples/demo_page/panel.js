/* What the panels share: finding their parts, showing their state and their figures. */

/** A panel of the page, by the id of its element. */
export class Panel {
  constructor(id) {
    this.element = document.getElementById(id);
    this.status = this.element.querySelector(".state");
  }

  /** Return the element marked with this data-part. */
  part(name) {
    return this.element.querySelector(`[data-part="${name}"]`);
  }

  /** Return the button marked with this data-action. */
  button(action) {
    return this.element.querySelector(`button[data-action="${action}"]`);
  }

  /** Call `act` at every click of a button. */
  on(action, act) {
    this.button(action).addEventListener("click", act);
  }

  /** Show the state: idle, busy, done, wait or error, in words. */
  state(kind, words) {
    this.status.dataset.state = kind;
    this.status.textContent = words;
  }

  /** Show figures, given by name; a dash stands for none. */
  figures(values) {
    for (const [name, value] of Object.entries(values)) {
      this.element.querySelector(`[data-figure="${name}"]`).textContent = value ?? "–";
    }
  }
}

/** Return a new element with text, and a class if one is given. */
export function element(tag, text, className) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** Return what went wrong with a fetch, in words; a TypeError is how it reports the network. */
export function failure(error) {
  return error instanceof TypeError ? `connection lost (${error.message})` : error.message;
}

/** Return the response of a fetch, or throw its status and reason. */
export function checked(response) {
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`.trim());
  return response;
}

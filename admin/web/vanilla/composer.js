// @ts-check
/** Where people speak: grows with the words, completes @names, Enter sends. */
import { avatar, byId, fill, h } from "./dom.js"

export class Composer {
  /** @param {{ members: () => Array<any>, send: (text: string) => void }} about */
  constructor(about) {
    this.about = about
    /** @type {HTMLTextAreaElement} */
    this.words = byId("words")
    /** @type {HTMLElement} */
    this.list = byId("mentions")
    /** @type {Array<any>} */
    this.found = []
    this.chosen = 0
    byId("composer").addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault()
      this.#submit()
    })
    this.words.addEventListener("input", () => this.changed())
    this.words.addEventListener("keydown", (event) => this.#key(event))
    this.words.addEventListener("blur", () => this.#close())
    this.words.addEventListener("click", () => this.#complete())
  }

  get text() {
    return this.words.value
  }

  /** @param {string} text */
  put(text) {
    this.words.value = text
    this.changed()
  }

  /** @param {boolean} allowed @param {string} placeholder */
  allow(allowed, placeholder) {
    this.words.disabled = !allowed
    this.words.placeholder = placeholder
    this.changed()
  }

  changed() {
    this.words.style.setProperty("height", "auto")
    this.words.style.setProperty("height", `${Math.min(this.words.scrollHeight, 220)}px`)
    byId("send").disabled = this.words.disabled || this.text.trim() === ""
    this.#complete()
  }

  #submit() {
    const text = this.text
    if (text.trim() === "" || this.words.disabled) return
    this.put("")
    this.about.send(text)
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing) return
    if (!this.list.hidden) {
      const steps = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1 })
      if (event.key in steps) {
        event.preventDefault()
        this.#choose((this.chosen + (steps[event.key] ?? 0) + this.found.length) % this.found.length)
        return
      }
      if (event.key === "Enter" || event.key === "Tab") {
        event.preventDefault()
        this.#take(this.found[this.chosen])
        return
      }
      if (event.key === "Escape") {
        event.preventDefault()
        this.#close()
        return
      }
    }
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault()
      this.#submit()
    }
  }

  /** The `@na` before the caret. */
  #begun() {
    const before = this.text.slice(0, this.words.selectionStart)
    return /(?<![\w@./-])@([a-z0-9_-]*)$/i.exec(before)?.[1]?.toLowerCase()
  }

  #complete() {
    const begun = document.activeElement === this.words ? this.#begun() : undefined
    this.found =
      begun === undefined ? [] : this.about.members().filter((member) => member.name.startsWith(begun))
    if (this.found.length === 0 || (this.found.length === 1 && this.found[0].name === begun)) {
      this.#close()
      return
    }
    fill(
      this.list,
      ...this.found.map((member, i) =>
        h(
          "li",
          {
            role: "option",
            id: `mention-${i}`,
            onmousedown: (event) => {
              event.preventDefault()
              this.#take(member)
            },
          },
          avatar(member.id, member.name),
          h("b", {}, `@${member.name}`),
          h("span", {}, member.title),
        ),
      ),
    )
    this.list.hidden = false
    this.#choose(0)
  }

  /** @param {number} index */
  #choose(index) {
    this.chosen = index
    for (const [i, option] of [...this.list.children].entries())
      option.setAttribute("aria-selected", String(i === index))
    this.words.setAttribute("aria-activedescendant", `mention-${index}`)
  }

  /** @param {any} member */
  #take(member) {
    const caret = this.words.selectionStart
    const start = caret - (this.#begun() ?? "").length
    this.words.setRangeText(`${member.name} `, start, caret, "end")
    this.changed()
    this.#close()
  }

  #close() {
    this.list.hidden = true
    this.words.removeAttribute("aria-activedescendant")
  }
}

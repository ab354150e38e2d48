// @ts-check
/** What frames the room: the list of rooms on a narrow screen, and the dialog that opens a new one. */
import { byId } from "./dom.js"

/** @param {boolean} shown */
export const showRooms = (shown) => {
  byId("side").classList.toggle("shown", shown)
  byId("menu").setAttribute("aria-expanded", String(shown))
}
byId("menu").addEventListener("click", () => showRooms(true))
byId("scrim").addEventListener("click", () => showRooms(false))
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") showRooms(false)
})

/** @param {(title: string) => Promise<void>} open @returns {() => void} asks for the title of a new room */
export const onNewRoom = (open) => {
  /** @type {HTMLDialogElement} */
  const dialog = byId("room-dialog")
  const ask = () => {
    showRooms(false)
    dialog.showModal()
  }
  byId("open-room").addEventListener("click", ask)
  byId("room-cancel").addEventListener("click", () => dialog.close())
  byId("room-form").addEventListener("submit", () => {
    const title = byId("room-title").value.trim()
    byId("room-title").value = ""
    if (title !== "") void open(title)
  })
  return ask
}

/** The public list of the web door: what people say on the page becomes words in a room. */
export { clean, owner, type Speaker, type Spoken, spoken } from "./Spoken.ts"

/** The public list of actors/conversation. */
export { conversation, type Needs } from "./Conversation.ts"
export type { Place } from "./Place.ts"
export { leftTurns, queuedThreads } from "./ConversationStore.ts"
export type { Message, Word } from "./Messages.ts"
export { Workplace } from "./turn/Workplace.ts"
export type { Budgets } from "./turn/Money.ts"
export { freeze, type Frozen, thaw } from "./context/Frozen.ts"
export { toolsFor } from "./turn/Permissions.ts"

export * as TelegramEmulator from "./TelegramEmulator.ts"
export type {
  BotSpec,
  EmulatorOptions,
  FileOptions,
  SayOptions,
  TelegramEmulator as Telegram,
} from "./TelegramEmulator.ts"
export type { Fault } from "./Faults.ts"
export type { FloodLimits } from "./Flood.ts"
export type { Change, Chat, Entity, Seen, User } from "./World.ts"

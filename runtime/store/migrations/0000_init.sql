CREATE TABLE "agent" (
	"id" text PRIMARY KEY NOT NULL,
	"ws" text NOT NULL,
	"name" text NOT NULL,
	"title" text NOT NULL,
	"model" text,
	"soul" text NOT NULL,
	"interests" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"removed_at" timestamp with time zone,
	CONSTRAINT "agent_ws_name_unique" UNIQUE("ws","name")
);
--> statement-breakpoint
CREATE TABLE "blob" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"mime" text NOT NULL,
	"size" integer NOT NULL,
	"bytes" "bytea" NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "budget" (
	"scope" text NOT NULL,
	"key" text NOT NULL,
	"period" text NOT NULL,
	"lim" bigint NOT NULL,
	"reserved" bigint DEFAULT 0 NOT NULL,
	"spent" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "budget_scope_key_period_pk" PRIMARY KEY("scope","key","period")
);
--> statement-breakpoint
CREATE TABLE "decision" (
	"event" text NOT NULL,
	"slot" text NOT NULL,
	"thread" text NOT NULL,
	"ws" text NOT NULL,
	"state" text NOT NULL,
	"agent" text,
	"turn" text,
	"reason" text,
	"evidence" jsonb,
	"join_n" integer,
	"repairs" integer DEFAULT 0 NOT NULL,
	"due_at" timestamp with time zone DEFAULT now() NOT NULL,
	"at" timestamp with time zone,
	CONSTRAINT "decision_event_slot_pk" PRIMARY KEY("event","slot")
);
--> statement-breakpoint
CREATE TABLE "door" (
	"id" text PRIMARY KEY NOT NULL,
	"ws" text NOT NULL,
	"name" text NOT NULL,
	"type" text NOT NULL,
	"settings" jsonb NOT NULL,
	"removed_at" timestamp with time zone,
	CONSTRAINT "door_ws_name_unique" UNIQUE("ws","name")
);
--> statement-breakpoint
CREATE TABLE "event" (
	"thread" text NOT NULL,
	"pos" integer NOT NULL,
	"prev" integer NOT NULL,
	"id" text NOT NULL,
	"kind" text NOT NULL,
	"source_key" text,
	"edits" text,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"body" jsonb NOT NULL,
	CONSTRAINT "event_thread_pos_pk" PRIMARY KEY("thread","pos"),
	CONSTRAINT "event_id_unique" UNIQUE("id")
);
--> statement-breakpoint
CREATE TABLE "inbox" (
	"door" text NOT NULL,
	"external_id" text NOT NULL,
	"raw" jsonb,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "inbox_door_external_id_pk" PRIMARY KEY("door","external_id")
);
--> statement-breakpoint
CREATE TABLE "lease" (
	"name" text PRIMARY KEY NOT NULL,
	"process" text,
	"fence" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "member" (
	"agent" text NOT NULL,
	"door" text NOT NULL,
	"since" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "member_agent_door_pk" PRIMARY KEY("agent","door")
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"turn" text NOT NULL,
	"part" integer NOT NULL,
	"door" text NOT NULL,
	"thread" text NOT NULL,
	"agent" text NOT NULL,
	"channel" text NOT NULL,
	"reply_to" text,
	"signature" text DEFAULT '' NOT NULL,
	"state" text NOT NULL,
	"platform_id" text,
	"text" text,
	"fence" bigint NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "outbox_turn_part_pk" PRIMARY KEY("turn","part")
);
--> statement-breakpoint
CREATE TABLE "process" (
	"id" text PRIMARY KEY NOT NULL,
	"lock_key" bigint NOT NULL,
	"host" text NOT NULL,
	"pid" integer NOT NULL,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"beat_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "secret" (
	"owner" text NOT NULL,
	"name" text NOT NULL,
	"sealed" jsonb NOT NULL,
	"last_four" text NOT NULL,
	"changed_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "secret_owner_name_pk" PRIMARY KEY("owner","name")
);
--> statement-breakpoint
CREATE TABLE "segment" (
	"agent" text NOT NULL,
	"thread" text NOT NULL,
	"segment" integer NOT NULL,
	"frozen" text NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "segment_agent_thread_segment_pk" PRIMARY KEY("agent","thread","segment")
);
--> statement-breakpoint
CREATE TABLE "sprite_session" (
	"agent" text NOT NULL,
	"thread" text NOT NULL,
	"machine" text NOT NULL,
	"session" text NOT NULL,
	"cwd" text NOT NULL,
	"state" text NOT NULL,
	"last_used_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "sprite_session_agent_thread_pk" PRIMARY KEY("agent","thread")
);
--> statement-breakpoint
CREATE TABLE "step" (
	"turn" text NOT NULL,
	"n" integer NOT NULL,
	"kind" text NOT NULL,
	"state" text NOT NULL,
	"call" text,
	"tool" text,
	"input" text,
	"reserved" bigint DEFAULT 0 NOT NULL,
	"cost" bigint DEFAULT 0 NOT NULL,
	"scopes" jsonb,
	"usage" jsonb,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp with time zone,
	CONSTRAINT "step_turn_n_pk" PRIMARY KEY("turn","n")
);
--> statement-breakpoint
CREATE TABLE "thread" (
	"id" text PRIMARY KEY NOT NULL,
	"ws" text NOT NULL,
	"door" text NOT NULL,
	"channel" text NOT NULL,
	"title" text NOT NULL,
	"head" integer DEFAULT 0 NOT NULL,
	"said" integer DEFAULT 0 NOT NULL,
	"published" integer DEFAULT 0 NOT NULL,
	"opened_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "thread_ws_door_channel_unique" UNIQUE("ws","door","channel")
);
--> statement-breakpoint
CREATE TABLE "transcript" (
	"agent" text NOT NULL,
	"thread" text NOT NULL,
	"segment" integer NOT NULL,
	"n" integer NOT NULL,
	"turn" text NOT NULL,
	"role" text NOT NULL,
	"content" text NOT NULL,
	"heard" integer NOT NULL,
	CONSTRAINT "transcript_agent_thread_segment_n_pk" PRIMARY KEY("agent","thread","segment","n")
);
--> statement-breakpoint
CREATE TABLE "turn" (
	"id" text PRIMARY KEY NOT NULL,
	"ws" text NOT NULL,
	"event" text NOT NULL,
	"slot" text NOT NULL,
	"agent" text NOT NULL,
	"thread" text NOT NULL,
	"door" text NOT NULL,
	"fence" bigint NOT NULL,
	"principal" text NOT NULL,
	"root" text NOT NULL,
	"hop" integer NOT NULL,
	"segment" integer NOT NULL,
	"state" text NOT NULL,
	"stop" boolean DEFAULT false NOT NULL,
	"joined" integer DEFAULT 0 NOT NULL,
	"taken" integer DEFAULT 0 NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"reason" text,
	"usage" jsonb,
	"cost" bigint DEFAULT 0 NOT NULL,
	"tools" integer DEFAULT 0 NOT NULL,
	"started_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp with time zone,
	CONSTRAINT "turn_event_agent_unique" UNIQUE("event","agent")
);
--> statement-breakpoint
CREATE TABLE "workspace" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	CONSTRAINT "workspace_name_unique" UNIQUE("name")
);
--> statement-breakpoint
CREATE INDEX "decision_due" ON "decision" USING btree ("ws","due_at") WHERE state = 'due';--> statement-breakpoint
CREATE INDEX "decision_queued" ON "decision" USING btree ("agent","thread") WHERE state = 'queued';--> statement-breakpoint
CREATE INDEX "decision_turn" ON "decision" USING btree ("turn") WHERE turn is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "event_source" ON "event" USING btree ("thread","source_key") WHERE source_key is not null;--> statement-breakpoint
CREATE INDEX "event_edits" ON "event" USING btree ("edits") WHERE edits is not null;--> statement-breakpoint
CREATE INDEX "inbox_at" ON "inbox" USING brin ("at");--> statement-breakpoint
CREATE INDEX "outbox_platform" ON "outbox" USING btree ("door","channel","platform_id");--> statement-breakpoint
CREATE INDEX "outbox_open" ON "outbox" USING btree ("door") WHERE state in ('creating', 'created');--> statement-breakpoint
CREATE INDEX "thread_unpublished" ON "thread" USING btree ("ws") WHERE head > published;--> statement-breakpoint
CREATE INDEX "thread_last" ON "thread" USING btree ("ws","last_at" DESC NULLS LAST);--> statement-breakpoint
CREATE UNIQUE INDEX "turn_running" ON "turn" USING btree ("agent","thread") WHERE state in ('running', 'waiting');--> statement-breakpoint
CREATE INDEX "turn_led" ON "turn" USING btree ("thread","principal","started_at" DESC NULLS LAST);
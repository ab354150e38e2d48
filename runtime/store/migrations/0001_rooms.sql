CREATE TABLE "approval" (
	"turn" text NOT NULL,
	"call" text NOT NULL,
	"ws" text NOT NULL,
	"thread" text NOT NULL,
	"agent" text NOT NULL,
	"principal" text NOT NULL,
	"tool" text NOT NULL,
	"summary" text NOT NULL,
	"input_hash" text NOT NULL,
	"answer" text,
	"answered_by" text,
	"asked_at" timestamp with time zone DEFAULT now() NOT NULL,
	"answered_at" timestamp with time zone,
	CONSTRAINT "approval_turn_call_pk" PRIMARY KEY("turn","call")
);
--> statement-breakpoint
CREATE TABLE "identity" (
	"door" text NOT NULL,
	"external_user" text NOT NULL,
	"person" text NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "identity_door_external_user_pk" PRIMARY KEY("door","external_user")
);
--> statement-breakpoint
CREATE TABLE "person" (
	"id" text PRIMARY KEY NOT NULL,
	"ws" text NOT NULL,
	"name" text NOT NULL,
	"role" text NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "agent" ADD COLUMN "settings" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "budget" ADD COLUMN "extra" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "outbox" ADD COLUMN "actions" jsonb;--> statement-breakpoint
ALTER TABLE "turn" ADD COLUMN "hold" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "approval_open" ON "approval" USING btree ("ws","asked_at") WHERE answer is null;--> statement-breakpoint
CREATE INDEX "identity_person" ON "identity" USING btree ("person");--> statement-breakpoint
CREATE INDEX "turn_open" ON "turn" USING btree ("thread") WHERE state in ('running', 'waiting');
CREATE TABLE "link" (
	"code" text PRIMARY KEY NOT NULL,
	"door" text NOT NULL,
	"external_user" text NOT NULL,
	"to_door" text NOT NULL,
	"to_user" text NOT NULL,
	"expires_at" timestamp with time zone NOT NULL
);

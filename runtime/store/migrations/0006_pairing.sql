CREATE TABLE "pairing" (
	"door" text NOT NULL,
	"external_user" text NOT NULL,
	"name" text NOT NULL,
	"code" text NOT NULL,
	"at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"approved_at" timestamp with time zone,
	CONSTRAINT "pairing_door_external_user_pk" PRIMARY KEY("door","external_user"),
	CONSTRAINT "pairing_code_unique" UNIQUE("code")
);

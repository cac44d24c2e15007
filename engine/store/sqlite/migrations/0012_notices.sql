-- Whether a notice was sent, or is only claimed by who is about to send it.
ALTER TABLE notice ADD COLUMN is_sent INTEGER NOT NULL DEFAULT 1;

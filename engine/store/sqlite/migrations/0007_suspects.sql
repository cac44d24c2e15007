-- Jobs whose workers died at least twice in a row: any of them may be the cause, so one runs at a
-- time; `is_alone` marks the one whose turn it is.
ALTER TABLE job ADD COLUMN is_alone INTEGER NOT NULL DEFAULT 0;
CREATE INDEX job_suspect ON job (due, number) WHERE status = 'running' AND recoveries > 0;

-- A stored event has the number of the first job that was made of it, and the jobs made with it are
-- numbered in a row: rows of `job` are never deleted, so no number comes twice.
ALTER TABLE payload ADD COLUMN query TEXT NOT NULL DEFAULT '{}';
ALTER TABLE payload ADD COLUMN made INTEGER NOT NULL DEFAULT 1;

-- The jobs that people had made of a stored event once more.
CREATE TABLE event_replay (
    event      INTEGER NOT NULL,
    first_job  INTEGER NOT NULL,
    made       INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    by         TEXT    NOT NULL,
    PRIMARY KEY (event, first_job)
) WITHOUT ROWID;

-- Deliveries of which nothing was kept, by what became of them.
CREATE TABLE unkept_delivery (
    recipe   TEXT    NOT NULL,
    fate     TEXT    NOT NULL,
    count    INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    PRIMARY KEY (recipe, fate)
) WITHOUT ROWID;

-- When and by which rule the history of a job was removed; its row stays.
ALTER TABLE job ADD COLUMN pruned_at INTEGER;
ALTER TABLE job ADD COLUMN pruned_by TEXT;
CREATE INDEX job_kept ON job (number) WHERE pruned_at IS NULL;

-- Jobs whose history is so long that it is removed in several steps.
CREATE TABLE job_leftover (job INTEGER PRIMARY KEY);

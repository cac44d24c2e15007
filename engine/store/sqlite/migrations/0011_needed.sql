-- Who waits for a job needs its result after it has ended, too: the row stays until the place that
-- waits is done.
ALTER TABLE job_await ADD COLUMN has_ended INTEGER NOT NULL DEFAULT 0;
DROP INDEX job_await_waiting;
CREATE INDEX job_await_waiting ON job_await (waiting, place, has_ended);

-- Jobs that were cancelled with all that they start, and by whom.
CREATE TABLE cancel_below (
    job  INTEGER PRIMARY KEY REFERENCES job (number) ON DELETE CASCADE,
    by   TEXT    NOT NULL
);

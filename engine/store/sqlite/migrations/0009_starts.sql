-- How many jobs started one another up to this one.
ALTER TABLE job ADD COLUMN start_depth INTEGER NOT NULL DEFAULT 0;

-- Which places of jobs wait for the end of which jobs; nothing wrote rows of the old form.
DROP TABLE job_await;
CREATE TABLE job_await (
    awaited  INTEGER NOT NULL,
    waiting  INTEGER NOT NULL REFERENCES job (number) ON DELETE CASCADE,
    place    TEXT    NOT NULL,
    PRIMARY KEY (awaited, waiting, place)
) WITHOUT ROWID;
CREATE INDEX job_await_waiting ON job_await (waiting, place);

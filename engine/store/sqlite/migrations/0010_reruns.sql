-- Jobs that do again what another job did, and from where on.
CREATE TABLE job_origin (
    job      INTEGER PRIMARY KEY REFERENCES job (number) ON DELETE CASCADE,
    origin   INTEGER NOT NULL,
    place    TEXT    NOT NULL,
    version  TEXT    NOT NULL
);
CREATE INDEX job_origin_origin ON job_origin (origin);

-- Requests that named themselves, and what they were answered.
CREATE TABLE answered (
    by        TEXT    NOT NULL,
    door      TEXT    NOT NULL,
    key       TEXT    NOT NULL,
    asked     TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    status    INTEGER,
    location  TEXT,
    body      BLOB,
    PRIMARY KEY (by, door, key)
) WITHOUT ROWID;
CREATE INDEX answered_at ON answered (at);

-- A connection that is being saved: it counts once the file of connections has this SHA-256.
CREATE TABLE saving (
    file     TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    by       TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    detail   TEXT    NOT NULL
);

-- The secrets that come with it, sealed like those that count.
CREATE TABLE saving_secret (
    name  TEXT PRIMARY KEY,
    body  BLOB NOT NULL
) WITHOUT ROWID;

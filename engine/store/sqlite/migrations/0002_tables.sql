-- Lookup tables; `digest` is that of the columns and key as last declared, to see a change.
CREATE TABLE lookup_table (
    number   INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    digest   TEXT NOT NULL
);

-- Their rows. `key` is the list of the key columns' values as JSON; none if the table has no key.
CREATE TABLE lookup_row (
    number      INTEGER PRIMARY KEY,
    tbl         INTEGER NOT NULL,
    key         TEXT,
    body        TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    written_by  TEXT    NOT NULL,
    written_at  INTEGER NOT NULL
);
CREATE UNIQUE INDEX lookup_row_key ON lookup_row (tbl, key);

-- What was written into each row, newest version last; a removed row's last body is kept.
CREATE TABLE lookup_history (
    tbl         INTEGER NOT NULL,
    key         TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    change      TEXT    NOT NULL,
    body        TEXT    NOT NULL,
    written_by  TEXT    NOT NULL,
    written_at  INTEGER NOT NULL,
    PRIMARY KEY (tbl, key, version)
) WITHOUT ROWID;

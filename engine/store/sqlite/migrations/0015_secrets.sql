-- Secrets of connections that an admin gave, sealed with a key that is not in this file.
CREATE TABLE secret (
    name    TEXT PRIMARY KEY,
    body    BLOB    NOT NULL,
    set_at  INTEGER NOT NULL,
    set_by  TEXT    NOT NULL
) WITHOUT ROWID;

-- One row, sealed with the key that is in use: tells whether a key file fits this database.
CREATE TABLE key_check (
    body  BLOB NOT NULL
);

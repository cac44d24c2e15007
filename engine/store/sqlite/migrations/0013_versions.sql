-- The versions of each recipe that were live, in their order, with where each came from.
CREATE TABLE recipe_version (
    recipe  TEXT    NOT NULL,
    number  INTEGER NOT NULL,
    hash    TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    origin  TEXT    NOT NULL,
    by      TEXT,
    of      INTEGER,
    PRIMARY KEY (recipe, number)
) WITHOUT ROWID;
CREATE INDEX recipe_version_hash ON recipe_version (hash);

-- Their texts, compressed, once by content.
CREATE TABLE recipe_text (
    hash  TEXT PRIMARY KEY,
    body  BLOB NOT NULL
);

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

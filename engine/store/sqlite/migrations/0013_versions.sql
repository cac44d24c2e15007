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

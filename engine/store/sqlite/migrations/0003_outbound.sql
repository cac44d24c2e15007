-- Blocks of calls taken from budgets; a crash spends the rest of a block.
CREATE TABLE budget_block (
    id            TEXT PRIMARY KEY,
    connection    TEXT    NOT NULL,
    budget        TEXT    NOT NULL,
    calls         INTEGER NOT NULL,
    length        INTEGER NOT NULL,
    counts_until  INTEGER
);
CREATE INDEX budget_block_until ON budget_block (connection, budget, counts_until);

-- Exclusive groups of connections that are taken.
CREATE TABLE exclusive_hold (
    connection  TEXT    NOT NULL,
    members     TEXT    NOT NULL,
    held_until  INTEGER NOT NULL,
    PRIMARY KEY (connection, members)
) WITHOUT ROWID;

-- Secrets that came while running, sealed with a key that is not in this file.
CREATE TABLE sealed (
    name     TEXT PRIMARY KEY,
    account  TEXT NOT NULL,
    body     BLOB NOT NULL
);

-- Notices that were sent, and by whom; known until a moment.
CREATE TABLE notice (
    key          TEXT PRIMARY KEY,
    holder       TEXT    NOT NULL,
    known_until  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX notice_until ON notice (known_until);

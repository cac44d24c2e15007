-- Calls granted against a budget, in blocks; a crash spends the rest of a block.
CREATE TABLE budget_grant (
    number      INTEGER PRIMARY KEY,
    connection  TEXT    NOT NULL,
    budget      TEXT    NOT NULL,
    calls       INTEGER NOT NULL,
    counts_until INTEGER NOT NULL
);
CREATE INDEX budget_grant_until ON budget_grant (connection, budget, counts_until);

-- Exclusive groups of a connection that somebody holds.
CREATE TABLE exclusive_hold (
    connection  TEXT    NOT NULL,
    grp         TEXT    NOT NULL,
    holder      TEXT    NOT NULL,
    held_until  INTEGER NOT NULL,
    PRIMARY KEY (connection, grp)
) WITHOUT ROWID;

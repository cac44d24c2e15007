-- Loops whose iterations were folded: how far each is, rewritten as it goes on.
CREATE TABLE loop_head (
    job    INTEGER NOT NULL REFERENCES job (number) ON DELETE CASCADE,
    place  TEXT    NOT NULL,
    body   TEXT    NOT NULL,
    PRIMARY KEY (job, place)
) WITHOUT ROWID;

-- What their iterations gave, one row a commit, never changed.
CREATE TABLE loop_chunk (
    job    INTEGER NOT NULL REFERENCES job (number) ON DELETE CASCADE,
    place  TEXT    NOT NULL,
    chunk  INTEGER NOT NULL,
    body   TEXT    NOT NULL,
    PRIMARY KEY (job, place, chunk)
) WITHOUT ROWID;

-- How many entries and columns of a job need a large value: with the last of them, it goes. What
-- was stored before this was counted stays until its job is pruned.
ALTER TABLE large_use ADD COLUMN uses INTEGER NOT NULL DEFAULT 1;
UPDATE large_use SET uses = 1000000000;

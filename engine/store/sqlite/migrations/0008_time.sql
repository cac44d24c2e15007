-- What became of the instants of schedules. A row stands for one instant, or for all from `first` to
-- `instant` that were passed over at once; `taken_at` is when the clock showed that it was due.
ALTER TABLE fire ADD COLUMN outcome TEXT NOT NULL DEFAULT 'fired';
ALTER TABLE fire ADD COLUMN first INTEGER;
ALTER TABLE fire ADD COLUMN times INTEGER NOT NULL DEFAULT 1;
ALTER TABLE fire ADD COLUMN taken_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE fire ADD COLUMN is_open INTEGER NOT NULL DEFAULT 0;
CREATE INDEX fire_open ON fire (recipe) WHERE is_open = 1;
CREATE INDEX fire_waiting ON fire (recipe, instant) WHERE outcome = 'waiting';

-- By which rule a recipe's schedule fires, and since when it does.
CREATE TABLE schedule_rule (
    recipe  TEXT PRIMARY KEY,
    rule    TEXT    NOT NULL,
    since   INTEGER NOT NULL
) WITHOUT ROWID;

-- Where poll triggers stand. `version` grows with each poll that ended, so that of two at the same
-- time one counts; `meaning` tells whether the cursor is still one of the trigger as it is now.
DROP TABLE poll_cursor;
CREATE TABLE poll (
    recipe      TEXT PRIMARY KEY,
    version     INTEGER NOT NULL,
    meaning     TEXT    NOT NULL,
    cursor      TEXT,
    polled_at   INTEGER NOT NULL,
    good_at     INTEGER,
    retry_at    INTEGER,
    failures    INTEGER NOT NULL,
    failure     TEXT,
    items       INTEGER NOT NULL,
    jobs        INTEGER NOT NULL
) WITHOUT ROWID;

-- One row a job. Narrow, because it is rewritten with every commit; what never changes stands in
-- `job_input`. `due` is the moment from which a worker may claim the job: when it was queued, when
-- a wait is over, when a lease runs out; none if nothing but another event can move it.
CREATE TABLE job (
    number       INTEGER PRIMARY KEY,
    id           TEXT    NOT NULL UNIQUE,
    recipe       TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    started_by   TEXT    NOT NULL,
    needs_start  INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    due          INTEGER,
    lease        INTEGER NOT NULL DEFAULT 0,
    recoveries   INTEGER NOT NULL DEFAULT 0,
    chunks       INTEGER NOT NULL DEFAULT 0,
    has_news     INTEGER NOT NULL DEFAULT 0,
    has_holds    INTEGER NOT NULL DEFAULT 0,
    is_awaited   INTEGER NOT NULL DEFAULT 0,
    pin          INTEGER,
    started_at   INTEGER,
    ended_at     INTEGER,
    output       TEXT,
    failure      TEXT
);
CREATE INDEX job_due ON job (due) WHERE due IS NOT NULL;
CREATE INDEX job_held_back ON job (recipe) WHERE status = 'queued' AND needs_start = 1;
CREATE INDEX job_recipe ON job (recipe, number);
CREATE INDEX job_created ON job (created_at);
CREATE INDEX job_open ON job (number) WHERE ended_at IS NULL;
CREATE INDEX job_notable ON job (status, number)
    WHERE status IN ('failed', 'succeeded_with_errors', 'stopped', 'quarantined', 'needs_decision');

-- What a job was made of.
CREATE TABLE job_input (
    job      INTEGER PRIMARY KEY REFERENCES job (number) ON DELETE CASCADE,
    event    TEXT NOT NULL,
    input    TEXT NOT NULL,
    payload  INTEGER
);

-- Webhook deliveries as they came in; `jobs` counts those made of it that still have their input.
CREATE TABLE payload (
    number   INTEGER PRIMARY KEY,
    jobs     INTEGER NOT NULL,
    recipe   TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    headers  TEXT    NOT NULL,
    body     BLOB    NOT NULL
);

-- Events that are known already, until a moment.
CREATE TABLE dedupe (
    recipe      TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    known_until INTEGER NOT NULL,
    PRIMARY KEY (recipe, key)
) WITHOUT ROWID;
CREATE INDEX dedupe_until ON dedupe (known_until);

-- Journals, one row a commit: all entries of that commit as one list.
CREATE TABLE entry (
    job         INTEGER NOT NULL REFERENCES job (number) ON DELETE CASCADE,
    chunk       INTEGER NOT NULL,
    body        TEXT    NOT NULL,
    PRIMARY KEY (job, chunk)
) WITHOUT ROWID;

-- Large values, once by content, compressed.
CREATE TABLE large_value (
    hash  TEXT PRIMARY KEY,
    body  BLOB NOT NULL
);

-- Which jobs need which large value; job 0 stands for what is never pruned.
CREATE TABLE large_use (
    job   INTEGER NOT NULL,
    hash  TEXT    NOT NULL,
    PRIMARY KEY (job, hash)
) WITHOUT ROWID;
CREATE INDEX large_use_hash ON large_use (hash);

-- What jobs pin at their first claim; many jobs share one row.
CREATE TABLE pin (
    number    INTEGER PRIMARY KEY,
    hash      TEXT NOT NULL UNIQUE,
    program   TEXT NOT NULL,
    settings  TEXT NOT NULL
);

-- Where poll triggers stand.
CREATE TABLE poll_cursor (
    recipe      TEXT PRIMARY KEY,
    cursor      TEXT    NOT NULL,
    written_at  INTEGER NOT NULL
) WITHOUT ROWID;

-- The fires of schedules: one row for each instant that the rule names, once a job was made of it
-- or it was passed over.
CREATE TABLE fire (
    recipe   TEXT    NOT NULL,
    instant  INTEGER NOT NULL,
    job      INTEGER,
    is_good  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (recipe, instant)
) WITHOUT ROWID;
CREATE INDEX fire_job ON fire (job) WHERE job IS NOT NULL;
CREATE INDEX fire_good ON fire (recipe, instant) WHERE is_good = 1;

-- In which jobs a recipe was called, beside those it is the root of.
CREATE TABLE job_call (
    recipe  TEXT    NOT NULL,
    job     INTEGER NOT NULL,
    calls   INTEGER NOT NULL,
    PRIMARY KEY (recipe, job)
) WITHOUT ROWID;

-- What people ask of jobs.
CREATE TABLE job_request (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    job     INTEGER NOT NULL REFERENCES job (number) ON DELETE CASCADE,
    at      INTEGER NOT NULL,
    kind    TEXT    NOT NULL
);
CREATE INDEX job_request_job ON job_request (job);

-- Which jobs wait for the end of which.
CREATE TABLE job_await (
    awaited  INTEGER NOT NULL,
    waiting  INTEGER NOT NULL REFERENCES job (number) ON DELETE CASCADE,
    PRIMARY KEY (awaited, waiting)
) WITHOUT ROWID;
CREATE INDEX job_await_waiting ON job_await (waiting);

-- Concurrency keys and slots, held or waited for, first come first served by number.
CREATE TABLE hold (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    job         INTEGER NOT NULL REFERENCES job (number) ON DELETE CASCADE,
    key         TEXT    NOT NULL,
    recipe      TEXT    NOT NULL,
    value       TEXT,
    most        INTEGER,
    is_granted  INTEGER NOT NULL,
    UNIQUE (job, key)
);
CREATE INDEX hold_value ON hold (recipe, value, number);
CREATE INDEX hold_granted ON hold (recipe) WHERE is_granted = 1;
CREATE INDEX hold_waiting ON hold (recipe, number) WHERE is_granted = 0;

-- Which recipes are started.
CREATE TABLE recipe_state (
    name        TEXT PRIMARY KEY,
    is_started  INTEGER NOT NULL,
    changed_by  TEXT    NOT NULL,
    changed_at  INTEGER NOT NULL
) WITHOUT ROWID;

-- The sources that jobs pin, by hash.
CREATE TABLE program (
    hash     TEXT PRIMARY KEY,
    sources  BLOB NOT NULL
);

-- What people changed.
CREATE TABLE audit (
    number   INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    by       TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    detail   TEXT    NOT NULL
);
CREATE INDEX audit_subject ON audit (subject, number);

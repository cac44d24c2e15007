-- Tokens that people and programs sign in with: of each only the SHA-256. A name is free again once
-- its token is revoked; what the audit says of it stays.
CREATE TABLE token (
    number      INTEGER PRIMARY KEY,
    name        TEXT    NOT NULL,
    role        TEXT    NOT NULL,
    hash        TEXT    NOT NULL UNIQUE,
    created_at  INTEGER NOT NULL,
    created_by  TEXT    NOT NULL,
    expires_at  INTEGER,
    used_at     INTEGER,
    revoked_at  INTEGER,
    revoked_by  TEXT
);
CREATE UNIQUE INDEX token_name ON token (name) WHERE revoked_at IS NULL;

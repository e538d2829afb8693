-- The home: who lives here, what stands here, what was said. Times are milliseconds since 1970.

-- One row. stream_id is the sequence of the household: it is raised in the transaction of each change.
CREATE TABLE home (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    stream_id INTEGER NOT NULL
) STRICT;
INSERT INTO home (one, stream_id) VALUES (1, 0);

CREATE TABLE events (
    stream_id INTEGER PRIMARY KEY,
    kind      TEXT NOT NULL,
    audience  TEXT NOT NULL,
    subject   TEXT NOT NULL,
    at        INTEGER NOT NULL
) STRICT;

CREATE TABLE people (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    role       TEXT NOT NULL CHECK (role IN ('owner', 'adult', 'child', 'guest')),
    login      TEXT UNIQUE,
    password   TEXT,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE rooms (
    id   TEXT PRIMARY KEY,
    name TEXT NOT NULL COLLATE NOCASE UNIQUE
) STRICT;

CREATE TABLE devices (
    id              TEXT PRIMARY KEY,
    kind            TEXT NOT NULL CHECK (kind IN ('speaker', 'phone', 'browser', 'sip_phone')),
    name            TEXT NOT NULL,
    room            TEXT REFERENCES rooms (id) ON DELETE SET NULL,
    person          TEXT REFERENCES people (id) ON DELETE SET NULL,
    key_fingerprint TEXT NOT NULL UNIQUE,
    created_at      INTEGER NOT NULL,
    revoked_at      INTEGER
) STRICT;
CREATE INDEX devices_by_person ON devices (person);
CREATE INDEX devices_by_room ON devices (room);

CREATE TABLE certificates (
    fingerprint TEXT PRIMARY KEY,
    device      TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    not_after   INTEGER NOT NULL
) STRICT;
CREATE INDEX certificates_by_device ON certificates (device);

-- secret_key is derived from the code, which is kept nowhere.
CREATE TABLE invitations (
    id          TEXT PRIMARY KEY,
    secret_key  BLOB NOT NULL,
    kind        TEXT NOT NULL,
    name        TEXT NOT NULL,
    room        TEXT REFERENCES rooms (id) ON DELETE SET NULL,
    person      TEXT REFERENCES people (id) ON DELETE CASCADE,
    state       TEXT NOT NULL CHECK (state IN ('open', 'used', 'locked', 'withdrawn')),
    wrong_tries INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT;

-- secret is the SHA-256 of the token.
CREATE TABLE sessions (
    id         TEXT PRIMARY KEY,
    secret     BLOB NOT NULL UNIQUE,
    person     TEXT NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    kind       TEXT NOT NULL CHECK (kind IN ('browser', 'app')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_person ON sessions (person);

CREATE TABLE contacts (
    id                TEXT PRIMARY KEY,
    name              TEXT NOT NULL,
    screening         TEXT NOT NULL CHECK (screening IN ('allow', 'screen', 'block')),
    drop_in           INTEGER NOT NULL,
    children_may_call INTEGER NOT NULL,
    speed_dial        INTEGER UNIQUE
) STRICT;
CREATE TABLE contact_numbers (
    contact  TEXT NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    label    TEXT NOT NULL,
    number   TEXT NOT NULL,
    PRIMARY KEY (contact, position)
) STRICT;
CREATE INDEX contact_numbers_by_number ON contact_numbers (number);

CREATE TABLE lines (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    kind          TEXT NOT NULL CHECK (kind IN ('sip_trunk', 'landline', 'modem')),
    position      INTEGER NOT NULL,
    caller_number TEXT,
    forward_to    TEXT,
    enabled       INTEGER NOT NULL,
    health        TEXT NOT NULL,
    health_since  INTEGER
) STRICT;

CREATE TABLE calls (
    id           TEXT PRIMARY KEY,
    sequence     INTEGER NOT NULL UNIQUE,
    direction    TEXT NOT NULL,
    device       TEXT,
    other_device TEXT,
    contact      TEXT,
    number       TEXT,
    line         TEXT,
    state        TEXT NOT NULL,
    started_at   INTEGER NOT NULL,
    answered_at  INTEGER,
    ended_at     INTEGER
) STRICT;

CREATE TABLE messages (
    id          TEXT PRIMARY KEY,
    sequence    INTEGER NOT NULL UNIQUE,
    sender      TEXT NOT NULL,
    client_id   TEXT NOT NULL,
    body_sha256 BLOB NOT NULL,
    text        TEXT,
    voice       BLOB,
    codec       TEXT,
    duration_ms INTEGER,
    sent_at     INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    UNIQUE (sender, client_id)
) STRICT;
CREATE INDEX messages_by_expiry ON messages (expires_at);

-- state: 0 queued, 1 delivered, 2 read.
CREATE TABLE deliveries (
    mailbox  TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    message  TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    state    INTEGER NOT NULL CHECK (state IN (0, 1, 2)),
    since    INTEGER NOT NULL,
    PRIMARY KEY (mailbox, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_by_message ON deliveries (message);
CREATE INDEX deliveries_that_wait ON deliveries (mailbox) WHERE state = 0;

CREATE TABLE incidents (
    id            TEXT PRIMARY KEY,
    device        TEXT NOT NULL REFERENCES devices (id),
    number        INTEGER NOT NULL,
    opened_at     INTEGER NOT NULL,
    drill         INTEGER NOT NULL,
    outcome       TEXT NOT NULL,
    entries       INTEGER NOT NULL,
    bundle_sha256 TEXT NOT NULL,
    received_at   INTEGER NOT NULL,
    UNIQUE (device, number, entries)
) STRICT;
-- Evidence is added, never changed and never removed.
CREATE TRIGGER incidents_stay BEFORE UPDATE ON incidents BEGIN
    SELECT RAISE(ABORT, 'incidents are append-only');
END;
CREATE TRIGGER incidents_remain BEFORE DELETE ON incidents BEGIN
    SELECT RAISE(ABORT, 'incidents are append-only');
END;

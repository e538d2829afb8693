-- Nobody who calls for help is asked for a password: whom the caller claims to be, where nothing proves it.
ALTER TABLE calls ADD COLUMN claimed_device TEXT;

-- An incident that the hub noted itself is a call's, and may be nobody's that is known.
CREATE TABLE incidents_anew (
    id             TEXT PRIMARY KEY,
    device         TEXT REFERENCES devices (id),
    claimed_device TEXT,
    call           TEXT,
    number         INTEGER NOT NULL,
    opened_at      INTEGER NOT NULL,
    drill          INTEGER NOT NULL,
    outcome        TEXT NOT NULL,
    entries        INTEGER NOT NULL,
    bundle_sha256  TEXT NOT NULL,
    received_at    INTEGER NOT NULL,
    CHECK (device IS NOT NULL OR call IS NOT NULL)
) STRICT;
INSERT INTO incidents_anew (id, device, number, opened_at, drill, outcome, entries, bundle_sha256, received_at)
    SELECT id, device, number, opened_at, drill, outcome, entries, bundle_sha256, received_at FROM incidents;
DROP TABLE incidents;
ALTER TABLE incidents_anew RENAME TO incidents;
CREATE UNIQUE INDEX incidents_by_device ON incidents (device, number, entries) WHERE call IS NULL;
CREATE UNIQUE INDEX incidents_by_call ON incidents (call, entries);
CREATE TRIGGER incidents_stay BEFORE UPDATE ON incidents BEGIN
    SELECT RAISE(ABORT, 'incidents are append-only');
END;
CREATE TRIGGER incidents_remain BEFORE DELETE ON incidents BEGIN
    SELECT RAISE(ABORT, 'incidents are append-only');
END;

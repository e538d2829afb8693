-- The bundle of an incident, as its device sent it: a file named by its SHA-256 beside the database. Its verdict is what
-- the hub's own check said before it was kept.
CREATE TABLE incident_bundles (
    incident    TEXT PRIMARY KEY REFERENCES incidents (id),
    sha256      TEXT NOT NULL,
    bytes       INTEGER NOT NULL,
    verdict     TEXT NOT NULL CHECK (verdict IN ('witnessed', 'intact')),
    received_at INTEGER NOT NULL
) STRICT;
CREATE TRIGGER incident_bundles_stay BEFORE UPDATE ON incident_bundles BEGIN
    SELECT RAISE(ABORT, 'bundles are append-only');
END;
CREATE TRIGGER incident_bundles_remain BEFORE DELETE ON incident_bundles BEGIN
    SELECT RAISE(ABORT, 'bundles are append-only');
END;

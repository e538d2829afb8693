-- SIP registrations (RFC 3261 section 10, RFC 5626), written through.
CREATE TABLE bindings (
    aor         TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    reg_id      INTEGER NOT NULL,
    device      TEXT REFERENCES devices (id) ON DELETE CASCADE,
    contact     TEXT NOT NULL,
    path        TEXT NOT NULL,
    node_id     TEXT NOT NULL,
    flow_id     INTEGER NOT NULL,
    call_id     TEXT NOT NULL,
    cseq        INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (aor, instance_id, reg_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX bindings_by_flow ON bindings (node_id, flow_id);
CREATE INDEX bindings_by_expiry ON bindings (expires_at);
CREATE INDEX bindings_by_device ON bindings (device);

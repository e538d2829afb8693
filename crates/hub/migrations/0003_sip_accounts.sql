-- Accounts of ordinary SIP phones (RFC 3261 section 22): H(username:realm:password), never the password.
-- ha1_md5 stands only where the phone knows nothing better: such an account is weak.
CREATE TABLE sip_accounts (
    username   TEXT PRIMARY KEY,
    device     TEXT NOT NULL UNIQUE REFERENCES devices (id) ON DELETE CASCADE,
    ha1_sha256 TEXT NOT NULL,
    ha1_md5    TEXT,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the SIP server signs with; the same over restarts, so that dialogs and addresses live on.
CREATE TABLE sip_secrets (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    flow_secret BLOB NOT NULL,
    gruu_secret BLOB NOT NULL
) STRICT;

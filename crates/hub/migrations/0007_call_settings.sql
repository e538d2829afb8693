-- What a person or a device wants of calls: do not disturb, whom it takes, who may drop in. JSON, as the API has it.
CREATE TABLE call_settings (
    party    TEXT PRIMARY KEY,
    settings TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Texts that were handed in to be sent outside, by their senders' names for them, so that asking again sends none twice.
-- What they said is not kept, only its digest. state: sending, sent, unsure.
CREATE TABLE sent_texts (
    sender    TEXT NOT NULL,
    client_id TEXT NOT NULL,
    digest    TEXT NOT NULL,
    state     TEXT NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (sender, client_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX sent_texts_by_time ON sent_texts (sender, at);

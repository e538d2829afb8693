-- Lights that a routine wants switched by a speaker, and what became of it. wanted is JSON of ours; why is the speaker's
-- reason for not having done it, in words. An order that nobody has answered by its end was missed.
CREATE TABLE light_orders (
    id       TEXT PRIMARY KEY,
    device   TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    wanted   TEXT NOT NULL,
    at       INTEGER NOT NULL,
    until    INTEGER NOT NULL,
    ended_at INTEGER,
    why      TEXT
) STRICT;
CREATE INDEX light_orders_by_time ON light_orders (at);

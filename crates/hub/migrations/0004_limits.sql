-- A session knows the device on which it was opened: revoking the device ends it.
ALTER TABLE sessions ADD COLUMN device TEXT REFERENCES devices (id) ON DELETE CASCADE;
CREATE INDEX sessions_by_device ON sessions (device);

-- What a sender takes up. 0 is a message that has ended and is only remembered.
ALTER TABLE messages ADD COLUMN body_bytes INTEGER NOT NULL DEFAULT 0;
UPDATE messages SET body_bytes = coalesce(length(voice), length(CAST(text AS BLOB)), 0);
CREATE INDEX messages_by_sender ON messages (sender, body_bytes);

-- When what has ended was last dropped: a clock far beyond it is doubted first.
ALTER TABLE home ADD COLUMN swept_at INTEGER;

-- Whether speakers play a message by themselves as it comes.
ALTER TABLE messages ADD COLUMN announcement INTEGER NOT NULL DEFAULT 0 CHECK (announcement IN (0, 1));

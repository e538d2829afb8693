-- What a speaker keeps for later (timers, alarms, reminders, lists): a copy; the speaker has the truth. journal names its
-- file, revision counts the changes of that file. Times are of the speaker's clock, which was so far ahead of the hub's.
CREATE TABLE agendas (
    device      TEXT PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
    journal     TEXT NOT NULL,
    revision    INTEGER NOT NULL,
    clock_ahead INTEGER NOT NULL,
    kept_at     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- item is the speaker's own, handed back as it came; the other columns are what is shown of it.
CREATE TABLE agenda_items (
    device   TEXT NOT NULL REFERENCES agendas (device) ON DELETE CASCADE,
    id       INTEGER NOT NULL,
    kind     TEXT NOT NULL CHECK (kind IN ('timer', 'alarm', 'reminder', 'stopwatch', 'line')),
    label    TEXT,
    whom     TEXT,
    due      INTEGER,
    left_ms  INTEGER,
    repeats  INTEGER NOT NULL CHECK (repeats IN (0, 1)),
    item     TEXT NOT NULL,
    PRIMARY KEY (device, id)
) STRICT, WITHOUT ROWID;
-- When a reminder was due that is sent as a message: speakers play it however late it comes, and say so.
ALTER TABLE messages ADD COLUMN reminder_due INTEGER;

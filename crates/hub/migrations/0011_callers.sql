-- Callers who are no contact may leave a message without ringing anybody.
ALTER TABLE lines ADD COLUMN unknown TEXT NOT NULL DEFAULT 'ring' CHECK (unknown IN ('ring', 'busy', 'message'));
UPDATE lines SET unknown = unknown_callers;
ALTER TABLE lines DROP COLUMN unknown_callers;
ALTER TABLE lines RENAME COLUMN unknown TO unknown_callers;

-- Whose words a message passes on: somebody outside, who left them in the mailbox or sent them as a text.
ALTER TABLE messages ADD COLUMN outside_name TEXT;
ALTER TABLE messages ADD COLUMN outside_number TEXT;

-- A call between two outside parties: the second of them, and how it ended.
ALTER TABLE calls ADD COLUMN other_contact TEXT;
ALTER TABLE calls ADD COLUMN other_number TEXT;
ALTER TABLE calls ADD COLUMN other_line TEXT;
ALTER TABLE calls ADD COLUMN ending TEXT;

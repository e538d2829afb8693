-- How a line is reached over SIP (its password lies in a file), whom its calls ring, and why it does not work.
ALTER TABLE lines ADD COLUMN server TEXT;
ALTER TABLE lines ADD COLUMN username TEXT;
ALTER TABLE lines ADD COLUMN register INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lines ADD COLUMN drill TEXT CHECK (drill IN ('service', 'number'));
ALTER TABLE lines ADD COLUMN unknown_callers TEXT NOT NULL DEFAULT 'ring' CHECK (unknown_callers IN ('ring', 'busy'));
-- Ids with spaces between them.
ALTER TABLE lines ADD COLUMN ring_rooms TEXT NOT NULL DEFAULT '';
ALTER TABLE lines ADD COLUMN ring_devices TEXT NOT NULL DEFAULT '';
ALTER TABLE lines ADD COLUMN trouble TEXT;

-- Whether it was a call for help, in drill: for thirty minutes its line's calls ring the device that called.
ALTER TABLE calls ADD COLUMN emergency INTEGER NOT NULL DEFAULT 0;

-- Small documents of the hub, each read and written as a whole: routines, the hash of the trigger key, browsers that
-- want to be told, the key for telling them.
CREATE TABLE documents (
    name TEXT PRIMARY KEY NOT NULL,
    text TEXT NOT NULL
) STRICT;

-- The card that a contact was imported as (vCard 4.0), so that an export loses nothing of it.
-- key is the card's UID, or a hash of the card: the same again is an update.
CREATE TABLE contact_cards (
    contact TEXT PRIMARY KEY REFERENCES contacts (id) ON DELETE CASCADE,
    key     TEXT NOT NULL UNIQUE,
    card    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

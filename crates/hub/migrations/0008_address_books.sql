-- Address books of CardDAV servers (RFC 6352): the state in which each was read last, and its members.
CREATE TABLE address_books (
    url        TEXT PRIMARY KEY,
    ctag       TEXT,
    sync_token TEXT,
    read_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- contact is none for a card that was refused.
CREATE TABLE address_book_items (
    url     TEXT NOT NULL REFERENCES address_books (url) ON DELETE CASCADE,
    href    TEXT NOT NULL,
    etag    TEXT NOT NULL,
    contact TEXT REFERENCES contacts (id) ON DELETE SET NULL,
    PRIMARY KEY (url, href)
) STRICT, WITHOUT ROWID;
CREATE INDEX address_book_items_by_contact ON address_book_items (contact);

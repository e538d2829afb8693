-- What home and server had alike last: SHA-256 of the card as the home writes it. None: nothing was agreed on.
ALTER TABLE address_book_items ADD COLUMN agreed TEXT;

-- How each line was in each half hour of the last day. A half hour without a row: nobody looked, because the hub did not
-- run or the line was switched off. half_hour counts from 1970.
CREATE TABLE line_half_hours (
    line      TEXT NOT NULL REFERENCES lines (id) ON DELETE CASCADE,
    half_hour INTEGER NOT NULL,
    up        INTEGER NOT NULL,
    down      INTEGER NOT NULL,
    trouble   TEXT,
    PRIMARY KEY (line, half_hour)
) STRICT, WITHOUT ROWID;

-- Times are nanoseconds since the epoch.
CREATE TABLE record (
	kind  TEXT NOT NULL,
	id    TEXT NOT NULL,
	rev   INTEGER NOT NULL,
	site  TEXT NOT NULL,
	type  TEXT NOT NULL,
	state TEXT NOT NULL,
	first INTEGER NOT NULL,
	last  INTEGER NOT NULL,
	body  BLOB NOT NULL,
	PRIMARY KEY (kind, id)
) STRICT;
CREATE INDEX record_last ON record (kind, last DESC, id);
CREATE INDEX record_site ON record (kind, site, last DESC, id);

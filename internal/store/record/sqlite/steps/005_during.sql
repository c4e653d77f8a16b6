-- What went on in a time is counted without opening records.
DROP INDEX record_last;
CREATE INDEX record_last ON record (kind, last DESC, id, first, state);
DROP INDEX record_site;
CREATE INDEX record_site ON record (kind, site, last DESC, id, first, state);

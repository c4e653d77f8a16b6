-- A file as version 2 left it. It stays as it is, whatever the steps become.
CREATE TABLE record (kind TEXT NOT NULL, id TEXT NOT NULL, rev INTEGER NOT NULL, site TEXT NOT NULL, type TEXT NOT NULL, state TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, id)) STRICT;
CREATE INDEX record_last ON record (kind, last DESC, id);
CREATE INDEX record_site ON record (kind, site, last DESC, id);
INSERT INTO record VALUES ('finding', 'finding-7', 9, 'a.example', 'attack', 'likely', 1772352000000000000, 1772352007000000000, x'7b226e223a377d');
INSERT INTO record VALUES ('finding', 'finding-8', 3, 'a.example', 'guess', 'new', 1772352000000000000, 1772352000000000000, x'7b7d');
INSERT INTO record VALUES ('setting', 'zone', 3, '', '', '', 1772352000000000000, 1772352000000000000, x'2241736961222020');
CREATE TABLE audit (
	seq    INTEGER PRIMARY KEY,
	id     TEXT NOT NULL UNIQUE,
	at     INTEGER NOT NULL,
	by     TEXT NOT NULL,
	action TEXT NOT NULL,
	target TEXT NOT NULL,
	detail BLOB NOT NULL,
	seal   BLOB NOT NULL
) STRICT;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
CREATE TRIGGER audit_stands BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
PRAGMA application_id = 1482322531;
PRAGMA user_version = 2;

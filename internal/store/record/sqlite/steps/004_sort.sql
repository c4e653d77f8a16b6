-- What lists can be in order of. Findings that are there get what their judges
-- would write: those that did not change since are not written anew.
ALTER TABLE record ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE record ADD COLUMN rank0 INTEGER NOT NULL DEFAULT 0;
ALTER TABLE record ADD COLUMN rank1 INTEGER NOT NULL DEFAULT 0;
ALTER TABLE record ADD COLUMN rank2 INTEGER NOT NULL DEFAULT 0;
UPDATE record SET
	name = coalesce(CAST(substr(CAST(json_extract(CAST(body AS TEXT), '$.template') || ' ' || json_extract(CAST(body AS TEXT), '$.method') AS TEXT), 1, 64) AS TEXT), ''),
	rank0 = coalesce(CAST(json_extract(CAST(body AS TEXT), '$.exchanges') AS INTEGER), 0),
	rank1 = coalesce(CAST(json_extract(CAST(body AS TEXT), '$.actors') AS INTEGER), 0),
	rank2 = coalesce((SELECT max(CAST(json_extract(value, '$.max_per_response') AS INTEGER)) FROM json_each(CAST(body AS TEXT), '$.sensitive')
		WHERE json_extract(value, '$.in') = 'response' AND NOT json_extract(value, '$.masked')), 0)
WHERE kind = 'api';
UPDATE record SET rank0 = (CASE severity WHEN 'critical' THEN 4 WHEN 'high' THEN 3 WHEN 'elevated' THEN 2 WHEN 'moderate' THEN 1 ELSE 0 END << 60) | (last >> 3) WHERE kind = 'defect';
UPDATE record SET
	rank0 = coalesce(CAST(json_extract(CAST(body AS TEXT), '$.requests') AS INTEGER), 0),
	rank1 = coalesce(CAST(json_extract(CAST(body AS TEXT), '$.subjects_exposed') AS INTEGER), 0),
	rank2 = coalesce(CAST(json_extract(CAST(body AS TEXT), '$.confidence') * 1000000 AS INTEGER), 0)
WHERE kind IN ('attack', 'campaign');
CREATE INDEX record_first ON record (kind, first DESC, id);
CREATE INDEX record_name ON record (kind, name DESC, id);
CREATE INDEX record_rank0 ON record (kind, rank0 DESC, id);
CREATE INDEX record_rank1 ON record (kind, rank1 DESC, id);
CREATE INDEX record_rank2 ON record (kind, rank2 DESC, id);
-- What is counted is counted without opening records.
CREATE INDEX record_group ON record (kind, site, type, state, severity, last);
